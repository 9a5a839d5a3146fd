"""The bus: streams and channels of a Redis or Valkey server, with typed messages.

Every method raises ``redis.exceptions.RedisError`` when the server can't be reached; who calls it decides what that
means. A ``Bus`` is safe to share between threads and greenlets: it holds a connection pool, and another one for each
real thread beside the greenlets, since a greenlet's socket can be waited for in its own thread only.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

import msgspec
import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from streaming import codec, keys
from streaming.messages import Control, Event, Heartbeat, LogBatch, LogsCommitted
from streaming.partitions import Partitions

if TYPE_CHECKING:
    from watchfloor.settings import Settings

_FIELD = b"d"

# One atomic step, so that the published message carries the id it has in the stream.
_PUBLISH_DELTAS = """
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'd', ARGV[1])
redis.call('PUBLISH', ARGV[3], id .. '|' .. ARGV[1])
return id
"""

# One atomic step, so that an entry read again after a failed commit is not put aside a second time.
_BURY = """
if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[2]) then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
  'stream', ARGV[3], 'id', ARGV[4], 'reason', ARGV[5], 'd', ARGV[6])
return 1
"""
_BURIED_SECONDS = 86_400


class Read(msgspec.Struct, frozen=True):
    """One entry of a stream: its id and its bytes."""

    id: str
    payload: bytes


def _hub_apart() -> Any:
    """The event loop of a real thread beside the greenlets; ``None`` among them, and where there are none."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("socket"):
        return None
    from gevent import get_hub

    hub = get_hub()
    return None if hub.main_hub else hub


