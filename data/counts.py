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

from collections.abc import Iterable, Sequence
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
    error_clause,
    error_keys,
    id_clauses,
    label_clause,
    rare_label,
    signatures,
    to_clauses,
)
from data.counters import Grain
from data.filters import Condition, Filters
from data.meaning import Meaning, is_system_label, label_value, meaning
from data.operators import NEGATIONS, Op
from data.spans import Span, Split, days_of, pieces, split
from data.tables import execution, flow_count, label_count, search_text, task_count, text_count
from engine.states import EXECUTION_STATES, TERMINAL, State

Counts = dict[Any, int]  # by state, or by another field's value
_ENDED = Condition("state", Op.IN, tuple(s.value for s in EXECUTION_STATES if s in TERMINAL or s is State.PAUSED))
SIGNED_FEW = 5 * FEW  # executions with signatures that match, which are rather looked up by them
_LOOKED_UP = 100  # keys that are looked up rather than asked for by a subquery
_BY_START = (Grain.DAY, Grain.HOUR, execution.c.start_at)
_BY_END = (Grain.END_DAY, Grain.END_HOUR, execution.c.end_at)


def is_counted(told: Meaning) -> bool:
    """Whether ``flow_count`` knows all of it."""
    return told.fields <= COUNTED


def is_signed(told: Meaning) -> bool:
    """Whether signatures and states tell all of it (but errors and ids that free text finds)."""
    return told.fields <= SIGNED


class Grouping(msgspec.Struct, frozen=True):
    """What executions are counted by: a field; of labels one ``key``, or all of them as a signature has them."""

    field: str = "state"
    key: str | None = None

    def column(self, table: sa.Table) -> Any:
        """The field in a table (``search_text`` stands for it joined with ``text_count``)."""
        if self.field == "labels":
            return search_text.c.labels if self.key is None else label_value(self.key)
        if table is execution and self.field == "triggerId":
            return search_text.c.trigger_id
        if table is search_text and self.field == "state":
            return text_count.c.state
        name = {"flowId": "flow_id", "flowRevision": "revision", "triggerId": "trigger_id"}.get(self.field, self.field)
        return table.c["last_task" if table is execution else "task_id"] if name == "taskId" else table.c[name]

    def read(self, value: Any) -> Any:
        """A value of the column as what it is."""
        return State(value) if self.field == "state" else value

    @property
    def joins(self) -> bool:
        """Whether executions have it by their signature alone."""
        return self.field in ("labels", "triggerId")


BY_STATE = Grouping()


