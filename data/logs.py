"""Log lines: windows, tails, search and download. ``data.log_append`` writes them.

A window of a million lines is found by arithmetic on kept counts (``data.log_select``), without reading what comes
before. Only a text search reads all lines; what it found is kept, so that paging through it doesn't search again.
"""

from __future__ import annotations

import time
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from data.log_append import LogAppends
from data.log_select import Segment, Selection, contains, entry_of, ranges
from data.records import LogHits, LogQuery, LogTail, LogWindow
from data.tables import log_line, log_source
from engine.model import evolve
from streaming.messages import LogEntry

HITS_CAP = 1_000  # places given of the lines that have a text
_SLICE = 20_000  # lines searched at once, before other greenlets have a turn
_STEP = 2_000  # lines of a download read at once
_SEARCHES_KEPT = 8


class _Found(msgspec.Struct):
    """What a search found in the first ``lines`` lines, in the query's order."""

    lines: int
    seqs: array[int]


class Logs(LogAppends):
    """The read side of logs."""

    def __init__(self, database_url: str, **pool: Any) -> None:
        super().__init__(database_url, **pool)
        self._searches: OrderedDict[LogQuery, _Found] = OrderedDict()

    def log_window(self, query: LogQuery, offset: int = 0, limit: int = 200) -> LogWindow:
        """How many lines match, and ``limit`` of them from ``offset`` on."""
        with self._read_logs() as connection:
            selection = Selection(connection, query)
            if query.q:
                seqs: Sequence[int] = self._search(connection, selection)
                return LogWindow(len(seqs), _entries(connection, query, seqs[offset : offset + limit]))
            total = selection.total()
            return LogWindow(total, _entries(connection, query, _window(connection, selection, offset, limit)))

    def log_tail(self, query: LogQuery) -> LogTail:
        """How many lines match, and the ``seq`` of the newest of them."""
        last = evolve(query, order="time")
        total = self.log_window(last, 0, 0).total
        entries = self.log_window(last, total - 1, 1).entries if total else []
        return LogTail(total, entries[-1].seq if entries else 0)

    def logs_after(self, query: LogQuery | str, seq: int, limit: int = 1_000) -> list[LogEntry]:
        """The first ``limit`` lines after ``seq``, of an execution or of a query, in order of arrival."""
        query = LogQuery(query) if isinstance(query, str) else query
        with self._read_logs() as connection:
            selection = Selection(connection, query)
            first = _first_after(connection, selection, seq)
            if first >= selection.lines:
                return []
            after = _in_order(selection, first).where(*contains(connection, query.q)).limit(limit)
            return _entries(connection, query, list(connection.scalars(after)))

    def log_hits(self, query: LogQuery, needle: str, limit: int = HITS_CAP) -> LogHits:
        """Which of the lines that ``log_window(query)`` pages through contain ``needle``."""
        with self._read_logs() as connection:
            view = Selection(connection, query)
            hits = self._search(connection, Selection(connection, evolve(query, q=needle)))
            if query.q:
                shown: Sequence[int] = self._search(connection, view)
                wanted = set(hits)
                places = [place for place, seq in enumerate(shown) if seq in wanted]
                return LogHits(len(places), places[:limit])
            return LogHits(len(hits), _places(connection, view, hits[:limit]))

    def iter_logs(self, query: LogQuery) -> Iterator[LogEntry]:
        """All lines that match, in order; read as they are taken, each step a transaction of its own."""
        with self._read_logs() as connection:
            selection = Selection(connection, query)
            segments: list[Segment | None] = [*selection.segments()] if query.order == "task" else [None]
        for segment in segments:
            last = -1
            while True:
                with self._read_logs() as connection:
                    lines = _in_order(selection, 0) if segment is None else selection.of_segment(segment)
                    place = log_line.c.line if segment is None or len(segment.sources) > 1 else log_line.c.number
                    step = lines.with_only_columns(place.label("place"), log_line, maintain_column_froms=True)
                    wanted = step.where(place > last, *contains(connection, query.q)).limit(_STEP)
                    rows = connection.execute(wanted).all()
                    entries = _made(connection, query, rows)
                yield from entries
                if not rows:
                    break
                last = rows[-1].place

    # -- search

    def _search(self, connection: sa.Connection, selection: Selection) -> array[int]:
        """``seq`` of all lines that contain the query's text. What was searched before is not searched again."""
        query = selection.query
        known = self._searches.pop(query, None) or _Found(0, array("q"))
        if known.lines > selection.lines:  # some were removed
            known = _Found(0, array("q"))
        if known.lines < selection.lines:
            if query.order == "task":
                known = _Found(selection.lines, array("q", _search_by_task(connection, selection)))
            else:
                known.seqs.extend(_search_slices(connection, selection, known.lines))
                known.lines = selection.lines
        self._searches[query] = known
        while len(self._searches) > _SEARCHES_KEPT:
            self._searches.popitem(last=False)
        return known.seqs


