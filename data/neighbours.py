"""The executions before and after one: in its flow, or in a filtered, sorted list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from data.counts import Counting
from data.database import Database
from data.filters import Filters
from data.pages import SORTS, Paging, Sort, columns_of, parse_sort
from data.records import DEFAULT_SORT, Neighbours
from data.tables import execution


class Neighbouring(Database):
    """Steps from one execution to the next."""

    def neighbours(
        self,
        execution_id: str,
        filters: Filters | None = None,
        sort: str = DEFAULT_SORT,
        *,
        now: datetime | None = None,
    ) -> Neighbours:
        """The executions beside this one.

        With ``filters`` in the list that they and ``sort`` make: ``previous`` is the row above it, ``next`` the row
        below, by its place, whether it is in that list itself or not. Without, in its flow: ``previous`` started just
        before it, ``next`` just after.
        """
        with self._read() as connection:
            here = connection.execute(sa.select(execution).where(execution.c.id == execution_id)).first()
            if here is None:
                return Neighbours()
            if filters is None:
                c = execution.c
                clauses = [c.flow_id == here.flow_id, c.namespace == here.namespace]
                steps = _Steps(connection, clauses, here)
                return Neighbours(steps.next(Sort(descending=True)), steps.next(Sort(descending=False)))
            counting, order = Counting(connection, now or datetime.now(UTC)), parse_sort(sort)
            told = counting.meaning(filters)
            total = sum(counting.count(told).values())
            steps = _Steps(connection, counting.clauses(told), here)
            paging = Paging(connection, counting)
            above = Sort(order.field, not order.descending)
            return Neighbours(*(steps.next(one, paging.ordered(told, one, total)) for one in (above, order)))


class _Steps:
    """Finds what comes next after one row of ``execution``."""

    def __init__(self, connection: sa.Connection, clauses: Sequence[sa.ColumnElement[bool]], here: Any) -> None:
        self._connection = connection
        self._clauses = clauses
        self._here = here

    def next(self, sort: Sort, query: sa.Select[Any] | None = None) -> str | None:
        """The id of the next one in the order of ``sort``; ``query`` reads keys in that order."""
        if query is None:
            c, way = execution.c, (sa.desc if sort.descending else sa.asc)
            query = sa.select(c.seq).order_by(way(c.start_at), way(c.seq))
        for beyond in self._beyond(sort):
            seq = self._connection.scalar(query.where(*self._clauses, beyond).limit(1))
            if seq is not None:
                return self._connection.scalar(sa.select(execution.c.id).where(execution.c.seq == seq))
        return None

    def _beyond(self, sort: Sort) -> Iterator[sa.ColumnElement[bool]]:
        """What comes after, part by part: an absent value comes first when rising and last when falling."""
        columns = columns_of(sort)
        values = [getattr(self._here, column.name) for column in columns]
        first = execution.c[SORTS[sort.field].column]
        if values[0] is None:
            yield sa.and_(first.is_(None), _after(columns[1:], values[1:], sort))
            if not sort.descending:
                yield first.is_not(None)
            return
        yield _after(columns, values, sort)
        if first.nullable and sort.descending:
            yield first.is_(None)


def _after(columns: Sequence[Any], values: Sequence[Any], sort: Sort) -> sa.ColumnElement[bool]:
    here = sa.tuple_(*(sa.literal(value) for value in values))
    return sa.tuple_(*columns) < here if sort.descending else sa.tuple_(*columns) > here
