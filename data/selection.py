"""Which executions a selection means: those of some ids, or all that match filters at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from data.changes import chunks
from data.counts import Counting
from data.database import Database
from data.errors import TooMany
from data.filters import Filters
from data.operation_records import Chosen
from data.pages import Paging
from data.tables import execution
from engine.states import State


class Selecting(Database):
    """Read when somebody confirms an action on many executions."""

    def matching(self, filters: Filters, most: int, now: datetime | None = None) -> list[Chosen]:
        """All executions that match, the newest start first, in one snapshot. Raises ``TooMany`` for over ``most``."""
        at = now or datetime.now(UTC)
        with self._read() as connection:
            counting = Counting(connection, at)
            told = counting.meaning(filters)
            total = sum(counting.count(told).values())
            if total > most:
                raise TooMany(total, most)
            found = Paging(connection, counting).everything(told)
            return [Chosen(row.id, row.namespace, State(row.state)) for row in found]

    def existing_of(self, ids: Sequence[str]) -> dict[str, Chosen]:
        """Those of ``ids`` that there are, by id."""
        c = execution.c
        query = sa.select(c.id, c.namespace, c.state)
        found: dict[str, Chosen] = {}
        with self._read() as connection:
            for some in chunks(ids):
                rows = connection.execute(query.where(c.id.in_(some)))
                found |= {row.id: Chosen(row.id, row.namespace, State(row.state)) for row in rows}
        return found
