"""Leases: who reads a stream, of events or of log lines. Redis keeps them; that two do no harm is the store's business.

A lease ends by itself when it is not renewed. One whose process is dead on this machine is taken over at once.
"""

from __future__ import annotations

import msgspec

from engine.worker.identity import is_local, lives_here, worker_id
from streaming import keys
from streaming.bus import Bus

SECONDS = 4.0  # how long a lease is kept for who is silent
RENEW = 1.0  # seconds between two times that it is renewed
LOOK = 0.25  # seconds between two looks of who waits for it

_TAKE = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] and held ~= ARGV[3] then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
"""
_GIVE_BACK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class Holder(msgspec.Struct, frozen=True):
    """A process that holds a lease, and into how many partitions it takes the events to be divided.

    ``process`` is its machine, id and start, as ``engine.worker.identity`` tells them.
    """

    name: str
    partitions: int
    process: str

    def is_dead(self) -> bool:
        """Known to be dead: only on its own machine can that be known."""
        return is_local(self.process) and not lives_here(self.process)


def this_process(name: str, partitions: int) -> Holder:
    """The holder that this process is."""
    return Holder(name, partitions, worker_id())


class Lease:
    """The lease of one stream, as one holder sees it. Everything raises ``RedisError`` when Redis is away."""

    def __init__(self, bus: Bus, stream: str, holder: Holder) -> None:
        self._bus = bus
        self._key = keys.lease(stream)
        self._mine = msgspec.json.encode(holder)
        self._take = bus.redis.register_script(_TAKE)
        self._give_back = bus.redis.register_script(_GIVE_BACK)

    def take(self) -> Holder | None:
        """Take the lease, or keep it; who has it instead."""
        held = self._try()
        if held is not None and (other := _decode(held)) is not None and not other.is_dead():
            return other
        if held is not None and (again := self._try(held)) is not None:
            return _decode(again)
        return None

    def _try(self, dead: bytes = b"") -> bytes | None:
        held: bytes | None = self._take(keys=[self._key], args=[self._mine, int(SECONDS * 1000), dead])
        return held

    def give_back(self) -> None:
        """Whoever waits need not wait any longer."""
        self._give_back(keys=[self._key], args=[self._mine])


def holders(bus: Bus, streams: tuple[str, ...]) -> dict[str, Holder]:
    """Who holds the leases of these streams now, those known to be dead left out."""
    found = bus.redis.mget([keys.lease(stream) for stream in streams])
    known = {stream: holder for stream, held in zip(streams, found, strict=True) if held and (holder := _decode(held))}
    return {stream: holder for stream, holder in known.items() if not holder.is_dead()}


def _decode(held: bytes) -> Holder | None:
    try:
        return msgspec.json.decode(held, type=Holder)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
