"""Places in a log to jump to: groups of lines, a line by its number, lines of a level."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data.log_append import RANK
from data.log_select import Segment, Selection
from data.logs import HITS_CAP, Logs, _first_after, _places
from data.records import LogGroup, LogHits, LogQuery
from data.tables import log_line, log_source
from engine.model import evolve
from streaming.messages import LEVELS, Level


class LogMarks(Logs):
    """What a page needs to find its way in a long log without reading it."""

    def log_groups(self, query: LogQuery) -> list[LogGroup]:
        """How many lines each task run has, in the order of ``log_window`` by task."""
        with self._read_logs() as connection:
            found = connection.execute(_sources(connection, query)).all()
        groups: dict[str, LogGroup] = {}
        for run, task, last_seq, *by_level in found:
            known = groups.get(run) or LogGroup(run or None, task or None, 0, 0, 0)
            groups[run] = evolve(
                known,
                total=known.total + sum(by_level[RANK[query.min_level] : RANK[query.max_level] + 1]),
                errors=known.errors + by_level[RANK["ERROR"]],
                last_seq=max(known.last_seq, last_seq),
            )
        return [group for group in groups.values() if group.total]

    def log_place(self, query: LogQuery, seq: int) -> int | None:
        """Where the line ``seq`` is in ``log_window``, ``q`` left out; ``None``: it is not there."""
        with self._read_logs() as connection:
            selection = Selection(connection, query)
            line = connection.execute(sa.select(log_line).where(*selection.clauses(), log_line.c.seq == seq)).first()
            if line is None:
                return None
            if selection.by_segment:
                return _place_by_segment(connection, selection, line)
            if selection.everything:
                return _first_after(connection, selection, seq - 1)
            before = sa.select(sa.func.count()).where(*selection.clauses(), log_line.c.line < line.line)
            return connection.scalar(before)

    def log_level_hits(self, query: LogQuery, level: Level, limit: int = HITS_CAP) -> LogHits:
        """Which of the lines that ``log_window(query)`` pages through are of ``level`` or worse; ``q`` left out."""
        query = evolve(query, q=None)
        worse = max(level, query.min_level, key=LEVELS.index)
        found = self.log_window(evolve(query, min_level=worse), 0, limit)
        with self._read_logs() as connection:
            places = _places(connection, Selection(connection, query), [entry.seq for entry in found.entries])
        return LogHits(found.total, places)


def _sources(connection: sa.Connection, query: LogQuery) -> sa.Select[Any]:
    c = log_source.c
    given = ((c.task_id, query.task_id), (c.task_run_id, query.task_run_id), (c.attempt, query.attempt))
    wanted = [column == value for column, value in given if value is not None]
    counts = [c[f"n{rank}"] for rank in range(len(LEVELS))]
    columns = (c.task_run_id, c.task_id, c.last_seq, *counts)
    run = Selection(connection, query).run
    return sa.select(*columns).where(c.run == run, *wanted).order_by(c.first_seq)


def _place_by_segment(connection: sa.Connection, selection: Selection, line: Any) -> int:
    passed = 0
    for segment in selection.segments():
        if line.source in segment.sources:
            return passed + _lines_before(connection, selection, segment, line)
        passed += segment.n
    raise LookupError(f"line {line.seq} belongs to no attempt that is known")


def _lines_before(connection: sa.Connection, selection: Selection, segment: Segment, line: Any) -> int:
    c = log_line.c
    alone = len(segment.sources) == 1
    earlier = c.number < line.number if alone else c.seq < line.seq
    query = sa.select(sa.func.count()).where(c.source.in_(segment.sources), *selection.levels(), earlier)
    return connection.scalar(query) or 0
