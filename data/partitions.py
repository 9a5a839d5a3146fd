"""Into how many partitions the events are divided: written beside each stream's position, so that commits see it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from data.commits import NOWHERE
from data.database import Database
from data.tables import stream_position
from data.upserts import alone, insert_new, run_many
from streaming import keys

_EVENTS = sa.or_(stream_position.c.stream == keys.EVENTS, stream_position.c.stream.like(f"{keys.EVENTS}:%"))


class Partitions(Database):
    """Written by an executor before it begins, when it finds another division than its own."""

    def event_streams(self) -> dict[str, int]:
        """Every stream of events there ever was, and of how many partitions it is one (was one, if it is none now)."""
        query = sa.select(stream_position.c.stream, stream_position.c.partitions).where(_EVENTS)
        with self._read() as connection:
            return {row.stream: row.partitions for row in connection.execute(query)}

    def divide_events(self, streams: Sequence[str]) -> None:
        """From now on ``streams`` are the partitions: whoever takes there to be another number commits nothing more."""
        with self._write() as connection:
            alone(connection, stream_position)
            rows = [{"stream": stream, "position": NOWHERE} for stream in streams]
            run_many(connection, insert_new(self.dialect, stream_position), rows)
            connection.execute(sa.update(stream_position).where(_EVENTS).values(partitions=len(streams)))
