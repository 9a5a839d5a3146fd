"""Removing a part of a log: what is left is numbered and counted anew, so that windows stay arithmetic."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from data.database import Database
from data.log_append import CHUNK, chunk_key, keep_seq
from data.log_select import Selection, contains
from data.records import LogQuery
from data.tables import log_chunk, log_line, log_position, log_run, log_source
from data.upserts import alone
from streaming.messages import LEVELS


class LogParts(Database):
    """Removes lines of executions that have ended."""

    def drop_log_part(self, query: LogQuery) -> int:
        """Remove the lines that a query asks for, in one transaction as long as the whole log is; how many."""
        with self._write_logs() as connection:
            alone(connection, log_position)
            selection = Selection(connection, query)
            run = selection.run
            if run is None:
                return 0
            keep_seq(connection, self.dialect)
            wanted = [*selection.clauses(), *contains(connection, query.q)]
            removed = connection.execute(sa.delete(log_line).where(*wanted)).rowcount
            if removed:
                _number(connection, run)
                _count(connection, run)
        return removed


def _number(connection: sa.Connection, run: int) -> None:
    """Dense numbers for the lines that are left."""
    place = (sa.func.row_number().over(order_by=log_line.c.line) - 1).label("place")
    left = sa.select(log_line.c.seq, place).where(log_line.c.run == run).subquery()
    moved = (log_line.c.seq == left.c.seq, log_line.c.line != left.c.place)
    connection.execute(sa.update(log_line).values(line=left.c.place).where(*moved))


def _count(connection: sa.Connection, run: int) -> None:
    """The counts of attempts, thousands and the log itself, from its lines."""
    names = {row.key: row for row in connection.execute(sa.select(log_source).where(log_source.c.run == run))}
    chunks: dict[int, dict[str, list[int]]] = {}
    levels: dict[int, list[int]] = {}
    ends: dict[int, tuple[int, int]] = {}
    lines = 0
    c = log_line.c
    for line, seq, source, level in connection.execute(
        sa.select(c.line, c.seq, c.source, c.level).where(c.run == run).order_by(c.line)
    ):
        lines += 1
        key = chunk_key(names[source].attempt, names[source].task_id)
        chunks.setdefault(line // CHUNK, {}).setdefault(key, [0] * len(LEVELS))[level] += 1
        levels.setdefault(source, [0] * len(LEVELS))[level] += 1
        ends[source] = (min(seq, ends.get(source, (seq,))[0]), seq)
    gone = [key for key in names if key not in ends]
    connection.execute(sa.delete(log_chunk).where(log_chunk.c.run == run))
    connection.execute(sa.delete(log_source).where(log_source.c.key.in_(gone)))
    if not lines:
        connection.execute(sa.delete(log_run).where(log_run.c.key == run))
        return
    rows = [{"run": run, "chunk": at, "counts": msgspec.msgpack.encode(some)} for at, some in chunks.items()]
    connection.execute(sa.insert(log_chunk), rows)
    connection.execute(sa.update(log_run).where(log_run.c.key == run).values(lines=lines))
    for source, (first, last) in ends.items():
        counts = {f"n{rank}": n for rank, n in enumerate(levels[source])}
        changes = {"first_seq": first, "last_seq": last, **counts}
        connection.execute(sa.update(log_source).where(log_source.c.key == source).values(changes))
