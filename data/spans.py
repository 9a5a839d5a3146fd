"""Times of start and end: spans, the filters' parts that are about them, and spans in whole days and hours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import structs

from data.counters import Grain
from data.filters import wanted
from data.meaning import Meaning
from data.operators import Op
from data.times import DAY, HOUR, to_us

_DATES = frozenset({"startDate", "endDate"})


class Span(msgspec.Struct, frozen=True):
    """A half-open time of start, ``None``: without end."""

    low: int | None = None
    high: int | None = None

    def cut(self, low: int | None, high: int | None) -> Span:
        """The part of it that is also within ``low`` and ``high``."""
        lows = [v for v in (self.low, low) if v is not None]
        highs = [v for v in (self.high, high) if v is not None]
        return Span(max(lows, default=None), min(highs, default=None))

    @property
    def empty(self) -> bool:
        """Nothing can be in it."""
        return self.low is not None and self.high is not None and self.low >= self.high

    def clauses(self, column: Any) -> list[sa.ColumnElement[bool]]:
        """The span as conditions on ``column``."""
        low = [] if self.low is None else [column >= self.low]
        return low + ([] if self.high is None else [column < self.high])


_SPANS: dict[Op, Callable[[int], Span]] = {
    Op.GREATER_THAN: lambda us: Span(us + 1),
    Op.GREATER_THAN_OR_EQUAL_TO: lambda us: Span(us),
    Op.LESS_THAN: lambda us: Span(None, us),
    Op.LESS_THAN_OR_EQUAL_TO: lambda us: Span(None, us + 1),
    Op.EQUALS: lambda us: Span(us, us + 1),
}


class Split(msgspec.Struct, frozen=True):
    """Filters apart: what they say of the start, of the end (``None``: nothing), and the rest."""

    start: Span | None
    end: Span | None
    rest: Meaning


def split(told: Meaning) -> Split:
    """Take the conditions on start and end out of the filters."""
    found: dict[str, Span] = {}
    rest = []
    for condition in told.conditions:
        if condition.field not in _DATES or condition.op not in _SPANS:
            rest.append(condition)
            continue
        part = _SPANS[condition.op](to_us(wanted(condition)[0]))
        found[condition.field] = found.get(condition.field, Span()).cut(part.low, part.high)
    return Split(found.get("startDate"), found.get("endDate"), structs.replace(told, conditions=tuple(rest)))


def pieces(span: Span, day: Grain, hour: Grain) -> tuple[list[tuple[Grain, Span]], list[Span]]:
    """A span as whole days and hours, and the cut hours at its ends that have to be counted."""
    ends = []
    low, high = span.low, span.high
    if low is not None and low % HOUR:
        up = -(-low // HOUR) * HOUR
        ends.append(Span(low, up if high is None else min(up, high)))
        low = up
    if high is not None and high % HOUR and (low is None or high > low):
        down = high // HOUR * HOUR
        ends.append(Span(down if low is None else max(down, low), high))
        high = down
    inner = Span(low, high)
    return ([] if inner.empty else _whole(inner, day, hour)), ends


def _whole(span: Span, day: Grain, hour: Grain) -> list[tuple[Grain, Span]]:
    first = None if span.low is None else -(-span.low // DAY) * DAY
    last = None if span.high is None else span.high // DAY * DAY
    if first is not None and last is not None and first >= last:
        return [(hour, span)]
    parts = [(hour, span.cut(None, first))] if first is not None else []
    parts.append((day, Span(first, last)))
    if last is not None:
        parts.append((hour, span.cut(last, None)))
    return [(grain, part) for grain, part in parts if not part.empty]


def days_of(span: Span) -> tuple[Span | None, list[Span]]:
    """A span as whole days (``None``: none), and the cut days at its ends that have to be counted."""
    low = None if span.low is None else -(-span.low // DAY) * DAY
    high = None if span.high is None else span.high // DAY * DAY
    if low is not None and high is not None and low >= high:
        return None, [span]
    ends = [] if low == span.low else [Span(span.low, low)]
    ends += [] if high == span.high else [Span(high, span.high)]
    return Span(low, high), ends
