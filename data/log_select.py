"""Which lines of an execution, and how many come before which: the arithmetic of log windows.

Lines in order of arrival have dense numbers (``line``); counts by thousands of lines say where the n-th one that
matches is. Lines of one attempt are a *segment*, read along the index of its line numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import msgspec
import sqlalchemy as sa

from data.log_append import CHUNK, RANK
from data.records import LogQuery
from data.tables import log_chunk, log_line, log_run, log_source
from data.times import from_us
from streaming.messages import LEVELS, LogEntry

_GAP = 2 * CHUNK
_counts = msgspec.msgpack.Decoder(dict[str, list[int]])
_LEVEL_COUNTS = [log_source.c[f"n{rank}"] for rank in range(len(LEVELS))]


class Segment(msgspec.Struct, frozen=True):
    """Attempts read together: one, or several whose lines came mixed."""

    sources: tuple[int, ...]
    n: int


class _Source(msgspec.Struct, frozen=True):
    key: int
    task_run_id: str
    first_seq: int
    last_seq: int
    n: int


class Selection:
    """The lines that a query asks for, ``q`` left out, within one transaction."""

    def __init__(self, connection: sa.Connection, query: LogQuery) -> None:
        self.query = query
        self.rank, self.worst = RANK[query.min_level], RANK[query.max_level]
        self._connection = connection
        found = connection.execute(sa.select(log_run).where(log_run.c.execution_id == query.execution_id)).first()
        self.run: int | None = found.key if found else None
        self.lines: int = found.lines if found else 0
        self.by_segment = query.order == "task" or query.task_run_id is not None

    @property
    def everything(self) -> bool:
        """Whether it is simply all lines in order of arrival."""
        return not self.by_segment and not self.levels() and not self._wanted()

    def total(self) -> int:
        """How many lines there are."""
        if self.everything:
            return self.lines
        if self.by_segment:
            return sum(segment.n for segment in self.segments())
        return sum(n for _, n in self.chunks)

    def clauses(self) -> list[sa.ColumnElement[bool]]:
        """Conditions on ``log_line``."""
        clauses = [log_line.c.run == self.run, *self.levels()]
        if wanted := self._wanted():
            clauses.append(log_line.c.source.in_(sa.select(log_source.c.key).where(*wanted)))
        return clauses

    def levels(self) -> list[sa.ColumnElement[bool]]:
        """Conditions on the level of ``log_line``; none when every one is wanted."""
        least = [log_line.c.level >= self.rank] if self.rank else []
        return [*least, log_line.c.level <= self.worst] if self.worst < len(LEVELS) - 1 else least

    def _wanted(self) -> list[sa.ColumnElement[bool]]:
        query, c = self.query, log_source.c
        given = ((c.task_id, query.task_id), (c.task_run_id, query.task_run_id), (c.attempt, query.attempt))
        named = [column == value for column, value in given if value is not None]
        return [c.run == self.run, *named] if named else []

    # -- by segment

    def segments(self) -> list[Segment]:
        """Attempts in the query's order, with their counts; those without a line that matches are left out."""
        sources = self._sources()
        if self.query.order == "time":
            return _joined(sources)
        runs: dict[str, list[_Source]] = {}
        for source in sources:
            runs.setdefault(source.task_run_id, []).append(source)
        return [segment for some in runs.values() for segment in _joined(some)]

    def _sources(self) -> list[_Source]:
        if self.run is None:
            return []
        c = log_source.c
        n = sum(_LEVEL_COUNTS[self.rank : self.worst + 1], start=sa.literal(0))
        query = sa.select(c.key, c.task_run_id, c.first_seq, c.last_seq, n).where(c.run == self.run, *self._wanted())
        rows = self._connection.execute(query.order_by(c.first_seq)).all()
        return [_Source(*row) for row in rows]

    def of_segment(self, segment: Segment) -> sa.Select[Any]:
        """``seq`` of the lines of a segment, in order."""
        c = log_line.c
        query = sa.select(c.seq).where(c.source.in_(segment.sources), *self.levels())
        return query.order_by(c.number if len(segment.sources) == 1 else c.seq)

    def window(self, offset: int, limit: int) -> list[int]:
        """``seq`` of the lines of a window, in order."""
        parts = list(self._parts(offset, limit))
        whole = self._whole([segment for segment, start, n in parts if n == segment.n])
        found: list[int] = []
        for segment, start, n in parts:
            if n == segment.n:
                found += whole[segment]
            else:
                found += self._connection.scalars(self.of_segment(segment).limit(n).offset(start))
        return found

    def _whole(self, segments: Sequence[Segment]) -> dict[Segment, list[int]]:
        """Lines of segments that are all in the window, in one query: there may be hundreds."""
        c = log_line.c
        of = {source: segment for segment in segments for source in segment.sources}
        lines = sa.select(c.source, c.number, c.seq).where(c.source.in_(list(of)), *self.levels())
        found: dict[Segment, list[tuple[int, int]]] = {segment: [] for segment in segments}
        for source, number, seq in self._connection.execute(lines) if of else ():
            alone = len(of[source].sources) == 1
            found[of[source]].append((number if alone else seq, seq))
        return {segment: [seq for _, seq in sorted(some)] for segment, some in found.items()}

    def _parts(self, offset: int, limit: int) -> Iterator[tuple[Segment, int, int]]:
        """(segment, offset in it, how many) that make up a window."""
        for segment in self.segments():
            if limit <= 0:
                return
            if offset < segment.n:
                taken = min(limit, segment.n - offset)
                yield segment, offset, taken
                limit -= taken
                offset = 0
            else:
                offset -= segment.n

    # -- by thousands of lines

    @cached_property
    def chunks(self) -> list[tuple[int, int]]:
        """(number of the thousand, lines in it that match), those without one left out."""
        query = sa.select(log_chunk.c.chunk, log_chunk.c.counts).where(log_chunk.c.run == self.run)
        rows = self._connection.execute(query.order_by(log_chunk.c.chunk)).all()
        counted = [(number, self._matching(_counts.decode(counts))) for number, counts in rows]
        return [(number, n) for number, n in counted if n]

    def _matching(self, counts: dict[str, list[int]]) -> int:
        attempt, task = self.query.attempt, self.query.task_id
        total = 0
        for key, some in counts.items():
            its_attempt, _, its_task = key.partition(":")
            if task in (None, its_task) and (attempt is None or its_attempt == str(attempt)):
                total += sum(some[self.rank : self.worst + 1])
        return total

    def holding(self, offset: int, limit: int) -> tuple[list[int], int]:
        """The thousands that hold a window, and the window's offset within them."""
        passed, first, inside = 0, 0, []
        for number, n in self.chunks:
            if passed + n > offset and passed < offset + limit:
                first = first if inside else passed
                inside.append(number)
            passed += n
        return inside, offset - first


