"""Wrong passwords are counted by address: over the rate, none is checked any more until some time has passed."""

from __future__ import annotations

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Attempts:
    """Failed attempts of each address, of one process. ``rate`` is like ``10 per minute``."""

    def __init__(self, rate: str) -> None:
        self._rate: RateLimitItem = parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def blocked(self, address: str | None) -> bool:
        """Whether this address has failed too often."""
        return not self._limiter.test(self._rate, address or "")

    def failed(self, address: str | None) -> None:
        """Count one more failure."""
        self._limiter.hit(self._rate, address or "")
