"""How often an address may do something: counted in Redis for all web processes, in memory while that is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

KEYS = "wf:rates"
_AWAY_SECONDS = 5.0  # Redis is not asked again for so long after it failed


def redis_options(bus: Any) -> dict[str, Any]:
    """What ``limits`` needs to count through the bus's own connections; empty for a bus without any."""
    pool = getattr(bus.redis, "connection_pool", None)
    return {} if pool is None else {"connection_pool": pool, "key_prefix": KEYS}


class Rate:
    """How often each address may do ``what``. ``rate`` is like ``600 per minute``."""

    def __init__(self, rate: str, bus: Any, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate: RateLimitItem = parse(rate)
        self._what = what
        self._memory = MovingWindowRateLimiter(MemoryStorage())
        options = redis_options(bus)
        self._redis = MovingWindowRateLimiter(RedisStorage("redis://", **options)) if options else None
        self._clock = clock
        self._away_until = 0.0

    def allows(self, address: str | None) -> bool:
        """Count once more; whether it is within the rate."""
        return self._ask(lambda limiter: limiter.hit(self._rate, self._what, address or ""))

    def exhausted(self, address: str | None) -> bool:
        """Whether once more would be too often; counts nothing."""
        return not self._ask(lambda limiter: limiter.test(self._rate, self._what, address or ""))

    def _ask(self, question: Callable[[MovingWindowRateLimiter], bool]) -> bool:
        if self._redis is not None and self._clock() >= self._away_until:
            try:
                return question(self._redis)
            except (RedisError, OSError):
                self._away_until = self._clock() + _AWAY_SECONDS
        return question(self._memory)


class Attempts:
    """Failed attempts of each address: over the rate, no password is checked any more until some time has passed."""

    def __init__(self, rate: str, bus: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = Rate(rate, bus, "wrong-passwords", clock)

    def blocked(self, address: str | None) -> bool:
        """Whether this address has failed too often, as far as is known."""
        return self._rate.exhausted(address)

    def failed(self, address: str | None) -> None:
        """Count one more failure."""
        self._rate.allows(address)
