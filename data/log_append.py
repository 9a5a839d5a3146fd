"""Appending log lines.

Each line has ``seq``, rising over everything, and ``line``, its place in its execution counted from 0: the two orders
of reading. ``log_chunk`` counts, per thousand lines of an execution, the lines of each task, attempt and level, so
that a window deep inside a filtered log is found without reading what comes before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from data.database import Database
from data.tables import log_chunk, log_line, log_position, log_run, log_source
from data.texts import without_nul
from data.times import to_us
from data.upserts import alone, insert, run_many, upsert
from streaming import keys
from streaming.messages import LEVELS, LogBatch, LogEntry, LogLine

CHUNK = 1_000
RANK = {level: rank for rank, level in enumerate(LEVELS)}
NO_TASK_RUN = ""
_counts = msgspec.msgpack.Decoder(dict[str, list[int]])


class _Run(msgspec.Struct):
    """An execution's log: its key and how many lines it has."""

    key: int
    lines: int
    added: list[tuple[str, int]] = []  # (chunk key, level rank) of each new line


class _Source(msgspec.Struct):
    """One attempt's log, with its counts by level."""

    key: int
    first_seq: int
    last_seq: int
    counts: list[int]


_SEQ = "seq"  # in ``log_position``: the newest ``seq`` that lines which are gone had


def newest_seq(connection: sa.Connection) -> int:
    """The highest ``seq`` ever given out, 0 when none was: it never comes twice, though lines may go."""
    kept = connection.scalar(sa.select(log_position.c.position).where(log_position.c.stream == _SEQ))
    return max(connection.scalar(sa.select(sa.func.max(log_line.c.seq))) or 0, int(kept or 0))


def keep_seq(connection: sa.Connection, dialect: str) -> None:
    """Lines are about to be removed: note the newest ``seq``."""
    row = {"stream": _SEQ, "position": str(newest_seq(connection))}
    connection.execute(upsert(dialect, log_position), row)


class LogAppends(Database):
    """The writer's side. One process writes: it alone gives out ``seq``, ``line`` and keys."""

    def last_log_seq(self) -> int:
        """``seq`` of the newest line there ever was, 0 when there was none."""
        with self._read_logs() as connection:
            return newest_seq(connection)

    def append_logs(self, position: str, batches: Sequence[LogBatch]) -> list[LogEntry]:
        """Store lines and the position of ``wf:logs`` after them; the lines that were new, with their ``seq``.

        A line whose (execution, task run, attempt, number) is there already is dropped.
        """
        with self._write_logs() as connection:
            alone(connection, log_position)
            entries = _Appender(connection).append(batches)
            row = {"stream": keys.LOGS, "position": position}
            connection.execute(upsert(self.dialect, log_position), row)
        return entries


