"""What was refused: logged, counted, and answered shortly once it is too often."""

from __future__ import annotations

from typing import Any

import structlog
from flask_limiter.util import get_remote_address

from dashboard.attempts import Rate
from streaming.metrics import Meter

log = structlog.get_logger()

TOO_MANY = "Too many refused requests. Wait a minute."


class Refusals:
    """One per app. ``way`` is rights, origin, topic, login or session."""

    def __init__(self, rate: str, bus: Any, meter: Meter) -> None:
        self._rate = Rate(rate, bus, "refusals")
        self._meter = meter

    def within_rate(self, way: str, actor: str | None, why: str, *, address: str | None = None, **facts: Any) -> bool:
        """Note a refusal; whether they are not too many yet, of this person or, of nobody, of this address (by default
        that of the request)."""
        address = address or get_remote_address()
        self._meter["watchfloor_refusals_total"].labels(way).inc()
        fine = self._rate.allows(actor or address)
        if fine:
            log.warning("access.refused", way=way, actor=actor, address=address, why=why, **facts)
        return fine