def _joined(sources: Sequence[_Source]) -> list[Segment]:
    """Sources in order of their first line; those that overlap in time are one segment."""
    groups: list[list[_Source]] = []
    end = -1
    for source in sources:
        if source.first_seq > end:
            groups.append([])
        groups[-1].append(source)
        end = max(end, source.last_seq)
    made = [Segment(tuple(s.key for s in some if s.n), sum(s.n for s in some)) for some in groups]
    return [segment for segment in made if segment.n]


def ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """(first line, line after the last) of runs of near thousands: small gaps cost less than another query."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        low, high = number * CHUNK, (number + 1) * CHUNK
        if found and low - found[-1][1] <= _GAP:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found


def contains(connection: sa.Connection, text: str | None) -> list[sa.ColumnElement[bool]]:
    """Lines whose message has ``text``, in any case of the letters A to Z."""
    if not text:
        return []
    escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    column = log_line.c.message
    # SQLite's LIKE doesn't mind the case of ASCII letters; in the collation of the column ILIKE minds that of others.
    like = column.like if connection.dialect.name == "sqlite" else column.ilike
    return [like(f"%{escaped}%", escape="/")]


def entry_of(execution_id: str, row: Any, source: Any) -> LogEntry:
    """Entry of a row of ``log_line`` and one of ``log_source``."""
    return LogEntry(
        row.seq,
        execution_id,
        source.namespace,
        source.flow_id,
        source.task_id or None,
        source.task_run_id or None,
        source.attempt,
        row.number,
        from_us(row.date),
        LEVELS[row.level],
        row.message,
    )
