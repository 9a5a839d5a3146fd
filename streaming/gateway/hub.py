"""The hub: views, their subscribers, and when each gets its next frame. Neither sockets nor Redis in here."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from functools import partial
from threading import RLock
from typing import Any

import msgspec

from streaming.gateway.answers import Answers
from streaming.gateway.listviews import ExecutionsView, ListView, StatsView
from streaming.gateway.logview import LogsView
from streaming.gateway.operationviews import OperationsView
from streaming.gateway.reads import Reads
from streaming.gateway.subscribers import Send, Subscriber
from streaming.gateway.topics import (
    ExecutionsTopic,
    ExecutionTopic,
    LogsTopic,
    OperationsTopic,
    OperationTopic,
    RowsTopic,
    Topic,
    TopicError,
)
from streaming.gateway.views import ExecutionView, RowsView, View
from streaming.messages import Deltas, LogsCommitted
from streaming.metrics.buckets import Buckets

VIEWS_MAX = 1_000  # distinct topics at once; more are refused
LINGER_SECONDS = 30.0  # an unwatched view stays this long, for a browser that comes back


class Limits(msgspec.Struct, frozen=True):
    """What bounds the hub; see the settings of the same names."""

    frame_interval: float = 0.05
    frame_max_items: int = 2_000
    subscriber_buffer_items: int = 5_000


def _now() -> datetime:
    return datetime.now(UTC)


class Hub:
    """All views of one web process. Every method may be called from any thread or greenlet."""

    def __init__(
        self,
        reads: Reads,
        limits: Limits,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _now,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.lock = RLock()
        self.reads = reads
        self.limits = limits
        self.clock = clock
        self.now = now
        self.wake = wake
        self.answers = Answers()
        self.cursor: str | None = None
        self.log_seq = 0
        self.left_out = 0
        self.views: dict[Topic, View] = {}
        self.subscribers: dict[View, set[Subscriber]] = {}
        self.lagging: list[Subscriber] = []
        self._frame_bytes = Buckets(())
        self._flush_seconds = Buckets(())
        self._lists: list[ListView] = []
        self._followed: dict[str, list[ExecutionView | RowsView]] = {}
        self._logs: dict[str, list[LogsView]] = {}
        self._operations: list[OperationsView] = []
        self._due: set[View] = set()

    def count(self, frame_bytes: Buckets, flush_seconds: Buckets) -> None:
        """Where to count the frames that are sent, and the time it takes."""
        self._frame_bytes, self._flush_seconds = frame_bytes, flush_seconds

    # -- what changes

    def deltas(self, cursor: str, deltas: Deltas) -> None:
        """A commit changed executions."""
        now = self.now()
        with self.lock:
            self.cursor = cursor
            for view in self._lists:
                view.take(deltas, cursor, now)
                self.touch(view)
            for row in deltas.removed:
                for one in self._followed.get(row.id, ()):
                    one.gone(row, cursor)
                    self.touch(one)
            for delta in deltas.items:
                for one in self._followed.get(delta.row.id, ()):
                    one.take(delta, cursor)
                    self.touch(one)
        self.answers.take(deltas.items, deltas.absent)
        if deltas.operations:
            self.operations_moved(deltas.operations)
        if deltas.answers:
            self.answers.take_triggers(deltas.answers)

    def operations_moved(self, operations: Collection[str] = ()) -> None:
        """Bulk operations moved; none named: perhaps all."""
        with self.lock:
            for view in self._operations:
                view.moved(operations)

    def logs(self, committed: LogsCommitted) -> None:
        """Log lines were stored."""
        with self.lock:
            if committed.after_seq > self.log_seq:
                self.logs_missed()
            self.log_seq = committed.entries[-1].seq if committed.entries else committed.after_seq
            ids = {entry.execution_id for entry in committed.entries}
            self.answers.lines(ids)
            for execution_id in ids & self._logs.keys():
                for view in self._logs[execution_id]:
                    view.take(committed.entries)
                    self.touch(view)

    def missed(self, cursor: str) -> None:
        """Commits up to ``cursor`` were missed and can't be had: start every view from the store again."""
        with self.lock:
            self.cursor = cursor
            for view in self._lists:
                view.missed()
            self.operations_moved()
            for one in {one for views in self._followed.values() for one in views}:
                one.missed()
                self.touch(one)

    def logs_missed(self) -> None:
        """Log lines may have been missed: read them from the store."""
        with self.lock:
            for view in self._all_logs():
                view.missed()

    def _all_logs(self) -> Iterable[LogsView]:
        return [view for views in self._logs.values() for view in views]

    # -- who looks

    def view(self, topic: Topic) -> View:
        """The view of ``topic``, made when there is none; raises TopicError."""
        with self.lock:
            view = self.views.get(topic)
            if view is None:
                self.reap(LINGER_SECONDS if len(self.views) < VIEWS_MAX else 0.0)
                if len(self.views) >= VIEWS_MAX:
                    raise TopicError(f"expected at most {VIEWS_MAX} different views at once; close some pages")
                view = self.views[topic] = self._make(topic)
                self.subscribers[view] = set()
            view.left_at = self.clock()
            return view

    def _make(self, topic: Topic) -> View:
        cap = self.limits.subscriber_buffer_items
        match topic:
            case ExecutionsTopic():
                view: View = ExecutionsView(topic, self.reads.matcher(topic.filters, topic.within))
            case ExecutionTopic():
                view = ExecutionView(topic, cap)
            case RowsTopic():
                view = RowsView(topic, cap)
            case LogsTopic():
                view = LogsView(topic, cap)
            case OperationTopic() | OperationsTopic():
                view = OperationsView(topic)
            case _:
                view = StatsView(topic, self.reads.matcher("", topic.within), self.clock)
        for where, key in self._places(view):
            where.setdefault(key, []).append(view)
        if isinstance(view, ListView):
            self._lists.append(view)
        if isinstance(view, OperationsView):
            self._operations.append(view)
        return view

    def _places(self, view: View) -> list[tuple[dict[str, list[Any]], str]]:
        """Where changes find the view: (index, key)."""
        if isinstance(view, LogsView):
            return [(self._logs, view.topic.execution_id)]
        if isinstance(view, (ExecutionView, RowsView)):
            return [(self._followed, execution_id) for execution_id in view.execution_ids]
        return []

    def join(self, view: View, position: Any, send: Send) -> Subscriber:
        """A new subscriber that has seen everything up to ``position``."""
        with self.lock:
            if self.views.get(view.topic) is not view:
                raise TopicError("expected fewer views at once: this one was given up; subscribe again")
            subscriber = Subscriber(view, position, send)
            self.subscribers.setdefault(view, set()).add(subscriber)
            view.left_at = None
            view.settle()
            if position != view.head:
                self.touch(view)
            return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """It looks no more. Its view stays a while."""
        with self.lock:
            subscriber.closed = True
            rest = self.subscribers.get(subscriber.view, set())
            rest.discard(subscriber)
            if not rest:
                subscriber.view.left_at = self.clock()

    def reap(self, linger: float = LINGER_SECONDS) -> None:
        """Forget the views that nobody has looked at for ``linger`` seconds."""
        with self.lock:
            until = self.clock() - linger
            for topic, view in list(self.views.items()):
                if view.left_at is not None and view.left_at <= until and not self.subscribers.get(view):
                    self._forget(topic, view)

    def _forget(self, topic: Topic, view: View) -> None:
        del self.views[topic]
        self.subscribers.pop(view, None)
        self._due.discard(view)
        if isinstance(view, ListView):
            self._lists.remove(view)
        if isinstance(view, OperationsView):
            self._operations.remove(view)
        for where, key in self._places(view):
            where[key].remove(view)
            if not where[key]:
                del where[key]

    # -- who gets what, when

    def touch(self, view: View) -> None:
        """Something changed: at once when the last flush is long enough ago, else as soon as it is."""
        if view.flush_at is None and self.subscribers.get(view):
            view.flush_at = max(self.clock(), view.flushed_at + self.limits.frame_interval)
            self._due.add(view)

    def next_flush(self) -> float | None:
        """Seconds until ``flush`` has something to do; ``None``: not before something changes."""
        with self.lock:
            due = min((view.flush_at for view in self._due if view.flush_at is not None), default=None)
        return None if due is None else max(0.0, due - self.clock())

    def flush(self) -> None:
        """Give what is due to whoever waits for nothing else."""
        with self.lock:
            at = self.clock()
            due = [view for view in self._due if view.flush_at is not None and view.flush_at <= at]
            for view in due:
                self._due.discard(view)
                view.flush_at, view.flushed_at = None, at
                view.settle()
                for subscriber in list(self.subscribers.get(view, ())):
                    self._serve(subscriber)
            if due:
                self._flush_seconds.observe(self.clock() - at)

    def _serve(self, subscriber: Subscriber) -> None:
        view = subscriber.view
        if subscriber.waiting or subscriber.position == view.head:
            return
        if view.lost(subscriber.position):
            if subscriber not in self.lagging:
                self.lagging.append(subscriber)
            return
        frame, after, left_out = view.encoded(subscriber.position, self.limits.frame_max_items, self.now())
        self.left_out += left_out
        self.give(subscriber, frame, after)

    def give(self, subscriber: Subscriber, frame: str, after: Any) -> None:
        """Send one frame; the next one only after its acknowledgement."""
        with self.lock:
            subscriber.waiting = True
            subscriber.position = after
            self._frame_bytes.observe(len(frame))
            subscriber.send(frame, partial(self._acked, subscriber))

    def _acked(self, subscriber: Subscriber) -> None:
        with self.lock:
            subscriber.waiting = False
            view = subscriber.view
            if subscriber.closed or subscriber.position == view.head or view.flush_at is not None:
                return  # nothing more is due than was
            self.touch(view)
        self.wake()
