"""How a running attempt is told to stop: by a kill, by its timeout, by the end of its worker."""

from __future__ import annotations

import os
import select
import threading
import time
from enum import StrEnum

from streaming.messages import Job


class Stop(StrEnum):
    """Why an attempt was stopped."""

    KILL = "kill"
    TIMEOUT = "timeout"
    SHUTDOWN = "shutdown"


class JobControl:
    """One running attempt's ear. ``stop`` may be called from any thread; the first reason counts."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.reason: Stop | None = None
        self.deadline: float | None = None
        self._lock = threading.Lock()
        self._open = True
        self._reading, self._writing = os.pipe()

    def fileno(self) -> int:
        """Readable when something was said: waits in a selector beside the process's pipes."""
        return self._reading

    def begin(self) -> None:
        """The attempt starts now: its timeout counts from here."""
        if self.job.timeout is not None:
            self.deadline = time.monotonic() + self.job.timeout

    def stop(self, reason: Stop) -> None:
        """Ask the attempt to stop."""
        with self._lock:
            if self.reason is None and self._open:
                self.reason = reason
                os.write(self._writing, b"!")

    def check(self) -> Stop | None:
        """The reason to stop, if there is one by now."""
        if self.reason is None and self.deadline is not None and time.monotonic() >= self.deadline:
            self.stop(Stop.TIMEOUT)
        return self.reason

    def wait(self, seconds: float) -> Stop | None:
        """Sleep ``seconds``, less when there is a reason to stop: the reason."""
        end = time.monotonic() + seconds
        while self.check() is None:
            moments = [end] if self.deadline is None else [end, self.deadline]
            left = min(moments) - time.monotonic()
            if end - time.monotonic() <= 0:
                return None
            select.select([self._reading], [], [], max(0.0, min(left, 3600.0)))
        return self.reason

    def close(self) -> None:
        """Free the pipe; a stop that comes later is ignored."""
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._reading)
                os.close(self._writing)
