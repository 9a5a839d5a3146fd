"""Totals and state counts of a list, from the kept counts wherever the filters allow it.

- Filters of ``COUNTED`` fields, and either start or end dates: sums over ``flow_count``, by whole days and hours, plus
  a count of the executions in the cut hours at the two ends.
- Filters of ``TASKED`` fields, without dates: sums over ``task_count``.
- Filters of ``SIGNED`` fields (labels, text, trigger, …), in any combination, and start dates: sums over the counts
  of the signatures that match, by whole days, plus a count of the executions in the cut days at the two ends.
- One label of the system's own, alone or with states: sums over ``label_count``.
- "Not" of another field: what matches the rest, less what matches it. Start or end: both, less what is in both. An end
  that most executions match: what matches the rest, less those that ended at another time.
- Anything else: executions are counted one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import structs

from data.clauses import (
    COUNTED,
    FEW,
    SIGNED,
    TASKED,
    Meaning,
    id_clauses,
    is_system_label,
    label_clause,
    meaning,
    rare_label,
    to_clauses,
)
from data.counters import Grain
from data.filters import Condition, Filters, wanted
from data.operators import NEGATIONS, Op
from data.tables import execution, flow_count, label_count, search_text, task_count, text_count
from data.times import DAY, HOUR, to_us
from engine.states import EXECUTION_STATES, TERMINAL, State

Counts = dict[State, int]
_DATES = frozenset({"startDate", "endDate"})
_ENDED = Condition("state", Op.IN, tuple(s.value for s in EXECUTION_STATES if s in TERMINAL or s is State.PAUSED))
SIGNED_FEW = 5 * FEW  # executions with signatures that match, which are rather looked up by them


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


_BY_START = (Grain.DAY, Grain.HOUR, execution.c.start_at)
_BY_END = (Grain.END_DAY, Grain.END_HOUR, execution.c.end_at)


def is_counted(told: Meaning) -> bool:
    """Whether ``flow_count`` knows all of it."""
    return told.fields <= COUNTED


def is_signed(told: Meaning) -> bool:
    """Whether signatures and states tell all of it (but ids that free text finds)."""
    return told.fields <= SIGNED


class Counting:
    """Counts within one transaction, at one moment."""

    def __init__(self, connection: sa.Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._sizes: dict[Meaning, int] = {}

    def meaning(self, filters: Filters) -> Meaning:
        """What ``filters`` say at that moment."""
        return meaning(self._connection, filters, self._now)

    def count(self, told: Meaning) -> Counts:
        """How many executions match, by state."""
        if told.either:
            return self._either(told)
        if (negated := next((c for c in told.conditions if _is_scanned_negation(c)), None)) is not None:
            return self._all_but(told, negated)
        parts = split(told)
        if parts.end is not None and parts.rest.fields <= SIGNED and (parts.start or not is_counted(parts.rest)):
            return self._of_both(parts)
        if is_counted(parts.rest):
            return self._of_dates(parts)
        if told.fields <= TASKED:
            return self._of_tasks(told)
        if is_signed(parts.rest):
            return self._of_signatures(parts.rest, parts.start or Span())
        if (found := self._of_label(told)) is not None:
            return found
        return self._scan(self.clauses(told))

    def clauses(self, told: Meaning) -> list[sa.ColumnElement[bool]]:
        """The conditions on ``execution``, with whatever few executions have as a list of what has it."""
        rare = [c for c in told.conditions if is_system_label(c) and c.op not in NEGATIONS and self._is_rare(c)]
        others = structs.replace(told, conditions=tuple(c for c in told.conditions if c not in rare))
        return [*map(rare_label, rare), *to_clauses(others, execution, listed=self.by_signature(told))]

    def _is_rare(self, condition: Condition) -> bool:
        return sum((self._of_label(Meaning((condition,))) or {}).values()) <= FEW

    def by_signature(self, told: Meaning) -> bool:
        """Whether few executions have signatures that match, so that they are best looked up by those."""
        only = Meaning(tuple(c for c in told.conditions if c.field in SIGNED - COUNTED and not is_system_label(c)))
        if not only.conditions:
            return False
        if only not in self._sizes:
            self._sizes[only] = sum(self._signed_sum(only, Span()).values())
        return self._sizes[only] <= SIGNED_FEW

    def buckets(self, told: Meaning, grain: Grain, span: Span) -> list[tuple[int, int]]:
        """(start of the bucket, matching executions in it) for ``COUNTED`` filters, oldest first."""
        bucket = flow_count.c.bucket
        query = sa.select(bucket, sa.func.sum(flow_count.c.n)).where(flow_count.c.grain == int(grain))
        query = query.where(*span.clauses(bucket), *to_clauses(told, flow_count))
        return self._pairs(query.group_by(bucket).order_by(bucket))

    def days(self, told: Meaning) -> list[tuple[int, int]]:
        """(start of the day, matching executions of that day) for ``SIGNED`` filters, oldest first."""
        day = text_count.c.day
        query = self._signed(told, sa.select(day, sa.func.sum(text_count.c.n)))
        return self._pairs(query.group_by(day).order_by(day))

    def values(self, told: Meaning, column: str) -> list[tuple[str, int]]:
        """(value of a column of ``flow_count``, matching executions with it) for ``COUNTED`` filters, by value."""
        value = flow_count.c[column]
        query = sa.select(value, sa.func.sum(flow_count.c.n)).where(flow_count.c.grain == int(Grain.ALL))
        query = query.where(*to_clauses(told, flow_count)).group_by(value)
        return sorted((text, int(n)) for text, n in self._connection.execute(query) if n)

    def _pairs(self, query: sa.Select[Any]) -> list[tuple[int, int]]:
        return [(start, int(n)) for start, n in self._connection.execute(query)]

    # -- from other counts

    def _all_but(self, told: Meaning, negated: Condition) -> Counts:
        """What matches the other conditions, less what also matches the opposite of this one."""
        others = structs.replace(told, conditions=tuple(c for c in told.conditions if c is not negated))
        opposite = structs.replace(negated, op=NEGATIONS[negated.op])
        return _less(self.count(others), self.count(others.plus(opposite)))

    def _either(self, told: Meaning) -> Counts:
        """Start or end in the range: both together, less those that are counted twice."""
        plain = structs.replace(told, either=())
        one, other = (self.count(plain.plus(*side)) for side in told.either)
        return _less(_sum([one, other]), self.count(plain.plus(*told.either[0], *told.either[1])))

    def _of_both(self, parts: Split) -> Counts:
        """Of the end, and of the start or of signatures: all that ended, less those that ended at another time."""
        rest, start, end = parts.rest.plus(_ENDED), parts.start, parts.end or Span()
        if start and start.low is not None and end.low is not None and end.low <= start.low:
            end = Span(None, end.high)  # whatever began later ended later
        if end == Span():
            return self._started(rest, start)
        inside = self._ended_in(end)
        if inside * 2 <= self._ended_in(Span()):
            return self._scan_of(rest, start, end)
        outside = [Span(None, end.low)] if end.low is not None else []
        outside += [Span(end.high)] if end.high is not None else []
        return _less(self._started(rest, start), _sum([self._scan_of(rest, start, span) for span in outside]))

    def _started(self, told: Meaning, start: Span | None) -> Counts:
        if is_counted(told):
            return self._of_dates(Split(start, None, told))
        return self._of_signatures(told, start or Span())

    def _scan_of(self, told: Meaning, start: Span | None, end: Span) -> Counts:
        spans = [*end.clauses(execution.c.end_at), *(start or Span()).clauses(execution.c.start_at)]
        if end.high is not None:
            spans.append(execution.c.start_at < end.high)
        return self._scan([*self.clauses(told), *spans])

    def _ended_in(self, span: Span) -> int:
        """About how many ended in a span."""
        grain, bucket = flow_count.c.grain, flow_count.c.bucket
        query = sa.select(sa.func.sum(flow_count.c.n)).where(grain == int(Grain.END_DAY), *span.clauses(bucket))
        return int(self._connection.scalar(query) or 0)

    # -- by start or end

    def _of_dates(self, parts: Split) -> Counts:
        span = parts.start or parts.end
        if span is None:
            return self._kept(parts.rest, [(Grain.ALL, Span())])
        if span.empty:
            return {}
        day, hour, column = _BY_END if parts.end else _BY_START
        whole, ends = pieces(span, day, hour)
        clauses = to_clauses(parts.rest, execution)
        cut = [self._scan([*clauses, *end.clauses(column)]) for end in ends]
        return _sum([self._kept(parts.rest, whole), *cut])

    def _kept(self, told: Meaning, whole: Sequence[tuple[Grain, Span]]) -> Counts:
        if not whole:
            return {}
        grains = [
            sa.and_(flow_count.c.grain == int(grain), *span.clauses(flow_count.c.bucket)) for grain, span in whole
        ]
        query = sa.select(flow_count.c.state, sa.func.sum(flow_count.c.n)).where(sa.or_(*grains))
        return self._by_state(query.where(*to_clauses(told, flow_count)), flow_count.c.state)

    # -- by task, label or signature

    def _of_tasks(self, told: Meaning) -> Counts:
        column = task_count.c.state
        query = sa.select(column, sa.func.sum(task_count.c.n)).where(*to_clauses(told, task_count))
        return self._by_state(query, column)

    def _of_label(self, told: Meaning) -> Counts | None:
        """One label of the system's own, with states."""
        others = [c for c in told.conditions if c.field != "state"]
        if len(others) != 1 or not is_system_label(others[0]) or told.groups:
            return None
        states = Meaning(tuple(c for c in told.conditions if c.field == "state"))
        column = label_count.c.state
        query = sa.select(column, sa.func.sum(label_count.c.n)).where(label_clause(others[0], label_count))
        return self._by_state(query.where(*to_clauses(states, label_count)), column)

    def _of_signatures(self, told: Meaning, span: Span) -> Counts:
        if span.empty:
            return {}
        whole, ends = days_of(span)
        counts = [self._signed_sum(told, whole), self._of_ids(told, whole)] if whole else []
        clauses = self.clauses(told) if ends else []
        return _sum([*counts, *(self._scan([*clauses, *end.clauses(execution.c.start_at)]) for end in ends)])

    def _signed(self, told: Meaning, query: sa.Select[Any]) -> sa.Select[Any]:
        joined = query.select_from(text_count.join(search_text, search_text.c.key == text_count.c.text_key))
        return joined.where(*to_clauses(told, search_text))

    def _signed_sum(self, told: Meaning, span: Span) -> Counts:
        query = self._signed(told, sa.select(text_count.c.state, sa.func.sum(text_count.c.n)))
        return self._by_state(query.where(*span.clauses(text_count.c.day)), text_count.c.state)

    def _of_ids(self, told: Meaning, span: Span) -> Counts:
        """What free text finds by an id alone."""
        ids = [clause for group in (told.conditions, *told.groups) for c in group if c.field == "q"
               for clause in id_clauses(c)]  # fmt: skip
        if not ids:
            return {}
        by_text = sa.select(search_text.c.key).join(text_count, text_count.c.text_key == search_text.c.key)
        by_text = by_text.where(search_text.c.key == execution.c.text_key, text_count.c.state == execution.c.state)
        found = sa.exists(by_text.where(*to_clauses(told, search_text)).correlate(execution))
        clauses = [*to_clauses(told, execution), *span.clauses(execution.c.start_at)]
        return self._scan([sa.or_(*ids), sa.not_(found), *clauses])

    # -- one by one

    def _scan(self, clauses: Sequence[sa.ColumnElement[bool]]) -> Counts:
        # Grouped by an expression, so that no database walks all executions along the index of states.
        state = execution.c.state + sa.literal_column("''")
        return self._by_state(sa.select(state, sa.func.count()).where(*clauses), state)

    def _by_state(self, query: sa.Select[Any], column: Any) -> Counts:
        return _sum([{State(state): int(n)} for state, n in self._connection.execute(query.group_by(column))])


def _is_scanned_negation(condition: Condition) -> bool:
    if condition.op not in NEGATIONS:
        return False
    return condition.field not in COUNTED | SIGNED or is_system_label(condition)


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


def _less(counts: Counts, less: Counts) -> Counts:
    return _sum([counts, {state: -n for state, n in less.items()}])


def _sum(parts: Iterable[Counts]) -> Counts:
    total: Counts = {}
    for part in parts:
        for state, n in part.items():
            total[state] = total.get(state, 0) + n
    return {state: n for state, n in total.items() if n}
