"""Reading executions: lists and single rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from data import blobs
from data.counts import Counting, Counts
from data.database import Database
from data.filters import Filters
from data.namespaces import in_sql
from data.pages import Paging, Window, parse_sort
from data.records import ExecutionPage, ExecutionQuery
from data.tables import execution, execution_data, stream_position, task_run
from streaming.messages import ExecutionRow

_ROWS = sa.select(execution.c.id, execution_data.c.row).join_from(
    execution, execution_data, execution.c.seq == execution_data.c.seq
)
_POSITIONS = sa.select(stream_position.c.stream, stream_position.c.position)


class Executions(Database):
    """The read side. Totals and state counts come from kept counts wherever the filters allow it."""

    def search(self, query: ExecutionQuery, rows: int | None = None) -> ExecutionPage:
        """One page of the executions that match, with their total and state counts, all of the same moment.

        ``rows``: how many from the page's first on, when that is not the page's size.
        """
        sort = parse_sort(query.sort)
        now = query.now or datetime.now(UTC)
        window = Window((max(query.page, 1) - 1) * query.size, query.size if rows is None else rows)
        with self._read() as connection:
            counting = Counting(connection, now)
            told = counting.meaning(query.filters)
            counts = counting.count(told)
            total = sum(counts.values())
            found = Paging(connection, counting).rows(told, sort, window, total)
            positions = {row.stream: row.position for row in connection.execute(_POSITIONS)}
        return ExecutionPage([blobs.decode_row(row) for row in found], total, counts, positions)

    def counts(self, filters: Filters, now: datetime | None = None) -> Counts:
        """How many executions match, by state."""
        with self._read() as connection:
            counting = Counting(connection, now or datetime.now(UTC))
            return counting.count(counting.meaning(filters))

    def row(self, execution_id: str) -> ExecutionRow | None:
        """The list row of one execution."""
        return self.rows([execution_id]).get(execution_id)

    def rows(self, ids: Sequence[str]) -> dict[str, ExecutionRow]:
        """List rows by id, of those that exist."""
        with self._read() as connection:
            found = connection.execute(_ROWS.where(execution.c.id.in_(list(ids)))).all()
        return {row.id: blobs.decode_row(row.row) for row in found}

    def values(self, ids: Sequence[str]) -> dict[str, blobs.Values]:
        """Inputs and outputs by id, of those that exist."""
        bodies = sa.select(execution.c.id, execution_data.c.body).join_from(
            execution, execution_data, execution.c.seq == execution_data.c.seq
        )
        with self._read() as connection:
            found = connection.execute(bodies.where(execution.c.id.in_(list(ids)))).all()
        return {row.id: blobs.decode_values(row.body) for row in found}

    def last_of_flow(self, namespace: str, flow_id: str, n: int = 30) -> list[ExecutionRow]:
        """The last ``n`` executions of a flow, newest first."""
        query = _ROWS.where(execution.c.flow_id == flow_id, execution.c.namespace == namespace)
        with self._read() as connection:
            found = connection.execute(query.order_by(execution.c.start_at.desc(), execution.c.seq.desc()).limit(n))
            return [blobs.decode_row(row.row) for row in found]

    def last_of_flows(self, flows: Sequence[tuple[str, str]], n: int = 30) -> dict[tuple[str, str], list[ExecutionRow]]:
        """The same of several flows."""
        return {(namespace, flow_id): self.last_of_flow(namespace, flow_id, n) for namespace, flow_id in flows}

    def children(self, *ids: str, within: Sequence[str] | None = None, limit: int | None = None) -> list[ExecutionRow]:
        """Executions that these made or triggered, or that were made of them, oldest first; the first ``limit``.

        ``within``: only those in these namespaces or below them.
        """
        both = (execution.c.parent_id, execution.c.triggered_by)
        made = sa.union(*(sa.select(execution.c.seq).where(column.in_(ids)) for column in both))
        query = _ROWS.where(execution.c.seq.in_(made), *in_sql(execution.c.namespace, within))
        with self._read() as connection:
            found = connection.execute(query.order_by(execution.c.start_at, execution.c.seq).limit(limit))
            return [blobs.decode_row(row.row) for row in found]

    def going_on(self, ids: Sequence[str]) -> set[str]:
        """Those of which task runs have not ended, though they may have themselves."""
        query = sa.select(task_run.c.execution_id).where(task_run.c.end_at.is_(None)).distinct()
        with self._read() as connection:
            return set(connection.scalars(query.where(task_run.c.execution_id.in_(list(ids)))))

    def descendants(self, execution_id: str) -> int:
        """How many executions this one started, those that they started included."""
        below = sa.select(execution.c.id).where(execution.c.parent_id == execution_id).cte(recursive=True)
        below = below.union(sa.select(execution.c.id).join(below, execution.c.parent_id == below.c.id))
        with self._read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(below)).scalar_one()