def _search_slices(connection: sa.Connection, selection: Selection, first: int) -> Iterator[int]:
    for start in range(first, selection.lines, _SLICE):
        stop = min(start + _SLICE, selection.lines)
        between = (log_line.c.line >= start, log_line.c.line < stop)
        query = sa.select(log_line.c.seq).where(*selection.clauses(), *between)
        yield from connection.scalars(query.where(*contains(connection, selection.query.q)).order_by(log_line.c.line))
        time.sleep(0)  # under gevent: others may go on


def _search_by_task(connection: sa.Connection, selection: Selection) -> Iterator[int]:
    for segment in selection.segments():
        query = selection.of_segment(segment).where(*contains(connection, selection.query.q))
        yield from connection.scalars(query)
        time.sleep(0)


def _places(connection: sa.Connection, view: Selection, hits: Sequence[int]) -> list[int]:
    """Places of ``hits`` in the view's order."""
    if not hits:
        return []
    if view.everything:
        query = sa.select(log_line.c.line).where(log_line.c.seq.in_(list(hits)))
        return sorted(connection.scalars(query))
    wanted = set(hits)
    return [place for place, seq in enumerate(_all(connection, view)) if seq in wanted]


def _all(connection: sa.Connection, view: Selection) -> Iterator[int]:
    if view.by_segment:
        for segment in view.segments():
            yield from connection.scalars(view.of_segment(segment))
    else:
        yield from connection.scalars(_in_order(view, 0))


# -- windows


def _in_order(selection: Selection, first: int) -> sa.Select[Any]:
    """``seq`` of the lines from line ``first`` on, in order of arrival."""
    c = log_line.c
    return sa.select(c.seq).where(*selection.clauses(), c.line >= first).order_by(c.line)


def _window(connection: sa.Connection, selection: Selection, offset: int, limit: int) -> list[int]:
    if selection.run is None or limit <= 0:
        return []
    if selection.everything:
        return list(connection.scalars(_in_order(selection, offset).where(log_line.c.line < offset + limit)))
    if selection.by_segment:
        return selection.window(offset, limit)
    return _of_chunks(connection, selection, offset, limit)


def _of_chunks(connection: sa.Connection, selection: Selection, offset: int, limit: int) -> list[int]:
    numbers, within = selection.holding(offset, limit)
    found: list[int] = []
    for low, high in ranges(numbers):
        wanted = within + limit - len(found)
        query = _in_order(selection, low).where(log_line.c.line < high).limit(wanted)
        found += connection.scalars(query)
    return found[within : within + limit]


def _first_after(connection: sa.Connection, selection: Selection, seq: int) -> int:
    """The first line that came after ``seq``, found by halving: ``seq`` rises with ``line``."""
    low, high = 0, selection.lines
    while low < high:
        middle = (low + high) // 2
        query = sa.select(log_line.c.seq).where(log_line.c.run == selection.run, log_line.c.line == middle)
        if (connection.scalar(query) or 0) <= seq:
            low = middle + 1
        else:
            high = middle
        if low == 0 and seq == 0:
            return 0
    return low


def _entries(connection: sa.Connection, query: LogQuery, seqs: Sequence[int]) -> list[LogEntry]:
    """The lines with these ``seq``, in their order."""
    if not len(seqs):
        return []
    rows = connection.execute(sa.select(log_line).where(log_line.c.seq.in_(list(seqs)))).all()
    made = {entry.seq: entry for entry in _made(connection, query, rows)}
    return [made[seq] for seq in seqs]


def _made(connection: sa.Connection, query: LogQuery, rows: Sequence[Any]) -> list[LogEntry]:
    """Entries of rows of ``log_line``."""
    wanted = sa.select(log_source).where(log_source.c.key.in_({row.source for row in rows}))
    sources = {source.key: source for source in connection.execute(wanted)}
    return [entry_of(query.execution_id, row, sources[row.source]) for row in rows]
