"""Loads views from the store, outside the hub's lock: at first, when rows are missing, and for who fell behind."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any, TypeVar

import structlog

from streaming.gateway.hub import Hub
from streaming.gateway.reads import Unavailable
from streaming.gateway.subscribers import Subscriber
from streaming.gateway.topics import LogsTopic
from streaming.gateway.views import View
from streaming.messages import LogEntry

log = structlog.get_logger()

T = TypeVar("T")
Offload = Callable[[Callable[[], Any]], Any]

_DEBOUNCE = 0.15  # seconds at least between the wish for rows and the query
_DEBOUNCE_LOADS = 10  # and so many times as long as the last query took
_DEBOUNCE_MAX = 10.0
_DRIFT = 5.0  # seconds between queries of a page that changes by time alone
_DRIFT_LOADS = 20
_TRIES = 5
_LOOK_EVERY = 0.1


class Loader:
    """Asks the store in the name of views. ``offload`` runs a query where it blocks nobody."""

    def __init__(self, hub: Hub, offload: Offload) -> None:
        self._hub = hub
        self._offload = offload

    def read(self, view: View) -> Any:
        """What the view's snapshot needs from the store. Raises ``Unavailable``."""
        return self._offload(lambda: view.read(self._hub.reads))

    def lines_after(self, topic: LogsTopic, seq: int, limit: int) -> list[LogEntry]:
        """Log lines after ``seq``. Raises ``Unavailable``."""
        return self._offload(lambda: self._hub.reads.lines_after(topic, seq, limit))

    def prepare(self, view: View) -> None:
        """Make ``view`` ready to be looked at. Raises ``Unavailable``."""
        if not view.loads:
            return
        with view.loading:
            if not view.ready or (view.stale and not self._hub.subscribers.get(view)):
                self._load(view)

    def _load(self, view: View) -> None:
        hub = self._hub
        for _ in range(_TRIES):
            with hub.lock:
                view.begin()
            start = hub.clock()
            data = self.read(view)
            with hub.lock:
                view.loaded_at = hub.clock()
                view.load_seconds = view.loaded_at - start
                view.stale_at = None
                done = view.finish(data)
                hub.touch(view)
            if done:
                break

    # -- in the background

    def run(self, stop: Event) -> None:
        """Look after views and subscribers until ``stop``."""
        while not stop.wait(_LOOK_EVERY):
            self.turn()

    def turn(self) -> None:
        """Load what is due and catch up who fell behind; what fails is tried again later."""
        hub = self._hub
        with hub.lock:
            due = [view for view in hub.views.values() if hub.subscribers.get(view) and self._due(view)]
            lagging, hub.lagging = hub.lagging, []
        for view in due:
            self._try(view, lambda view=view: self._reload(view))
        for subscriber in lagging:
            if not subscriber.closed and not self._try(subscriber.view, lambda s=subscriber: self._resync(s)):
                hub.lagging.append(subscriber)
        if due or lagging:
            hub.wake()

    def _due(self, view: View) -> bool:
        now = self._hub.clock()
        if view.stale and view.stale_at is None:
            wait = min(max(_DEBOUNCE, _DEBOUNCE_LOADS * view.load_seconds), _DEBOUNCE_MAX)
            view.stale_at = max(now, view.loaded_at + wait)
        if view.drifts and view.stale_at is None:
            view.stale_at = view.loaded_at + max(_DRIFT, _DRIFT_LOADS * view.load_seconds)
        return view.stale_at is not None and view.stale_at <= now

    def _reload(self, view: View) -> None:
        with view.loading:
            self._load(view)

    def _try(self, view: View, work: Callable[[], None]) -> bool:
        try:
            work()
        except Unavailable as error:
            view.stale_at = self._hub.clock() + 1.0
            log.warning("view.not_loaded", topic=view.topic.name, error=str(error))
            return False
        return True

    def _resync(self, subscriber: Subscriber) -> None:
        hub, view = self._hub, subscriber.view
        with hub.lock:
            position = view.head
        data = self.read(view)
        with hub.lock:
            if not subscriber.waiting and not subscriber.closed:
                hub.left_out += 1
                hub.give(subscriber, view.snapshot_frame(position, data, hub.now()), position)
