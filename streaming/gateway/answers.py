"""Answers to actions, as they arrive among the deltas."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Condition, Event
from typing import Any, TypeVar

from streaming.messages import Answer, ExecutionDelta, ExecutionRow, TriggerAnswer

T = TypeVar("T")

KEPT = 2_000  # answers and first rows remembered for whoever asks late; the oldest are forgotten
FOLLOW_MAX = 1_000  # deltas waiting for one follower; when full it is told by ``Behind``
_NOBODY: frozenset[Follower] = frozenset()


class Behind(RuntimeError):
    """A follower was too slow: deltas were left out, so take a snapshot and follow again."""


class Answers:
    """Lets threads and greenlets wait for an answer, for an execution to appear, or follow executions."""

    def __init__(self) -> None:
        self._news = Condition()
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._trigger_answers: OrderedDict[str, TriggerAnswer] = OrderedDict()
        self._rows: OrderedDict[str, ExecutionRow] = OrderedDict()
        self._followers: dict[str | None, set[Follower]] = {}  # by the execution that they follow
        self._of_below: dict[str | None, set[Follower]] = {}  # by the one whose children they follow
        self._listeners: dict[str, list[Event]] = {}

    def take(self, deltas: Iterable[ExecutionDelta], absent: Iterable[Answer] = ()) -> None:
        """Remember what ``deltas`` answer, and what was said of executions that are ``absent``; tell who waits."""
        with self._news:
            for answer in absent:
                _remember(self._answers, answer.event_id, answer)
            for delta in deltas:
                _remember(self._rows, delta.row.id, delta.row)
                for answer in delta.answers:
                    _remember(self._answers, answer.event_id, answer)
                for follower in self._following(delta.row):
                    follower.put(delta)
            self._news.notify_all()

    def take_triggers(self, answers: Iterable[TriggerAnswer]) -> None:
        """Remember what triggers answered and tell who waits."""
        with self._news:
            for answer in answers:
                _remember(self._trigger_answers, answer.event_id, answer)
            self._news.notify_all()

    def lines(self, execution_ids: Iterable[str]) -> None:
        """Log lines of these executions were stored: tell who waits for them."""
        with self._news:
            for execution_id in execution_ids:
                for woken in self._listeners.get(execution_id, ()):
                    woken.set()

    @contextmanager
    def listen(self, execution_id: str) -> Iterator[Event]:
        """An event that is set whenever log lines of the execution were stored, until the end of the block."""
        woken = Event()
        with self._news:
            self._listeners.setdefault(execution_id, []).append(woken)
        try:
            yield woken
        finally:
            with self._news:
                self._listeners[execution_id].remove(woken)
                if not self._listeners[execution_id]:
                    del self._listeners[execution_id]

    def wait(self, event_id: str, timeout: float) -> Answer | None:
        """The answer to the event; ``None`` after ``timeout`` seconds without one."""
        return self._wait(lambda: self._answers.get(event_id), timeout)

    def wait_trigger(self, event_id: str, timeout: float) -> TriggerAnswer | None:
        """The answer to a request to a trigger; ``None`` after ``timeout`` seconds without one."""
        return self._wait(lambda: self._trigger_answers.get(event_id), timeout)

    def wait_row(
        self, execution_id: str, timeout: float, until: Callable[[ExecutionRow], bool] = lambda row: True
    ) -> ExecutionRow | None:
        """A row of the execution, committed of late, that satisfies ``until``; ``None`` after ``timeout`` seconds."""

        def found() -> ExecutionRow | None:
            row = self._rows.get(execution_id)
            return row if row is not None and until(row) else None

        return self._wait(found, timeout)

    def _wait(self, found: Callable[[], T | None], timeout: float) -> T | None:
        deadline = time.monotonic() + timeout
        with self._news:
            while (answer := found()) is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._news.wait(left)
            return answer

    @contextmanager
    def follow(self, *ids: str) -> Iterator[Follower]:
        """Every delta of these executions from now on, until the end of the block."""
        follower = Follower()
        self.widen(follower, ids)
        try:
            yield follower
        finally:
            with self._news:
                for index, keys in ((self._followers, follower.ids), (self._of_below, follower.below)):
                    _take_out(index, keys, follower)

    def widen(self, follower: Follower, ids: Iterable[str], *, below: bool = False) -> None:
        """From now on every delta of these executions too, and ``below``: of those that they make or trigger."""
        with self._news:
            for execution_id in ids:
                follower.ids.add(execution_id)
                self._followers.setdefault(execution_id, set()).add(follower)
                if below:
                    follower.below.add(execution_id)
                    self._of_below.setdefault(execution_id, set()).add(follower)

    def _following(self, row: ExecutionRow) -> Collection[Follower]:
        own = self._followers.get(row.id, _NOBODY)
        if not self._of_below:
            return own
        above = (self._of_below.get(one, _NOBODY) for one in (row.parent_id, row.triggered_by))
        return own.union(*above)


def _take_out(index: dict[str | None, set[Follower]], keys: Iterable[str], follower: Follower) -> None:
    for key in keys:
        index[key].discard(follower)
        if not index[key]:
            del index[key]


class Follower:
    """The deltas of the executions ``ids``, and of those that the ones ``below`` make or trigger, in order."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.below: set[str] = set()
        self._queue: Queue[ExecutionDelta] = Queue(FOLLOW_MAX)
        self._behind = False

    def put(self, delta: ExecutionDelta) -> None:
        """Hand over a delta."""
        try:
            self._queue.put_nowait(delta)
        except Full:
            self._behind = True

    def get(self, timeout: float) -> ExecutionDelta | None:
        """The next delta; ``None`` after ``timeout`` seconds without one. Raises Behind, at once, when some were left
        out."""
        try:
            return self._queue.get(timeout=0 if self._behind else timeout)
        except Empty:
            if self._behind:
                self._behind = False
                raise Behind("expected a reader faster than 1,000 changes; take a snapshot and go on") from None
            return None


def _remember(held: OrderedDict[str, Any], key: str, value: Any) -> None:
    held[key] = value
    held.move_to_end(key)
    if len(held) > KEPT:
        held.popitem(last=False)
