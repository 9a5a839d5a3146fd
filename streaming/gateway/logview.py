"""The tail of one execution's log, filtered."""

from __future__ import annotations

from typing import Any

from streaming.gateway.conflation import Lines
from streaming.gateway.items import Item, LinesItem, SkippedItem
from streaming.gateway.reads import Reads, Tail
from streaming.gateway.topics import LogsTopic
from streaming.gateway.views import Position, View
from streaming.messages import LogEntry

_READ_AT_ONCE = 2_000


class LogsView(View):
    """Lines of one execution that match. A position is (how many lines were seen, ``seq`` of the last one).

    After a gap the missing lines are read from the store, ``cap`` of them at the most: of a longer one the rest is
    skipped, and said so.
    """

    topic: LogsTopic

    def __init__(self, topic: LogsTopic, cap: int) -> None:
        super().__init__(topic)
        self._cap = cap
        self._lines: Lines[LogEntry] = Lines(cap)
        self._meanwhile: list[LogEntry] | None = None
        self._overflowed = False
        self._last_seq = 0
        self.total = 0
        self._stale = False
        self._filled = 0

    @property
    def head(self) -> Position:
        return self._lines.head, self._last_seq

    def take(self, entries: tuple[LogEntry, ...]) -> None:
        """Lines were stored."""
        fresh = [entry for entry in entries if entry.seq > self._last_seq and self.topic.matches(entry)]
        if self._meanwhile is not None:
            self._keep(fresh)
        elif self.ready and fresh and not self._stale:  # after a gap all come from the store
            self._append(fresh)

    def _keep(self, entries: list[LogEntry]) -> None:
        assert self._meanwhile is not None
        self._overflowed = self._overflowed or len(self._meanwhile) + len(entries) > self._cap
        if not self._overflowed:
            self._meanwhile.extend(entries)

    def _append(self, entries: list[LogEntry]) -> None:
        self._lines.extend(entries)
        self._last_seq = entries[-1].seq
        self.cursor = str(self._last_seq)
        self.source_at = entries[-1].date
        self.total += len(entries)

    @property
    def stale(self) -> bool:
        return self._stale

    def missed(self) -> None:
        self._stale = True

    def begin(self) -> None:
        self._meanwhile, self._overflowed = [], False

    def read(self, reads: Reads) -> Tail | list[LogEntry]:
        if not self.ready or self._filled >= self._cap:
            return reads.tail(self.topic)
        return reads.lines_after(self.topic, self._last_seq, _READ_AT_ONCE)

    def finish(self, data: Tail | list[LogEntry]) -> bool:
        meanwhile, self._meanwhile = self._meanwhile or [], None
        if isinstance(data, Tail):
            self._jump(data)
        elif data:
            self._append(data)
            self._filled += len(data)
        more = self._overflowed or (not isinstance(data, Tail) and len(data) == _READ_AT_ONCE)
        self._stale = more
        if not more:
            self._filled = 0
            self.take(tuple(meanwhile))
        return True

    def _jump(self, tail: Tail) -> None:
        """Stand at the newest line."""
        if self.ready:
            self._lines.skip(max(0, tail.total - self.total))
        self._last_seq, self.total, self.ready = tail.last_seq, tail.total, True
        self.cursor, self._filled = str(self._last_seq), 0

    def since(self, position: Position, limit: int) -> tuple[tuple[Item, ...], Position, int]:
        assert isinstance(position, tuple)
        seen, last_seq = position
        missed, entries = self._lines.since(seen, limit)
        items: list[Item] = []
        if missed:
            last_missed = entries[0].seq - 1 if entries else self._last_seq
            items.append(SkippedItem(missed, last_seq + 1, last_missed))
        items.append(LinesItem(tuple(entries), self.total))
        return tuple(items), self.head, missed

    def lost(self, position: Position) -> bool:
        return not isinstance(position, tuple) or position[0] > self._lines.head

    def snapshot(self, data: Any = None) -> Any:
        return {"total": self.total, "last_seq": self._last_seq}