class Counting:
    """Counts within one transaction, at one moment, ``by`` state or another field."""

    def __init__(self, connection: sa.Connection, now: datetime, by: Grouping = BY_STATE) -> None:
        self._connection = connection
        self._now = now
        self._by = by
        self._sizes: dict[Meaning, int] = {}
        self._looked_up: dict[str, Any] = {}

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
        counted = is_counted(parts.rest) and self._by.field in COUNTED
        signed = is_signed(parts.rest) and self._by.field in SIGNED
        if parts.end is not None and signed and (parts.start or not counted):
            return self._of_both(parts)
        if counted:
            return self._of_dates(parts)
        if told.fields <= TASKED and self._by.field in TASKED:
            return self._of_tasks(told)
        if signed:
            return self._of_signatures(parts.rest, parts.start or Span())
        if (found := self._of_label(told)) is not None:
            return found
        return self._scan(self.clauses(told))

    def clauses(self, told: Meaning, total: int = 0) -> list[sa.ColumnElement[bool]]:
        """The conditions on ``execution``, with whatever few executions have as a list of what has it.

        ``total``: how many match at least, as far as that is known.
        """
        rare = [c for c in told.conditions if is_system_label(c) and c.op not in NEGATIONS and self._is_rare(c)]
        others = structs.replace(told, conditions=tuple(c for c in told.conditions if c not in rare))
        listed = self.by_signature(told, total)
        return [*map(rare_label, rare), *to_clauses(others, execution, listed=listed, lookup=self._lookup)]

    def _lookup(self, query: sa.Select[Any]) -> Any:
        """What the query finds where that is little; the query where it is much."""
        sql = str(query.compile(self._connection.engine, compile_kwargs={"literal_binds": True}))
        if sql not in self._looked_up:
            found = list(self._connection.scalars(query.limit(_LOOKED_UP + 1)))
            self._looked_up[sql] = found if len(found) <= _LOOKED_UP else query
        return self._looked_up[sql]

    def _is_rare(self, condition: Condition) -> bool:
        return sum((self._of_label(Meaning((condition,))) or {}).values()) <= FEW

    def by_signature(self, told: Meaning, total: int = 0) -> bool:
        """Whether few executions (``total`` at least) have signatures that match, so that those are looked up first."""
        if total > SIGNED_FEW:
            return False
        only = Meaning(tuple(c for c in told.conditions if c.field in SIGNED - COUNTED and not is_system_label(c)))
        if not only.conditions:
            return False
        if only not in self._sizes:
            query = sa.select(sa.func.sum(text_count.c.n)).where(*self._signed_where(only))
            self._sizes[only] = int(self._connection.scalar(query) or 0) + self._errors_with(only)
        return self._sizes[only] <= SIGNED_FEW

    def _errors_with(self, told: Meaning) -> int:
        """How many executions have an error that a free text is in."""
        texts = [c for c in told.conditions if c.field == "q"]
        query = sa.select(sa.func.count()).select_from(execution)
        if not texts:
            return 0
        return int(self._connection.scalar(query.where(error_clause(self._lookup(error_keys(texts))))) or 0)

    def buckets(self, told: Meaning, grain: Grain, span: Span) -> list[tuple[int, int]]:
        """(start of the bucket, matching executions in it) for ``COUNTED`` filters, oldest first."""
        bucket = flow_count.c.bucket
        query = sa.select(bucket, sa.func.sum(flow_count.c.n)).where(flow_count.c.grain == int(grain))
        query = query.where(*span.clauses(bucket), *to_clauses(told, flow_count))
        return self._pairs(query.group_by(bucket).order_by(bucket))

    def days(self, told: Meaning, span: Span) -> list[tuple[int, int]]:
        """(start of the day, matching executions of that day) for ``SIGNED`` filters, oldest first."""
        day = text_count.c.day
        query = sa.select(day, sa.func.sum(text_count.c.n)).where(*self._signed_where(told), *span.clauses(day))
        return self._pairs(query.group_by(day).order_by(day))

    def values(self, told: Meaning, field: str) -> list[tuple[str, int]]:
        """(value of a field, matching executions with it), by value."""
        found = Counting(self._connection, self._now, Grouping(field)).count(told)
        return sorted((str(value), n) for value, n in found.items())

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
            return self._scan_of(parts.rest, start, end)
        outside = [Span(None, end.low)] if end.low is not None else []
        outside += [Span(end.high)] if end.high is not None else []
        return _less(self._started(rest, start), _sum([self._scan_of(parts.rest, start, span) for span in outside]))

    def _started(self, told: Meaning, start: Span | None) -> Counts:
        if is_counted(told) and self._by.field in COUNTED:
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
        column = self._by.column(flow_count)
        query = sa.select(column, sa.func.sum(flow_count.c.n)).where(sa.or_(*grains))
        return self._grouped(query.where(*to_clauses(told, flow_count)), column)

    # -- by task, label or signature

    def _of_tasks(self, told: Meaning) -> Counts:
        column = self._by.column(task_count)
        query = sa.select(column, sa.func.sum(task_count.c.n)).where(*to_clauses(told, task_count))
        return self._grouped(query, column)

    def _of_label(self, told: Meaning) -> Counts | None:
        """One label of the system's own, with states."""
        others = [c for c in told.conditions if c.field != "state"]
        if len(others) != 1 or not is_system_label(others[0]) or told.groups or self._by != BY_STATE:
            return None
        states = Meaning(tuple(c for c in told.conditions if c.field == "state"))
        column = label_count.c.state
        query = sa.select(column, sa.func.sum(label_count.c.n)).where(label_clause(others[0], label_count))
        return self._grouped(query.where(*to_clauses(states, label_count)), column)

    def _of_signatures(self, told: Meaning, span: Span) -> Counts:
        if span.empty:
            return {}
        whole, ends = days_of(span)
        counts = [self._signed_sum(told, whole), self._of_texts(told, whole)] if whole else []
        clauses = self.clauses(told) if ends else []
        return _sum([*counts, *(self._scan([*clauses, *end.clauses(execution.c.start_at)]) for end in ends)])

    def _signed_where(self, told: Meaning) -> list[sa.ColumnElement[bool]]:
        """The conditions on ``text_count``: the signatures that match are found first."""
        if told.groups:
            both = search_text.join(text_count, search_text.c.key == text_count.c.text_key)
            c = text_count.c
            found = sa.select(c.text_key, c.state).select_from(both).where(*to_clauses(told, search_text)).distinct()
            return [sa.tuple_(c.text_key, c.state).in_(found)]
        states = Meaning(tuple(c for c in told.conditions if c.field == "state"))
        others = Meaning(tuple(c for c in told.conditions if c.field != "state"))
        clauses = to_clauses(states, search_text)
        if others.conditions:
            keys = sa.select(search_text.c.key).where(*to_clauses(others, search_text))
            clauses.append(text_count.c.text_key.in_(self._lookup(keys)))
        return clauses

    def _signed_sum(self, told: Meaning, span: Span) -> Counts:
        where = [*self._signed_where(told), *span.clauses(text_count.c.day)]
        total = sa.func.sum(text_count.c.n)
        column = self._by.column(search_text)
        if self._by.field == "state":
            return self._grouped(sa.select(column, total).where(*where), column)
        of_key = sa.select(text_count.c.text_key, total.label("n")).where(*where).group_by(text_count.c.text_key)
        found = of_key.subquery()
        both = search_text.join(found, found.c.text_key == search_text.c.key)
        return self._grouped(sa.select(column, sa.func.sum(found.c.n)).select_from(both), column)

    def _of_texts(self, told: Meaning, span: Span) -> Counts:
        """What free text finds by an error or an id, not by the signature."""
        texts = [c for group in (told.conditions, *told.groups) for c in group if c.field == "q"]
        if not texts:
            return {}
        apart = self._by_no_signature(told, texts)
        told_apart = to_clauses(told, execution, lookup=self._lookup)
        clauses = [apart, *told_apart, *span.clauses(execution.c.start_at)]
        errors = self._lookup(error_keys(texts))
        counts = [self._scan([error_clause(errors), *clauses])]
        if ids := [clause for c in texts for clause in id_clauses(c)]:
            error = execution.c.error_key
            other = sa.or_(error.is_(None), error.not_in(errors))
            counts.append(self._scan([sa.or_(*ids), other, *clauses]))
        return _sum(counts)

    def _by_no_signature(self, told: Meaning, texts: Sequence[Condition]) -> sa.ColumnElement[bool]:
        """Executions whose signature and state alone do not match."""
        key = execution.c.text_key + sa.literal_column("0")
        if not told.groups:
            return sa.or_(*(key.not_in(self._lookup(signatures([c]))) for c in texts))
        both = search_text.join(text_count, text_count.c.text_key == search_text.c.key)
        query = sa.select(search_text.c.key).select_from(both)
        same = (search_text.c.key == execution.c.text_key, text_count.c.state == execution.c.state)
        return sa.not_(sa.exists(query.where(*same, *to_clauses(told, search_text)).correlate(execution)))

    # -- one by one

    def _scan(self, clauses: Sequence[sa.ColumnElement[bool]]) -> Counts:
        # Grouped by an expression, so that no database walks all executions along the index of states.
        column = self._by.column(execution)
        if isinstance(column.type, sa.Text):
            column = column + sa.literal_column("''")
        query = sa.select(column, sa.func.count()).select_from(self._scanned()).where(*clauses)
        return self._grouped(query, column)

    def _scanned(self) -> Any:
        return execution.join(search_text, search_text.c.key == execution.c.text_key) if self._by.joins else execution

    def _grouped(self, query: sa.Select[Any], column: Any) -> Counts:
        rows = self._connection.execute(query.group_by(column))
        return _sum([{self._by.read(value): int(n)} for value, n in rows])


def _is_scanned_negation(condition: Condition) -> bool:
    if condition.op not in NEGATIONS:
        return False
    return condition.field not in COUNTED | SIGNED or is_system_label(condition)


def _less(counts: Counts, less: Counts) -> Counts:
    return _sum([counts, {state: -n for state, n in less.items()}])


def _sum(parts: Iterable[Counts]) -> Counts:
    total: Counts = {}
    for part in parts:
        for state, n in part.items():
            total[state] = total.get(state, 0) + n
    return {state: n for state, n in total.items() if n}
