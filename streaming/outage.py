"""Told once when a server goes away, now and then while it is, and once when it is back: not at every try."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from streaming.advice import explained

log = structlog.get_logger()

_AGAIN = 60.0  # seconds


class Outage:
    """The absence of a server (``database``, ``redis``), as whoever waits for it sees it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def away(self, part: str, error: Exception, **more: object) -> None:
        """A try failed."""
        now = self._clock()
        since = self._since.setdefault(part, now)
        if now - self._told.get(part, -_AGAIN) >= _AGAIN:
            self._told[part] = now
            said = explained(error) if part == "redis" else str(error)
            log.warning(f"{part}.away", error=said, away_s=round(now - since, 1), **more)

    def over(self) -> None:
        """A try went well."""
        for part, since in self._since.items():
            log.info(f"{part}.back", away_s=round(self._clock() - since, 1))
        if self._since:
            self._since.clear()
            self._told.clear()
