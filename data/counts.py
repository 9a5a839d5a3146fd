"""Totals and state counts of a list, from the kept counts wherever the filters allow it.

- Filters of ``COUNTED`` fields and start dates: sums over ``flow_count``, by whole days and hours, plus a count of the
  executions in the cut hours at the two ends.
- One condition on labels, or one free text, alone or with states: sums over ``label_count`` or ``text_count``.
- Anything else: executions are counted one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from data.clauses import COUNTED, id_clauses, label_clause, text_keys, to_clauses
from data.counters import Grain
from data.filters import Condition, Filters, since, wanted
from data.operators import NEGATIONS, Op
from data.tables import execution, flow_count, label_count, text_count
from data.times import DAY, HOUR, to_us
from engine.states import State

Counts = dict[State, int]
_STARTS = frozenset({"timeRange", "startDate"})
_LOWER = {Op.GREATER_THAN: 1, Op.GREATER_THAN_OR_EQUAL_TO: 0}
_UPPER = {Op.LESS_THAN: 0, Op.LESS_THAN_OR_EQUAL_TO: 1}


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


class Split(msgspec.Struct, frozen=True):
    """Filters apart: what they say of the start, and the rest; ``None`` as span: it can't be said as one."""

    span: Span | None
    rest: Filters


def split(filters: Filters, now: datetime) -> Split:
    """Take the conditions on the start out of the filters."""
    span = Span()
    rest = []
    for condition in filters.conditions:
        if condition.field not in _STARTS:
            rest.append(condition)
        elif (part := _span(condition, now)) is None:
            return Split(None, filters)
        else:
            span = span.cut(part.low, part.high)
    return Split(span, Filters(tuple(rest)))


def _span(condition: Condition, now: datetime) -> Span | None:
    value = wanted(condition)[0]
    if condition.field == "timeRange":
        return Span(to_us(since(now, value)))
    if condition.op in _LOWER:
        return Span(to_us(value) + _LOWER[condition.op])
    if condition.op in _UPPER:
        return Span(None, to_us(value) + _UPPER[condition.op])
    return None


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
        parts = split(filters, self._now)
        if parts.span is not None and is_counted(parts.rest):
            return self._over(parts.rest, parts.span)
        if (special := self._one_of_a_kind(filters)) is not None:
            return special
        return self._scan(to_clauses(filters, execution, self._now))

    def buckets(self, filters: Filters, grain: Grain, span: Span) -> list[tuple[int, int]]:
        """(start of the bucket, matching executions in it) for ``COUNTED`` filters, oldest first."""
        bucket = flow_count.c.bucket
        query = sa.select(bucket, sa.func.sum(flow_count.c.n)).where(flow_count.c.grain == int(grain))
        query = query.where(*span.clauses(bucket), *to_clauses(filters, flow_count, self._now))
        rows = self._connection.execute(query.group_by(bucket).order_by(bucket)).all()
        return [(start, int(n)) for start, n in rows]

    # -- by start

    def _over(self, filters: Filters, span: Span) -> Counts:
        if span.empty:
            return {}
        if span == Span():
            return self._kept(filters, [(Grain.ALL, span)])
        whole, ends = pieces(span)
        clauses = to_clauses(filters, execution, self._now)
        parts = [self._scan([*clauses, *end.clauses(execution.c.start_at)]) for end in ends]
        return _sum([self._kept(filters, whole), *parts])

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
        found = self._by_state(query.where(*to_clauses(states, label_count, self._now)), column)
        if condition.op not in NEGATIONS:
            return found
        everything = self._over(states, Span())
        return _sum([everything, {state: -n for state, n in found.items()}])

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
        column = execution.c.state
        return self._by_state(sa.select(column, sa.func.count()).where(*clauses), column)

    def _by_state(self, query: sa.Select[Any], column: Any) -> Counts:
        return _sum([{State(state): int(n)} for state, n in self._connection.execute(query.group_by(column))])


def pieces(span: Span) -> tuple[list[tuple[Grain, Span]], list[Span]]:
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
    return ([] if inner.empty else _whole(inner)), ends


def _whole(span: Span) -> list[tuple[Grain, Span]]:
    first = None if span.low is None else -(-span.low // DAY) * DAY
    last = None if span.high is None else span.high // DAY * DAY
    if first is not None and last is not None and first >= last:
        return [(Grain.HOUR, span)]
    parts = [(Grain.HOUR, span.cut(None, first))] if first is not None else []
    parts.append((Grain.DAY, Span(first, last)))
    if last is not None:
        parts.append((Grain.HOUR, span.cut(last, None)))
    return [(grain, part) for grain, part in parts if not part.empty]


def _sum(parts: Iterable[Counts]) -> Counts:
    total: Counts = {}
    for part in parts:
        for state, n in part.items():
            total[state] = total.get(state, 0) + n
    return {state: n for state, n in total.items() if n}
