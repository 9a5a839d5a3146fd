"""What a worker has to say goes out in order, and waits here while Redis is away."""

from __future__ import annotations

import threading
from collections import deque

import msgspec
import redis
import structlog

from engine.worker.registry import Registry
from streaming.bus import Bus
from streaming.messages import Event, Job, LogBatch

log = structlog.get_logger("worker")

_BACKOFF_MAX = 1.0


class Over(msgspec.Struct, frozen=True):
    """All there was to say about an attempt was said."""

    job: Job


Outbound = Event | LogBatch | Over


class Sender:
    """A queue with one sending thread: nothing is lost or reordered, retried until it is out.

    ``full`` says that more than ``cap_bytes`` wait: who reads from a process stops reading then, so that the
    process waits in its own write. A batch sent twice is harmless (line numbers and event ids are unique).
    """

    def __init__(self, bus: Bus, registry: Registry, cap_bytes: int = 16_000_000) -> None:
        self._bus = bus
        self._registry = registry
        self._cap = cap_bytes
        self._waiting: deque[tuple[Outbound, int]] = deque()
        self._bytes = 0
        self._condition = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="worker-sender", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """True while more waits than the cap."""
        return self._bytes > self._cap

    def put(self, message: Outbound) -> None:
        """Take a message; never blocks."""
        size = sum(len(line.message) + 40 for line in message.lines) if isinstance(message, LogBatch) else 500
        with self._condition:
            self._waiting.append((message, size))
            self._bytes += size
            self._condition.notify_all()

    def drain(self, seconds: float | None = None) -> bool:
        """Wait until everything is out; false if it took longer than ``seconds``."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._waiting, seconds)

    def close(self) -> None:
        """Stop the thread; what still waits is given up."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(10)

    def _run(self) -> None:
        pause = 0.0
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting or self._closing)
                if self._closing:
                    return
                message, size = self._waiting[0]
            try:
                self._send(message)
            except redis.RedisError as error:
                pause = min(max(pause * 2, 0.05), _BACKOFF_MAX)
                log.warning("redis.away", error=str(error), waiting=len(self._waiting), retry_in=pause)
                with self._condition:
                    self._condition.wait_for(lambda: self._closing, pause)
                continue
            pause = 0.0
            with self._condition:
                self._waiting.popleft()
                self._bytes -= size
                self._condition.notify_all()

    def _send(self, message: Outbound) -> None:
        match message:
            case LogBatch():
                self._bus.append_logs(message)
            case Over():
                self._registry.ended(message.job)
            case _:
                self._bus.append(message)
