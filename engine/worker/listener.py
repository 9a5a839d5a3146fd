"""The thread that hears kills and notices the end of the worker's own life."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import redis
import structlog

from engine.worker.control import JobControl, Stop
from engine.worker.registry import attempt_of
from streaming import codec, keys
from streaming.advice import explained
from streaming.bus import Bus, Subscription
from streaming.messages import Kill

log = structlog.get_logger("worker")

_POLL = 0.2


class Listener:
    """Follows ``wf:control`` for one worker process; after each (re)connect it looks at the kill key too.

    ``current`` gives the running attempt. ``stop_after(seconds)`` ends it as stopped with its worker.
    """

    def __init__(self, bus: Bus, current: Callable[[], JobControl | None]) -> None:
        self._bus = bus
        self._current = current
        self._stop_at: float | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker-listener", daemon=True)
        self._thread.start()

    def stop_after(self, seconds: float) -> None:
        """Whatever runs in ``seconds`` still is stopped then. Safe in a signal handler."""
        if self._stop_at is None:
            self._stop_at = time.monotonic() + seconds

    @property
    def stopping(self) -> bool:
        """True once the worker was told to stop."""
        return self._stop_at is not None

    def close(self) -> None:
        """Stop and join the thread."""
        self._closing.set()
        self._thread.join(10)

    def _run(self) -> None:
        pause = 0.05
        while not self._closing.is_set():
            try:
                with self._bus.subscription(keys.CONTROL) as subscription:
                    self._check_key()
                    pause = 0.05
                    self._follow(subscription)
            except redis.RedisError as error:
                log.warning("redis.away", error=explained(error), waiting_for="control", retry_in=pause)
                self._check_stop()
                self._closing.wait(pause)
                pause = min(pause * 2, 1.0)

    def _follow(self, subscription: Subscription) -> None:
        while not self._closing.is_set():
            heard = subscription.get(_POLL)
            self._check_stop()
            if heard is not None:
                self._hear(heard[1])

    def _hear(self, payload: bytes) -> None:
        try:
            message = codec.decode_control(payload)
        except codec.DecodeError as error:
            log.warning("control.malformed", reason=error.reason)
            return
        control = self._current()
        if isinstance(message, Kill) and control is not None and attempt_of(control.job) in message.attempts:
            control.stop(Stop.KILL)

    def _check_key(self) -> None:
        control = self._current()
        if control is None:
            return
        job = control.job
        if self._bus.redis.sismember(keys.kill(job.execution_id), attempt_of(job)):
            control.stop(Stop.KILL)

    def _check_stop(self) -> None:
        control = self._current()
        if control is not None and self._stop_at is not None and time.monotonic() >= self._stop_at:
            control.stop(Stop.SHUTDOWN)
