"""Reading every execution that matches: for exports, and whoever goes through all of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from data import blobs
from data.counts import Counting
from data.database import Database
from data.filters import Filters
from data.pages import SORTS, Sort, parse_sort
from data.records import DEFAULT_SORT
from data.tables import execution, execution_data
from streaming.messages import ExecutionRow

STEP = 2_000  # rows read in one transaction
_ROWS = sa.select(execution_data.c.seq, execution_data.c.row)


class Scans(Database):
    """Long reads that hold no transaction open: writers are never kept from tidying up behind them."""

    def scan(
        self, filters: Filters, sort: str = DEFAULT_SORT, *, now: datetime | None = None, step: int = STEP
    ) -> Iterator[list[ExecutionRow]]:
        """All executions that match at the first step, in order, ``step`` at a time.

        Which ones and their order are fixed then (8 bytes each are kept); each row is as it is when its step is read,
        and those that are removed meanwhile are left out.
        """
        seqs = self._matching(filters, parse_sort(sort), now or datetime.now(UTC))
        for start in range(0, len(seqs), step):
            yield self._of(seqs[start : start + step])

    def _matching(self, filters: Filters, sort: Sort, now: datetime) -> array[int]:
        with self._read() as connection:
            counting = Counting(connection, now)
            clauses = counting.clauses(counting.meaning(filters))
            query = sa.select(execution.c.seq).where(*clauses).order_by(*_order(sort))
            found = connection.execution_options(stream_results=True, max_row_buffer=STEP).execute(query)
            return array("q", found.scalars())

    def _of(self, seqs: array[int]) -> list[ExecutionRow]:
        with self._read() as connection:
            found = connection.execute(_ROWS.where(execution_data.c.seq.in_(list(seqs)))).all()
        rows = {row.seq: row.row for row in found}
        return [blobs.decode_row(rows[seq]) for seq in seqs if seq in rows]


def _order(sort: Sort) -> list[sa.UnaryExpression[Any]]:
    """The order of the list's pages."""
    sorting = SORTS[sort.field]
    column = execution.c[sorting.column]
    columns = [column, execution.c.seq] if sorting.alone else [column, execution.c.start_at, execution.c.seq]
    order = [one.desc() if sort.descending else one.asc() for one in columns]
    if column.nullable:
        order[0] = column.desc().nulls_last() if sort.descending else column.asc().nulls_first()
    return order
