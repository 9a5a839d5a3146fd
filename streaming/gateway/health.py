"""What is known of the health of everything behind the page, told in the heartbeat. No I/O: told by others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from streaming.gateway.items import Pulse
from streaming.messages import Heartbeat

EXECUTOR_SILENT_AFTER = 1.9  # seconds; executors beat each second
DATABASE_SILENT_AFTER = 1.5  # seconds without an answer; asked each second, it is told within 3 s
SILENT_FOREVER = 300.0  # an executor silent so long is taken to have been stopped, when another one beats


def _now() -> datetime:
    return datetime.now(UTC)


class Health:
    """The last word of each part. ``redis`` and ``database`` are ``None`` or say what is wrong.

    ``database_ms``: how long the database took for its last answer, ``None`` before the first.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = _now) -> None:
        self._clock = clock
        self._now = now
        self._beats: dict[str, tuple[float, Heartbeat]] = {}
        self._born = clock()
        self.redis: str | None = None
        self.database: str | None = None
        self.database_ms: float | None = None
        self._asked_at: float | None = None
        self.undecodable = 0

    def heartbeat(self, beat: Heartbeat) -> None:
        """An executor lives."""
        self._beats[beat.executor_id] = (self._clock(), beat)
        if len(self._beats) > 1:
            fresh = self._clock() - SILENT_FOREVER
            self._beats = {name: entry for name, entry in self._beats.items() if entry[0] >= fresh}

    @contextmanager
    def asking_database(self) -> Iterator[None]:
        """Around each question to the database: the answer may never come."""
        self._asked_at = asked_at = self._clock()
        try:
            yield
        finally:
            self._asked_at = None
            self.database_ms = round((self._clock() - asked_at) * 1000, 1)

    def beats(self) -> list[tuple[float, Heartbeat | None]]:
        """(when, newest heartbeat) of each partition; one never heard of counts from our start.

        The newest heartbeat of all says how many partitions there are.
        """
        newest = max(self._beats.values(), key=lambda entry: entry[0], default=None)
        count = newest[1].partitions if newest is not None else 1
        found: list[tuple[float, Heartbeat | None]] = [(self._born, None)] * count
        for entry in self._beats.values():
            at, beat = entry
            ours = beat.partitions == count and beat.partition < count
            if ours and (found[beat.partition][1] is None or at > found[beat.partition][0]):
                found[beat.partition] = entry
        return found

    def oldest_beat(self) -> tuple[float | None, Heartbeat | None]:
        """(seconds since, heartbeat) of the partition that is silent for longest."""
        at, beat = min(self.beats(), key=lambda entry: (entry[1] is not None, entry[0]))
        return (round(self._clock() - at, 1), beat) if beat is not None else (None, None)

    def executor(self) -> str | None:
        """What is wrong with the executors; where there are several, which ones."""
        beats, now = self.beats(), self._clock()
        silent = {n: now - at for n, (at, _) in enumerate(beats) if now - at > EXECUTOR_SILENT_AFTER}
        if len(beats) == 1:
            return f"silent for {silent[0]:.0f} s" if silent else None
        return "; ".join(f"partition {n} of {len(beats)} silent for {s:.0f} s" for n, s in silent.items()) or None

    def database_here(self) -> str | None:
        """What keeps this process from the database."""
        asked_at = self._asked_at
        waited = self._clock() - asked_at if asked_at is not None else 0.0
        return f"has not answered for {waited:.0f} s" if waited > DATABASE_SILENT_AFTER else self.database

    def database_problem(self) -> str | None:
        """What keeps this process, or an executor, from the database."""
        return self.database_here() or next((beat.database for _, beat in self.beats() if beat and beat.database), None)

    def problems(self) -> tuple[bool, bool, bool]:
        """Which of Redis, database and executor have a problem: a change of it is told at once."""
        return self.redis is not None, self.database_problem() is not None, self.executor() is not None

    def pulse(self, dropped: int) -> Pulse:
        """The heartbeat to send now. ``dropped``: what was left out at a cap lately."""
        known = [beat for _, beat in self.beats() if beat is not None]
        _, oldest = self.oldest_beat()
        return Pulse(
            at=self._now(),
            executor_at=oldest.at if oldest else None,
            sources={},
            lag_ms=max((beat.lag_ms for beat in known), default=0),
            redis=self.redis,
            database=self.database_problem(),
            executor=self.executor(),
            dead_letters=max((beat.dead_letters for beat in known), default=0) + self.undecodable,
            dropped=dropped,
        )
