"""Reading executions: lists, single rows, neighbours."""

from __future__ import annotations

import sqlalchemy as sa

from data import blobs
from data.database import Database
from data.tables import execution, execution_data
from streaming.messages import ExecutionRow


class Executions(Database):
    """The read side."""

    def row(self, execution_id: str) -> ExecutionRow | None:
        """The list row of one execution."""
        return self.rows([execution_id]).get(execution_id)

    def rows(self, ids: list[str]) -> dict[str, ExecutionRow]:
        """List rows by id, of those that exist."""
        query = sa.select(execution.c.id, execution_data.c.row).join_from(
            execution, execution_data, execution.c.seq == execution_data.c.seq
        )
        with self._read() as connection:
            found = connection.execute(query.where(execution.c.id.in_(ids))).all()
        return {row.id: blobs.decode_row(row.row) for row in found}