class Bus:
    """Typed access to one Redis server."""

    def __init__(
        self,
        url: str,
        *,
        deltas_cap: int = 20_000,
        deltas_max_bytes: int = 64_000_000,
        dead_letters_cap: int = 10_000,
        partitions: int = 1,
    ) -> None:
        self.partitions = Partitions(partitions)
        self._connect = partial(
            redis.Redis.from_url,
            url,
            socket_connect_timeout=2,
            socket_timeout=5,
            health_check_interval=15,
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
        )
        self._own = self._connect()
        self._apart: WeakKeyDictionary[Any, redis.Redis] = WeakKeyDictionary()
        self._deltas_cap = deltas_cap
        self._deltas_max_bytes = deltas_max_bytes
        self._dead_letters_cap = dead_letters_cap
        self._publish_deltas = self._redis.register_script(_PUBLISH_DELTAS)
        self._bury = self._redis.register_script(_BURY)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The bus that the settings name."""
        return cls(
            settings.resolved_redis_url,
            deltas_cap=settings.deltas_cap,
            deltas_max_bytes=settings.deltas_max_bytes,
            partitions=settings.partitions,
        )

    @property
    def redis(self) -> redis.Redis:
        """The client itself, for keys that belong to one caller alone (claims, kills)."""
        return self._redis

    @property
    def _redis(self) -> redis.Redis:
        hub = _hub_apart()
        if hub is None:
            return self._own
        return self._apart.get(hub) or self._apart.setdefault(hub, self._connect())

    def close(self) -> None:
        """Give all connections back."""
        for client in (self._own, *self._apart.values()):
            client.close()

    def ping(self) -> None:
        """Raise ``RedisError`` unless the server answers."""
        self._redis.ping()

    # -- events in

    def append(self, event: Event) -> str:
        """Append one event; its stream id."""
        stream = self.partitions.stream(event.execution_id)
        return self._redis.xadd(stream, {_FIELD: codec.encode(event)}).decode()

    def append_all(self, events: Iterable[Event]) -> int:
        """Append events in order, in one round trip; how many."""
        pipe = self._redis.pipeline(transaction=False)
        for event in events:
            pipe.xadd(self.partitions.stream(event.execution_id), {_FIELD: codec.encode(event)})
        return len(pipe.execute())

    def append_logs(self, batch: LogBatch) -> None:
        """Append log lines of one attempt."""
        self._redis.xadd(keys.LOGS, {_FIELD: codec.encode(batch)})

    # -- streams out

    def read(self, stream: str, after: str, *, count: int, block_ms: int | None) -> list[Read]:
        """Entries of ``stream`` after the id ``after``; waits up to ``block_ms`` (``None``: not at all)."""
        answer = self._redis.xread({stream: after}, count=count, block=block_ms)
        if not answer:
            return []
        (_, entries), *_ = answer
        return [Read(entry_id.decode(), fields.get(_FIELD, b"")) for entry_id, fields in entries]

    def trim(self, stream: str, up_to: str) -> None:
        """Drop the entries of ``stream`` before the id ``up_to``: they are in the store."""
        self._redis.xtrim(stream, minid=up_to, approximate=True)

    def waiting(self, stream: str, position: str) -> int:
        """How many entries of ``stream`` come after ``position``, up to which it is in the store; those go."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.xtrim(stream, minid=position, approximate=False)
        pipe.xrange(stream, position, position)
        pipe.xlen(stream)
        _, at_position, length = pipe.execute()
        return max(0, length - len(at_position))

    def first_id(self, stream: str) -> str | None:
        """Id of the oldest entry, ``None`` for an empty stream."""
        entries = self._redis.xrange(stream, count=1)
        return entries[0][0].decode() if entries else None

    def last_id(self, stream: str) -> str:
        """Id the newest entry has or had, ``0-0`` for a stream never used."""
        try:
            return self._redis.xinfo_stream(stream)["last-generated-id"].decode()
        except redis.ResponseError:
            return "0-0"

    def length(self, stream: str) -> int:
        """How many entries ``stream`` holds."""
        return self._redis.xlen(stream)

    def bury(self, stream: str, entry: Read, reason: str) -> None:
        """Put a malformed entry aside with its bytes and the reason; the same one twice is put aside once."""
        self._bury(
            keys=[keys.DEAD_LETTERS, keys.buried(stream, entry.id)],
            args=[self._dead_letters_cap, _BURIED_SECONDS, stream, entry.id, reason, entry.payload],
        )

    # -- live out

    def publish_deltas(self, payload: bytes) -> str:
        """Append encoded ``Deltas`` to the capped stream and publish them with their id; the id is the cursor."""
        answer: bytes = self._publish_deltas(keys=[keys.DELTAS], args=[payload, self._deltas_cap, keys.LIVE])
        return answer.decode()

    def bound_deltas(self) -> None:
        """Drop the oldest commits kept for browsers while they take more memory than they may."""
        taken = self._redis.memory_usage(keys.DELTAS, samples=20) or 0
        if taken > self._deltas_max_bytes:
            kept = self._redis.xlen(keys.DELTAS) * self._deltas_max_bytes // taken
            self._redis.xtrim(keys.DELTAS, maxlen=kept, approximate=True)

    def publish_heartbeat(self, heartbeat: Heartbeat) -> None:
        """Say that an executor lives. A heartbeat has no stream id: its prefix is empty."""
        self._redis.publish(keys.LIVE, b"|" + codec.encode(heartbeat))

    def publish_logs(self, committed: LogsCommitted) -> None:
        """Announce log entries that are in the store."""
        self._redis.publish(keys.LIVE_LOGS, codec.encode(committed))

    def tell(self, message: Control) -> None:
        """Tell every listening process something."""
        self._redis.publish(keys.CONTROL, codec.encode(message))

    # -- subscriptions

    @contextmanager
    def subscription(self, *channels: str) -> Iterator[Subscription]:
        """A subscription of its own connection, closed at the end."""
        pubsub = self._redis.pubsub(ignore_subscribe_messages=False)
        try:
            pubsub.subscribe(*channels)
            yield Subscription(pubsub)
        finally:
            pubsub.close()


class Subscription:
    """Messages of some channels, in order of arrival.

    ``confirmed`` counts the channels the server confirmed: when it grows after the first time, the connection was
    made anew and what was published in between is missing.
    """

    def __init__(self, pubsub: Any) -> None:
        self._pubsub = pubsub
        self.confirmed = 0

    def get(self, timeout: float) -> tuple[str, bytes] | None:
        """The next (channel, payload); ``None`` after ``timeout`` seconds of silence."""
        message = self._pubsub.get_message(timeout=timeout)
        if message is None or message["type"] != "message":
            self.confirmed += message is not None and message["type"] == "subscribe"
            return None
        return message["channel"].decode(), message["data"]


def split_live(payload: bytes) -> tuple[str, bytes]:
    """(cursor, encoded message) of a ``wf:live`` payload; the cursor of a heartbeat is empty."""
    cursor, _, message = payload.partition(b"|")
    return cursor.decode(), message
