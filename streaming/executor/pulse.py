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

UNANSWERED_AFTER = 2.0  # seconds; a commit or a probe that takes longer is told


class Pulse:
    """Tells the gateways that this executor lives, how far behind it is, and whether the database answers.

    ``lag`` is told each second how far behind it is. The database is asked in a thread of its own: one that never
    answers must not silence the heartbeat.
    """

    def __init__(
        self,
        executor_id: str,
        bus: Bus,
        store: Store,
        post: Post,
        position: Callable[[], str],
        lag: Callable[[float], None] = lambda seconds: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._executor_id = executor_id
        self._bus = bus
        self._store = store
        self._post = post
        self._position = position
        self._lag = lag
        self._clock = clock
        self.commit_problem: str | None = None
        self._commits = 0
        self._commit_began: float | None = None
        self._probe_began: float | None = None
        self._probe_problem: str | None = None

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

    def probe_until(self, stop: Stop, seconds: float = 0.5) -> None:
        """Ask the database every ``seconds``, unless another executor works in our place."""
        while not stop.wait(seconds):
            if not self._post.waits:
                self.probe()

    def heartbeat(self) -> Heartbeat:
        """How things stand now."""
        lag_ms = self._lag_ms()
        self._lag(lag_ms / 1000)
        return Heartbeat(
            executor_id=self._executor_id,
            at=datetime.now(UTC),
            lag_ms=lag_ms,
            database=self._unanswered() or self.commit_problem or self._probe_problem,
            dead_letters=self._bus.length(keys.DEAD_LETTERS),
            partition=self._post.partition,
            partitions=self._post.partitions.count,
        )

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Around each commit, which holds the lock that the probe would wait for: its own end tells how things are."""
        self._commits += 1
        self._commit_began = self._clock()
        try:
            yield
            self._probe_problem = None
        finally:
            self._commit_began = None

    def probe(self) -> None:
        """Find out what is wrong with the database, unless a commit is finding out."""
        before = self._commits
        if self._commit_began is not None:
            return
        self._probe_began = self._clock()
        try:
            self._store.probe()
            self._probe_problem = None
        except StoreUnavailable as error:
            if self._commits == before:  # else our own commit may have been in the way
                self._probe_problem = str(error)
        finally:
            self._probe_began = None

    def _unanswered(self) -> str | None:
        """Since when the database owes an answer, when that is long ago."""
        began = [at for at in (self._commit_began, self._probe_began) if at is not None]
        waited = self._clock() - min(began) if began else 0.0
        return f"has not answered for {waited:.0f} s" if waited > UNANSWERED_AFTER else None

    def _lag_ms(self) -> int:
        waiting = self._bus.read(self._post.stream, self._position(), count=1, block_ms=None)
        if not waiting:
            return 0
        accepted_ms = int(waiting[0].id.partition("-")[0])
        return max(0, time.time_ns() // 1_000_000 - accepted_ms)
