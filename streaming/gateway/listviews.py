"""Views over many executions: a page of the list, and the counts of all."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from streaming.gateway.conflation import Conflated
from streaming.gateway.items import Item, RowItem, StatsItem, WindowItem
from streaming.gateway.order import is_exact, sort_key
from streaming.gateway.reads import Matcher, Page, Reads
from streaming.gateway.topics import ExecutionsTopic, StatsTopic
from streaming.gateway.views import Position, View
from streaming.gateway.window import Window
from streaming.messages import Deltas, ExecutionDelta, ExecutionRow

_WHILE_READING_MAX = 5_000
_RATE_SECONDS = 10


def stream_id(text: str) -> tuple[int, int]:
    """A stream id that compares; the empty one is before all others."""
    milliseconds, _, number = text.partition("-")
    return int(milliseconds or 0), int(number or 0)


class _Changed(msgspec.Struct, frozen=True):
    cursor: str
    deltas: Deltas


class ListView(View):
    """Loads a ``Page`` and then follows every commit after it.

    The page says, for each stream of events, the position of the newest commit it shows, and each commit its own: so
    a commit that is in the page already is not counted again, and none in between is missed. Executors of different
    streams commit in any order, so each stream is compared with itself alone.
    """

    def __init__(self, topic: ExecutionsTopic | StatsTopic) -> None:
        super().__init__(topic)
        self._shown: dict[str, tuple[int, int]] = {}
        self._missed = False
        self._meanwhile: deque[_Changed] | None = None

    def take(self, deltas: Deltas, cursor: str, now: datetime) -> None:
        """A commit changed executions."""
        if self._meanwhile is not None:
            self._meanwhile.append(_Changed(cursor, deltas))
        if self.ready:
            self._follow(deltas, cursor, now)

    def _follow(self, deltas: Deltas, cursor: str, now: datetime) -> None:
        position = stream_id(deltas.position)
        shown = self._shown.get(deltas.stream, (0, 0))
        if deltas.position and position <= shown:
            return
        self._shown[deltas.stream] = max(shown, position)
        self.cursor = cursor
        for row in deltas.removed:
            self._gone(row, now)
        for delta in deltas.items:
            self._change(delta, now)

    @property
    def stale(self) -> bool:
        return self._missed

    def missed(self) -> None:
        self._missed = True

    def begin(self) -> None:
        self._meanwhile = deque(maxlen=_WHILE_READING_MAX)

    def finish(self, data: Page) -> bool:
        meanwhile, self._meanwhile = self._meanwhile or deque(), None
        if len(meanwhile) == _WHILE_READING_MAX:
            return False
        self._load(data)
        self._shown = {stream: stream_id(position) for stream, position in data.positions.items()}
        self.ready, self._missed = True, False
        for changed in meanwhile:
            self._follow(changed.deltas, changed.cursor, changed.deltas.committed_at)
        return True

    def _load(self, page: Page) -> None:
        raise NotImplementedError

    def _change(self, delta: ExecutionDelta, now: datetime) -> None:
        raise NotImplementedError

    def _gone(self, row: ExecutionRow, now: datetime) -> None:
        raise NotImplementedError


class ExecutionsView(ListView):
    """One page of the list: its rows, total and state counts."""

    topic: ExecutionsTopic

    def __init__(self, topic: ExecutionsTopic, matcher: Matcher) -> None:
        super().__init__(topic)
        self._matches = matcher
        self._window = Window(sort_key(topic.sort), topic.page, topic.size, exact=is_exact(topic.sort))
        self._changes: Conflated[Item] = Conflated(topic.size + 3)
        self._shown_ids: tuple[str, ...] = ()
        self._shown_counts: tuple[int, dict[str, int]] = (0, {})
        self._touched: set[str] = set()

    @property
    def head(self) -> Position:
        return self._changes.head

    @property
    def stale(self) -> bool:
        return self._missed or self._window.stale

    @property
    def drifts(self) -> bool:
        return "timeRange" in self.topic.filters

    def read(self, reads: Reads) -> Page:
        return reads.page(self.topic, self._window.wanted)

    def _load(self, page: Page) -> None:
        self._window.load(page.rows, page.total, page.counts)
        self._touched.update(row.id for row in page.rows)

    def _change(self, delta: ExecutionDelta, now: datetime) -> None:
        before, row = delta.before, delta.row
        matches = self._matches(row, now)
        was = before if before is not None and self._matches(before, now) else None
        if matches or was is not None:
            self._window.change(row, was, matches)
            self._touched.add(row.id)
            self.source_at = row.changed_at

    def _gone(self, row: ExecutionRow, now: datetime) -> None:
        if self._matches(row, now):
            self._window.remove(row)
            self._touched.discard(row.id)

    def settle(self) -> None:
        visible = self._window.visible
        ids = tuple(row.id for row in visible)
        before = set(self._shown_ids)
        for gone in before.difference(ids):  # first: room for what comes, so that no visible row is pushed out
            self._changes.drop(gone)
        for row in visible:
            if row.id in self._touched or row.id not in before:
                self._changes.put(row.id, RowItem(row))
        self._touched.clear()
        self._settle_window(ids)

    def _settle_window(self, ids: tuple[str, ...]) -> None:
        total, counts = self._window.total, {state: n for state, n in self._window.counts.items() if n}
        if ids != self._shown_ids:
            self._changes.drop("counts")
            self._changes.put("ids", WindowItem(total, counts, ids))
        elif (total, counts) != self._shown_counts:
            self._changes.put("counts", WindowItem(total, counts))
        self._shown_ids, self._shown_counts = ids, (total, counts)

    def since(self, position: Position, limit: int) -> tuple[tuple[Item, ...], Position, int]:
        assert isinstance(position, int)
        items, after = self._changes.since(position, max(limit, self.topic.size + 3))
        return tuple(items), after, 0

    def lost(self, position: Position) -> bool:
        return not isinstance(position, int) or position > self._changes.head

    def snapshot(self, data: Any = None) -> Any:
        self.settle()
        rows = self._window.visible
        total, counts = self._shown_counts
        return {"rows": rows, "ids": [row.id for row in rows], "total": total, "counts": counts}


class StatsView(ListView):
    """Counts of all executions by state, and how many events a second are applied."""

    topic: StatsTopic

    def __init__(self, topic: StatsTopic, matcher: Matcher, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(topic)
        self._matches = matcher
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._events: deque[tuple[float, int]] = deque()
        self._item = StatsItem(0, {}, 0.0)
        self._head = 0

    @property
    def head(self) -> Position:
        return self._head

    def read(self, reads: Reads) -> Page:
        return reads.page(ExecutionsTopic(size=1, within=self.topic.within), 1)

    def _load(self, page: Page) -> None:
        self._counts = Counter({str(state): count for state, count in page.counts.items()})

    def _change(self, delta: ExecutionDelta, now: datetime) -> None:
        before, row = delta.before, delta.row
        if not self._matches(row, now):  # an execution stays in its namespace
            return
        if before is not None:
            self._counts[before.state] -= 1
        self._counts[row.state] += 1
        self._events.append((self._clock(), row.version - (before.version if before is not None else 0)))

    def _gone(self, row: ExecutionRow, now: datetime) -> None:
        if self._matches(row, now):
            self._counts[row.state] -= 1

    def settle(self) -> None:
        since = self._clock() - _RATE_SECONDS
        while self._events and self._events[0][0] < since:
            self._events.popleft()
        counts = {state: n for state, n in self._counts.items() if n}
        rate = round(sum(n for _, n in self._events) / _RATE_SECONDS, 1)
        item = StatsItem(sum(counts.values()), counts, rate)
        if item != self._item:
            self._item = item
            self._head += 1

    def since(self, position: Position, limit: int) -> tuple[tuple[Item, ...], Position, int]:
        return (self._item,), self._head, 0

    def snapshot(self, data: Any = None) -> Any:
        self.settle()
        return {"total": self._item.total, "counts": self._item.counts, "rate": self._item.rate}
