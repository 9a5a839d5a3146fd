"""Pages of a list: which index finds the rows of one page.

Sorted by start, a page deep inside, or of filters that few executions match, is first narrowed to the hours it lies
in: the kept counts tell how many matching executions come before. Other sortings read along their index when many
executions match, and sort what matches when few do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from data.clauses import FEW, label_clause
from data.counters import WIDTH, Grain
from data.counts import Counting, is_counted, is_signed
from data.errors import FilterError
from data.filters import Condition
from data.meaning import Meaning, is_system_label
from data.operators import Op
from data.records import DEFAULT_SORT
from data.spans import Span, split
from data.tables import execution, execution_data, execution_label, flow_count
from data.times import DAY

_SORTED = 2_000  # matching executions that are always found and sorted
NEAR = 500  # rows before a page that are rather read than counted
# PostgreSQL has no hints: for the rest of the transaction it is to read along an index rather than to sort a million.
_ALONG = "SET LOCAL enable_sort = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"


class Sorting(msgspec.Struct, frozen=True):
    """A column to sort by, and the index that has it in order: ``alone``, or with the start after it."""

    column: str
    index: str
    alone: bool = True


SORTS: dict[str, Sorting] = {
    "startDate": Sorting("start_at", "ix_execution_start"),
    "endDate": Sorting("end_at", "ix_execution_end"),
    "duration": Sorting("duration", "ix_execution_duration"),
    "namespace": Sorting("namespace", "ix_execution_namespace", alone=False),
    "flowId": Sorting("flow_id", "ix_execution_flow", alone=False),
    "state": Sorting("state", "ix_execution_state", alone=False),
    "id": Sorting("id", "ix_execution_id"),
}


_VALUES = frozenset({"namespace", "flowId", "state"})


class Sort(msgspec.Struct, frozen=True):
    """One of ``SORTS``, and its direction."""

    field: str = "startDate"
    descending: bool = True


def parse_sort(text: str | None) -> Sort:
    """A sort as on the wire, ``field:asc`` or ``field:desc``. Raises ``FilterError``."""
    field, _, direction = (text or DEFAULT_SORT).partition(":")
    if field not in SORTS:
        raise FilterError("sort", f"can't sort by {field!r}; it works by {', '.join(SORTS)}")
    if direction not in ("", "asc", "desc"):
        raise FilterError("sort", f"expected asc or desc after the colon, got {direction!r}")
    return Sort(field, direction == "desc")


class Window(msgspec.Struct, frozen=True):
    """Which rows of the sorted list."""

    offset: int
    limit: int


class Paging:
    """Finds pages within one transaction, at one moment; ``total`` is how many match."""

    def __init__(self, connection: sa.Connection, counting: Counting) -> None:
        self._connection = connection
        self._counting = counting

    def rows(self, told: Meaning, sort: Sort, window: Window, total: int) -> list[bytes]:
        """The encoded rows of the page, in order."""
        limit = min(window.limit, total - window.offset)
        if limit <= 0:
            return []
        window = Window(window.offset, limit)
        if window.offset > total // 2:  # nearer from the other end
            mirrored = Window(total - window.offset - limit, limit)
            seqs = [*reversed(self._seqs(told, Sort(sort.field, not sort.descending), mirrored, total))]
        else:
            seqs = self._seqs(told, sort, window, total)
        query = sa.select(execution_data.c.seq, execution_data.c.row).where(execution_data.c.seq.in_(seqs))
        found = {row.seq: row.row for row in self._connection.execute(query)}
        return [found[seq] for seq in seqs]

    def everything(self, told: Meaning) -> Iterable[Any]:
        """(id, namespace, state) of all that match, the newest start first."""
        c = execution.c
        query = sa.select(c.id, c.namespace, c.state).where(*self._counting.clauses(told))
        return self._connection.execute(query.order_by(c.start_at.desc(), c.seq.desc()))

    def _seqs(self, told: Meaning, sort: Sort, window: Window, total: int) -> list[int]:
        if sort.field == "startDate" and _is_one_label(told):
            return self._of_label(told.conditions[0], sort, window)
        clauses = self._counting.clauses(told, total)
        if sort.field in _VALUES and is_signed(told):
            return self._of_values(told, clauses, sort, window)
        if sort.field == "startDate":
            span, before = self._narrowed(told, sort, window, total)
            clauses += span.clauses(execution.c.start_at)
            window = Window(window.offset - before, window.limit)
        query = self.ordered(told, sort, total).where(*clauses).limit(window.limit).offset(window.offset)
        return list(self._connection.scalars(query))

    def ordered(self, told: Meaning, sort: Sort, total: int) -> sa.Select[Any]:
        """Keys in order: read along the index of the sort when many match; when few do, those are found and sorted."""
        along = total > FEW
        if total <= _SORTED or (not along and self._counting.by_signature(told, total)):
            return sorted_query(sort, apart=True)
        if along and sort.field != "startDate" and self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql(_ALONG)
        return sorted_query(sort, along=along)

    def _of_values(self, told: Meaning, clauses: list[sa.ColumnElement[bool]], sort: Sort, window: Window) -> list[int]:
        """Value by value: how many executions have each is known."""
        column = SORTS[sort.field].column
        values = self._counting.values(told, sort.field)
        by_start = sorted_query(Sort("startDate", sort.descending)).where(*clauses)
        found: list[int] = []
        offset = window.offset
        for value, n in reversed(values) if sort.descending else values:
            if offset < n and len(found) < window.limit:
                query = by_start.where(execution.c[column] == value).limit(window.limit - len(found))
                found += self._connection.scalars(query.offset(offset))
            offset = max(0, offset - n)
        return found

    def _of_label(self, condition: Condition, sort: Sort, window: Window) -> list[int]:
        """Along the index of one label, which is in order of start."""
        c = execution_label.c
        order = [c.start_at.desc(), c.seq.desc()] if sort.descending else [c.start_at, c.seq]
        query = sa.select(c.seq).where(label_clause(condition, execution_label)).order_by(*order)
        return list(self._connection.scalars(query.limit(window.limit).offset(window.offset)))

    # -- by start: the hours a page lies in

    def _narrowed(self, told: Meaning, sort: Sort, window: Window, total: int) -> tuple[Span, int]:
        """A span that holds the whole page, and how many matching executions come before it in the sort order."""
        parts = split(told)
        if parts.start or parts.end or told.either or not is_signed(parts.rest):
            return Span(), 0
        if told == Meaning() and window.offset + window.limit <= NEAR:
            return Span(), 0
        if parts.rest.fields & {"q"}:  # errors and ids may be found on any day
            return Span(), 0
        if window.offset + window.limit <= NEAR and self._is_near(parts.rest, sort, window):
            return Span(), 0
        span, before = _locate(self._days(parts.rest, Span()), Grain.DAY, sort, window)
        if not is_counted(parts.rest):
            return span, before
        hours = self._counting.buckets(parts.rest, Grain.HOUR, span)
        rest = Window(window.offset - before, window.limit)
        span, within = _locate(hours, Grain.HOUR, sort, rest)
        return span, before + within

    def _days(self, told: Meaning, span: Span) -> list[tuple[int, int]]:
        counting = self._counting
        return counting.buckets(told, Grain.DAY, span) if is_counted(told) else counting.days(told, span)

    def _is_near(self, told: Meaning, sort: Sort, window: Window) -> bool:
        """Whether the window is within the first few days, so that it is found by reading from there on."""
        c = flow_count.c
        end = sa.func.max(c.bucket) if sort.descending else sa.func.min(c.bucket)
        day = self._connection.scalar(sa.select(end).where(c.grain == int(Grain.DAY))) or 0
        first = Span(day - DAY) if sort.descending else Span(None, day + 2 * DAY)
        return sum(n for _, n in self._days(told, first)) >= window.offset + window.limit


def sorted_query(sort: Sort, *, along: bool = False, apart: bool = False) -> sa.Select[Any]:
    """Keys of executions in order: ``along`` the index of the sort, or ``apart`` from every index."""
    sorting = SORTS[sort.field]
    columns = columns_of(sort)
    if apart:
        empty = sa.literal_column("''" if isinstance(columns[0].type, sa.Text) else "0")
        columns[0] = columns[0] + empty
    order = [c.desc() if sort.descending else c.asc() for c in columns]
    if execution.c[sorting.column].nullable:
        order[0] = order[0].nulls_last() if sort.descending else order[0].nulls_first()
    query = sa.select(execution.c.seq).order_by(*order)
    if along and sort.field != "startDate":
        query = query.with_hint(execution, f"INDEXED BY {sorting.index}", "sqlite")
    return query


def columns_of(sort: Sort) -> list[Any]:
    """The columns that a list is in order of; the last one tells any two executions apart."""
    sorting = SORTS[sort.field]
    column = execution.c[sorting.column]
    return [column, execution.c.seq] if sorting.alone else [column, execution.c.start_at, execution.c.seq]


def _is_one_label(told: Meaning) -> bool:
    if len(told.conditions) != 1 or told.groups or told.either:
        return False
    return is_system_label(c := told.conditions[0]) and c.op is Op.EQUALS


def _locate(buckets: list[tuple[int, int]], grain: Grain, sort: Sort, window: Window) -> tuple[Span, int]:
    """The span of the buckets that hold the window, and how many rows are in those before it."""
    passed = before = 0
    inside: list[int] = []
    for start, n in reversed(buckets) if sort.descending else buckets:
        if passed + n > window.offset and passed < window.offset + window.limit:
            before = before if inside else passed
            inside.append(start)
        passed += n
    if not inside:
        return Span(), 0
    return Span(min(inside), max(inside) + WIDTH[grain]), before