class _Appender:
    """One transaction's appending."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name
        self._seq = newest_seq(connection)
        self._runs: dict[str, _Run] = {}
        self._sources: dict[tuple[str, str, int], _Source] = {}
        self._rows: list[dict[str, Any]] = []
        self._entries: list[LogEntry] = []

    def append(self, batches: Sequence[LogBatch]) -> list[LogEntry]:
        """Write all lines that are new."""
        given: dict[tuple[str, str, int], list[LogBatch]] = {}
        for batch in batches:
            given.setdefault(_key(batch), []).append(batch)
        known = {key: self._numbers(key, some) for key, some in given.items()}
        for batch in batches:
            self._append(batch, known[_key(batch)])
        if self._rows:
            self._write()
        return self._entries

    def _numbers(self, key: tuple[str, str, int], batches: Sequence[LogBatch]) -> set[int]:
        """Numbers of this attempt's lines that are stored already, among those that came."""
        source = self._source(key, batches[0])
        if sum(source.counts) == 0:
            return set()
        numbers = [line.number for batch in batches for line in batch.lines]
        if not numbers:
            return set()
        between = log_line.c.number.between(min(numbers), max(numbers))
        query = sa.select(log_line.c.number).where(log_line.c.source == source.key, between)
        return set(self._connection.scalars(query))

    def _append(self, batch: LogBatch, known: set[int]) -> None:
        run = self._run(batch.execution_id)
        source = self._sources[_key(batch)]
        for line in batch.lines:
            if line.number in known:
                continue
            known.add(line.number)
            self._seq += 1
            self._add(batch, run, source, line)

    def _add(self, batch: LogBatch, run: _Run, source: _Source, line: LogLine) -> None:
        rank, message = RANK[line.level], without_nul(line.message)
        source.first_seq = source.first_seq or self._seq
        source.last_seq = self._seq
        source.counts[rank] += 1
        place = run.lines + len(run.added)
        run.added.append((chunk_key(batch.attempt, batch.task_id), rank))
        self._rows.append(
            {
                "seq": self._seq,
                "run": run.key,
                "line": place,
                "source": source.key,
                "number": line.number,
                "level": rank,
                "date": to_us(line.date),
                "message": message,
            }
        )
        self._entries.append(_entry(self._seq, batch, line, message))

    # -- runs and sources, made where they are missing

    def _run(self, execution_id: str) -> _Run:
        run = self._runs.get(execution_id)
        if run is None:
            row = self._connection.execute(sa.select(log_run).where(log_run.c.execution_id == execution_id)).first()
            key = row.key if row else self._insert(log_run, {"execution_id": execution_id, "lines": 0})
            run = self._runs[execution_id] = _Run(key, row.lines if row else 0, [])
        return run

    def _source(self, key: tuple[str, str, int], batch: LogBatch) -> _Source:
        execution_id, task_run_id, attempt = key
        run = self._run(execution_id)
        c = log_source.c
        where = (c.run == run.key, c.task_run_id == task_run_id, c.attempt == attempt)
        row = self._connection.execute(sa.select(log_source).where(*where)).first()
        if row is None:
            made = self._insert(log_source, _source_values(run.key, key, batch))
            source = _Source(made, 0, 0, [0] * len(LEVELS))
        else:
            source = _Source(row.key, row.first_seq, row.last_seq, [row.n0, row.n1, row.n2, row.n3, row.n4])
        self._sources[key] = source
        return source

    def _insert(self, table: sa.Table, values: dict[str, Any]) -> int:
        return self._connection.execute(sa.insert(table), values).inserted_primary_key[0]

    # -- writing

    def _write(self) -> None:
        run_many(self._connection, insert(log_line), self._rows)
        sources = [_source_changes(source) for source in self._sources.values()]
        run_many(self._connection, _source_update, sources)
        for run in self._runs.values():
            if run.added:
                self._write_run(run)

    def _write_run(self, run: _Run) -> None:
        first = run.lines // CHUNK
        last = (run.lines + len(run.added) - 1) // CHUNK
        query = sa.select(log_chunk.c.counts).where(log_chunk.c.run == run.key, log_chunk.c.chunk == first)
        stored = self._connection.scalar(query)
        chunks: list[dict[str, list[int]]] = [_counts.decode(stored) if stored else {}]
        chunks += [{} for _ in range(last - first)]
        for place, (key, rank) in enumerate(run.added, run.lines):
            chunks[place // CHUNK - first].setdefault(key, [0] * len(LEVELS))[rank] += 1
        rows = [
            {"run": run.key, "chunk": number, "counts": msgspec.msgpack.encode(counts)}
            for number, counts in enumerate(chunks, first)
        ]
        self._connection.execute(upsert(self._dialect, log_chunk), rows)
        lines = run.lines + len(run.added)
        self._connection.execute(sa.update(log_run).where(log_run.c.key == run.key).values(lines=lines))


_source_update = (
    sa.update(log_source)
    .where(log_source.c.key == sa.bindparam("of"))
    .values(
        first_seq=sa.bindparam("first"),
        last_seq=sa.bindparam("last"),
        **{f"n{rank}": sa.bindparam(f"c{rank}") for rank in range(len(LEVELS))},
    )
)


def _source_changes(source: _Source) -> dict[str, int]:
    counts = {f"c{rank}": n for rank, n in enumerate(source.counts)}
    return {"of": source.key, "first": source.first_seq, "last": source.last_seq, **counts}


def _source_values(run: int, key: tuple[str, str, int], batch: LogBatch) -> dict[str, Any]:
    _, task_run_id, attempt = key
    return {
        "run": run,
        "task_run_id": task_run_id,
        "attempt": attempt,
        "task_id": batch.task_id or "",
        "namespace": batch.namespace,
        "flow_id": batch.flow_id,
        "first_seq": 0,
        "last_seq": 0,
        **{f"n{rank}": 0 for rank in range(len(LEVELS))},
    }


def chunk_key(attempt: int, task_id: str | None) -> str:
    """Under what ``log_chunk`` counts lines."""
    return f"{attempt}:{task_id or ''}"


def _key(batch: LogBatch) -> tuple[str, str, int]:
    return batch.execution_id, batch.task_run_id or NO_TASK_RUN, batch.attempt


def _entry(seq: int, batch: LogBatch, line: LogLine, message: str) -> LogEntry:
    return LogEntry(
        seq=seq,
        execution_id=batch.execution_id,
        namespace=batch.namespace,
        flow_id=batch.flow_id,
        task_id=batch.task_id,
        task_run_id=batch.task_run_id,
        attempt=batch.attempt,
        number=line.number,
        date=line.date,
        level=line.level,
        message=message,
    )
