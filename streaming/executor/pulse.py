"""The heartbeat: once a second, whatever the executor is doing, with what is true at that moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event as Stop

import structlog
from redis.exceptions import RedisError

from data import Store, StoreUnavailable
from streaming import keys
from streaming.bus import Bus
from streaming.executor.post import Post
from streaming.messages import Heartbeat

log = structlog.get_logger()


class Pulse:
    """Tells the gateways that this executor lives, how far behind it is, and whether the database answers.

    ``lag`` is told each second how far behind it is.
    """

    def __init__(
        self,
        executor_id: str,
        bus: Bus,
        store: Store,
        post: Post,
        position: Callable[[], str],
        lag: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._executor_id = executor_id
        self._bus = bus
        self._store = store
        self._post = post
        self._position = position
        self._lag = lag
        self.commit_problem: str | None = None
        self._commits = 0
        self._committing = False
        self._known: str | None = None

    def beat_until(self, stop: Stop, seconds: float = 1.0) -> None:
        """Send a heartbeat every ``seconds``, unless another executor works in our place."""
        due = time.monotonic() + seconds
        while not stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + seconds, time.monotonic())
            if self._post.waits:
                continue
            try:
                self._bus.publish_heartbeat(self.heartbeat())
            except RedisError as error:
                log.warning("heartbeat.not_sent", error=str(error))

    def heartbeat(self) -> Heartbeat:
        """How things stand now."""
        lag_ms = self._lag_ms()
        self._lag(lag_ms / 1000)
        return Heartbeat(
            executor_id=self._executor_id,
            at=datetime.now(UTC),
            lag_ms=lag_ms,
            database=self.commit_problem or self._probe(),
            dead_letters=self._bus.length(keys.DEAD_LETTERS),
            partition=self._post.partition,
            partitions=self._post.partitions.count,
        )

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Around each commit, which holds the lock that the probe would wait for: its own end tells how things are."""
        self._commits += 1
        self._committing = True
        try:
            yield
            self._known = None
        finally:
            self._committing = False

    def _probe(self) -> str | None:
        """What is wrong with the database."""
        before = self._commits
        if self._committing:
            return self._known
        try:
            self._store.probe()
            self._known = None
        except StoreUnavailable as error:
            if self._commits == before:  # else our own commit may have been in the way
                self._known = str(error)
        return self._known

    def _lag_ms(self) -> int:
        waiting = self._bus.read(self._post.stream, self._position(), count=1, block_ms=None)
        if not waiting:
            return 0
        accepted_ms = int(waiting[0].id.partition("-")[0])
        return max(0, time.time_ns() // 1_000_000 - accepted_ms)
