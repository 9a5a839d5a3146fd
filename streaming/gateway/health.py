"""What is known of the health of everything behind the page, told in the heartbeat. No I/O: told by others."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from streaming.gateway.items import Pulse
from streaming.messages import Heartbeat

EXECUTOR_SILENT_AFTER = 1.9  # seconds; executors beat each second
SILENT_FOREVER = 300.0  # an executor silent so long is taken to have been stopped, when another one beats


def _now() -> datetime:
    return datetime.now(UTC)


class Health:
    """The last word of each part. ``redis`` and ``database`` are ``None`` or say what is wrong."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = _now) -> None:
        self._clock = clock
        self._now = now
        self._beats: dict[str, tuple[float, Heartbeat]] = {}
        self._born = clock()
        self.redis: str | None = None
        self.database: str | None = None
        self.undecodable = 0

    def heartbeat(self, beat: Heartbeat) -> None:
        """An executor lives."""
        self._beats[beat.executor_id] = (self._clock(), beat)
        if len(self._beats) > 1:
            fresh = self._clock() - SILENT_FOREVER
            self._beats = {name: entry for name, entry in self._beats.items() if entry[0] >= fresh}

    def _newest(self) -> tuple[float, Heartbeat] | None:
        return max(self._beats.values(), key=lambda entry: entry[0], default=None)

    def last_beat(self) -> tuple[float | None, Heartbeat | None]:
        """(seconds since the newest heartbeat, that heartbeat)."""
        newest = self._newest()
        return (round(self._clock() - newest[0], 1), newest[1]) if newest is not None else (None, None)

    def executor(self) -> str | None:
        """What is wrong with the executor."""
        newest = self._newest()
        silent = self._clock() - (newest[0] if newest is not None else self._born)
        return f"silent for {silent:.0f} s" if silent > EXECUTOR_SILENT_AFTER else None

    def problems(self) -> tuple[bool, bool, bool]:
        """Which of Redis, database and executor have a problem: a change of it is told at once."""
        newest = self._newest()
        database = self.database or (newest[1].database if newest is not None else None)
        return self.redis is not None, database is not None, self.executor() is not None

    def pulse(self, dropped: int) -> Pulse:
        """The heartbeat to send now. ``dropped``: what was left out at a cap lately."""
        newest = self._newest()
        beat = newest[1] if newest is not None else None
        return Pulse(
            at=self._now(),
            executor_at=beat.at if beat else None,
            sources={},
            lag_ms=beat.lag_ms if beat else 0,
            redis=self.redis,
            database=self.database or (beat.database if beat else None),
            executor=self.executor(),
            dead_letters=(beat.dead_letters if beat else 0) + self.undecodable,
            dropped=dropped,
        )
