"""Totals and state counts of a list, from the kept counts wherever the filters allow it.

- Filters of ``COUNTED`` fields, and either start or end dates: sums over ``flow_count``, by whole days and hours, plus
  a count of the executions in the cut hours at the two ends.
- One condition on labels, or one free text, alone or with states: sums over ``label_count`` or ``text_count``.
- "Not" of another field: what matches the rest, less what matches it.
- Anything else: executions are counted one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import structs

from data.clauses import COUNTED, FEW, RARE, id_clauses, label_clause, text_keys, to_clauses
from data.counters import Grain
from data.filters import Condition, Filters, since, wanted
from data.operators import NEGATIONS, Op
from data.tables import execution, flow_count, label_count, text_count
from data.times import DAY, HOUR, to_us
from engine.states import State

Counts = dict[State, int]
_DATES = frozenset({"timeRange", "startDate", "endDate"})


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
    rest: Filters


def split(filters: Filters, now: datetime) -> Split:
    """Take the conditions on start and end out of the filters."""
    start: Span | None = None
    end: Span | None = None
    rest = []
    for condition in filters.conditions:
        part = _span(condition, now)
        if part is None:
            rest.append(condition)
        elif condition.field == "endDate":
            end = part.cut(end.low, end.high) if end else part
        else:
            start = part.cut(start.low, start.high) if start else part
    return Split(start, end, Filters(tuple(rest)))


def _span(condition: Condition, now: datetime) -> Span | None:
    if condition.field not in _DATES or condition.op not in _SPANS:
        return None
    value = wanted(condition)[0]
    if condition.field == "timeRange":
        return Span(to_us(since(now, value)))
    return _SPANS[condition.op](to_us(value))


_BY_START = (Grain.DAY, Grain.HOUR, execution.c.start_at)
_BY_END = (Grain.END_DAY, Grain.END_HOUR, execution.c.end_at)


def _is_scanned_negation(condition: Condition) -> bool:
    return condition.op in NEGATIONS and condition.field not in COUNTED


def is_counted(filters: Filters) -> bool:
    """Whether ``flow_count`` knows all of it."""
    return all(condition.field in COUNTED for condition in filters.conditions)


class Counting:
    """Counts within one transaction, at one moment."""

    def __init__(self, connection: sa.Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    def count(self, filters: Filters) -> Counts:
        """How many executions match, by state."""
        if (negated := next((c for c in filters.conditions if _is_scanned_negation(c)), None)) is not None:
            return self._all_but(filters, negated)
        parts = split(filters, self._now)
        if is_counted(parts.rest) and (parts.start is None or parts.end is None):
            return self._of_dates(parts)
        if (special := self._one_of_a_kind(filters)) is not None:
            return special
        return self._scan([self._clause(condition) for condition in filters.conditions])

    def _clause(self, condition: Condition) -> sa.ColumnElement[bool]:
        """The condition on ``execution``; on a label or text that few executions have as a list of what has it."""
        alone = Filters((condition,))
        if condition.field in RARE and sum((self._one_of_a_kind(alone) or {}).values()) <= FEW:
            return RARE[condition.field](condition)
        return to_clauses(alone, execution, self._now)[0]

    def _all_but(self, filters: Filters, negated: Condition) -> Counts:
        """What matches the other conditions, less what also matches the opposite of this one."""
        others = tuple(c for c in filters.conditions if c is not negated)
        opposite = structs.replace(negated, op=NEGATIONS[negated.op])
        less = self.count(Filters((*others, opposite)))
        return _sum([self.count(Filters(others)), {state: -n for state, n in less.items()}])

    def buckets(self, filters: Filters, grain: Grain, span: Span) -> list[tuple[int, int]]:
        """(start of the bucket, matching executions in it) for ``COUNTED`` filters, oldest first."""
        bucket = flow_count.c.bucket
        query = sa.select(bucket, sa.func.sum(flow_count.c.n)).where(flow_count.c.grain == int(grain))
        query = query.where(*span.clauses(bucket), *to_clauses(filters, flow_count, self._now))
        rows = self._connection.execute(query.group_by(bucket).order_by(bucket)).all()
        return [(start, int(n)) for start, n in rows]

    def values(self, filters: Filters, column: str) -> list[tuple[str, int]]:
        """(value of a column of ``flow_count``, matching executions with it) for ``COUNTED`` filters, by value."""
        value = flow_count.c[column]
        query = sa.select(value, sa.func.sum(flow_count.c.n)).where(flow_count.c.grain == int(Grain.ALL))
        query = query.where(*to_clauses(filters, flow_count, self._now)).group_by(value)
        return sorted((text, int(n)) for text, n in self._connection.execute(query) if n)

    # -- by start or end

    def _of_dates(self, parts: Split) -> Counts:
        span = parts.start or parts.end
        if span is None:
            return self._kept(parts.rest, [(Grain.ALL, Span())])
        if span.empty:
            return {}
        day, hour, column = _BY_END if parts.end else _BY_START
        whole, ends = pieces(span, day, hour)
        clauses = to_clauses(parts.rest, execution, self._now)
        cut = [self._scan([*clauses, *end.clauses(column)]) for end in ends]
        return _sum([self._kept(parts.rest, whole), *cut])

    def _kept(self, filters: Filters, whole: Sequence[tuple[Grain, Span]]) -> Counts:
        if not whole:
            return {}
        grains = [
            sa.and_(flow_count.c.grain == int(grain), *span.clauses(flow_count.c.bucket)) for grain, span in whole
        ]
        query = sa.select(flow_count.c.state, sa.func.sum(flow_count.c.n)).where(sa.or_(*grains))
        return self._by_state(query.where(*to_clauses(filters, flow_count, self._now)), flow_count.c.state)

    # -- by label or text

    def _one_of_a_kind(self, filters: Filters) -> Counts | None:
        others = [c for c in filters.conditions if c.field != "state"]
        states = Filters(tuple(c for c in filters.conditions if c.field == "state"))
        if len(others) != 1 or others[0].field not in ("labels", "q"):
            return None
        return self._of_label(others[0], states) if others[0].field == "labels" else self._of_text(others[0], states)

    def _of_label(self, condition: Condition, states: Filters) -> Counts:
        column = label_count.c.state
        query = sa.select(column, sa.func.sum(label_count.c.n)).where(label_clause(condition, label_count))
        return self._by_state(query.where(*to_clauses(states, label_count, self._now)), column)

    def _of_text(self, condition: Condition, states: Filters) -> Counts:
        column = text_count.c.state
        query = sa.select(column, sa.func.sum(text_count.c.n)).where(text_count.c.text_key.in_(text_keys(condition)))
        found = self._by_state(query.where(*to_clauses(states, text_count, self._now)), column)
        ids = id_clauses(condition)
        if not ids:
            return found
        apart = execution.c.text_key.not_in(text_keys(condition))
        return _sum([found, self._scan([sa.or_(*ids), apart, *to_clauses(states, execution, self._now)])])

    # -- one by one

    def _scan(self, clauses: Sequence[sa.ColumnElement[bool]]) -> Counts:
        # Grouped by an expression, so that no database walks all executions along the index of states.
        state = execution.c.state + sa.literal_column("''")
        return self._by_state(sa.select(state, sa.func.count()).where(*clauses), state)

    def _by_state(self, query: sa.Select[Any], column: Any) -> Counts:
        return _sum([{State(state): int(n)} for state, n in self._connection.execute(query.group_by(column))])


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


def _sum(parts: Iterable[Counts]) -> Counts:
    total: Counts = {}
    for part in parts:
        for state, n in part.items():
            total[state] = total.get(state, 0) + n
    return {state: n for state, n in total.items() if n}
