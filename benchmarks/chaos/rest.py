"""What a product at rest has not: anything under way, or left lying."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.product import cursor_key
from data import Store
from engine.worker.registry import GIVEN_OUT, RUNNING
from streaming import keys
from streaming.bus import Bus


def _behind(store: Store, bus: Bus, stream: str) -> int:
    return int(cursor_key(store.position(stream)) < cursor_key(bus.last_id(stream)))


_LEFT: dict[str, Callable[[Store, Bus], int]] = {
    "executions that have not ended": lambda store, _: len(store.unfinished()),
    "stream of events not applied": lambda store, bus: _behind(store, bus, keys.EVENTS),
    "stream of log lines not stored": lambda store, bus: _behind(store, bus, keys.LOGS),
    "rows in the outbox": lambda store, _: len(store.outbox()),
    "timers": lambda store, _: len(store.timers()),
    "slots held or waited for": lambda store, _: sum(use.running + use.queued for use in store.concurrency()),
    "attempts that run": lambda _, bus: bus.redis.hlen(RUNNING),
    "jobs no worker has claimed": lambda _, bus: bus.redis.zcard(GIVEN_OUT),
    "jobs in the queue": lambda _, bus: bus.redis.llen(keys.JOBS),
}


def unrest(store: Store, bus: Bus) -> list[str]:
    """In words, what is under way; raises ``RedisError`` when that can't be known."""
    return [f"{n} {what}" for what, count in _LEFT.items() if (n := count(store, bus))]
