"""The one Redis subscription of a web process: drained at once into an inbox, gaps filled from ``wf:deltas``."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from threading import Event, Lock

import structlog
from redis.exceptions import RedisError

from streaming import codec, keys
from streaming.advice import explained
from streaming.bus import Bus, Subscription, split_live
from streaming.gateway.health import Health
from streaming.gateway.hub import Hub
from streaming.gateway.listviews import stream_id
from streaming.messages import Heartbeat, OperationsChanged, SignedOut
from streaming.outage import Outage

log = structlog.get_logger()

INBOX_MAX_BYTES = 32_000_000
CATCH_UP_MAX = 2_000  # commits replayed after a gap; after a longer one every view starts from the store
_CATCH_UP_CHUNK = 200
_BACKOFF_MAX = 2.0
_CHANNELS = (keys.LIVE, keys.LIVE_LOGS, keys.CONTROL)


class Inbox:
    """Messages on their way from the subscription to the hub.

    Bound: ``INBOX_MAX_BYTES``. Policy when full: all are left out and ``overflowed`` says so, once; then the views
    start from the store, which costs the same however much was left out.
    """

    def __init__(self, max_bytes: int = INBOX_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._messages: deque[tuple[str, bytes]] = deque()
        self._bytes = 0
        self._overflowed = False
        self.left_out = 0
        self.arrived = Event()

    def put(self, channel: str, payload: bytes) -> None:
        """A message came."""
        with self._lock:
            if self._bytes + len(payload) > self._max_bytes:
                self.left_out += len(self._messages)
                self._messages.clear()
                self._bytes, self._overflowed = 0, True
            self._messages.append((channel, payload))
            self._bytes += len(payload)
        self.arrived.set()

    def take(self, count: int) -> tuple[bool, list[tuple[str, bytes]]]:
        """(whether messages were left out before these, up to ``count`` messages)."""
        with self._lock:
            overflowed, self._overflowed = self._overflowed, False
            messages = [self._messages.popleft() for _ in range(min(count, len(self._messages)))]
            self._bytes -= sum(len(payload) for _, payload in messages)
            if not self._messages:
                self.arrived.clear()
            return overflowed, messages


class Feed:
    """Keeps the hub up to date. ``drain`` and ``pump`` run each in a greenlet or thread of its own.

    ``signed_out`` is told each login session that ends, in whichever web process.
    """

    def __init__(
        self,
        bus: Bus,
        hub: Hub,
        health: Health,
        inbox: Inbox,
        seed: int | None = None,
        signed_out: Callable[[str], None] = lambda session: None,
    ) -> None:
        self._bus = bus
        self._hub = hub
        self._health = health
        self._inbox = inbox
        self._random = random.Random(seed)
        self._signed_out = signed_out

    # -- from Redis

    def drain(self, stop: Event) -> None:
        """Follow the subscription until ``stop``; a server that goes away is waited for."""
        wait, outage = 0.05, Outage()
        while not stop.is_set():
            try:
                with self._bus.subscription(*_CHANNELS) as subscription:
                    wait = 0.05
                    outage.over()
                    self._follow(subscription, stop)
            except (RedisError, OSError) as error:
                self._health.redis = explained(error)
                outage.away("redis", error)
                stop.wait(wait * self._random.uniform(0.5, 1.0))
                wait = min(wait * 2, _BACKOFF_MAX)

    def _follow(self, subscription: Subscription, stop: Event) -> None:
        caught_up_at = 0
        while not stop.is_set():
            message = subscription.get(0.5)
            if subscription.confirmed >= caught_up_at + len(_CHANNELS):
                caught_up_at = subscription.confirmed
                self._catch_up()
            if message is not None:
                self._inbox.put(*message)

    def _catch_up(self) -> None:
        """Fill what was published while nobody listened; messages that come twice are known by their cursor."""
        self._inbox.put("wf:gap:logs", b"")
        missed = self._missed()
        if missed is None:
            self._inbox.put("wf:gap:deltas", self._bus.last_id(keys.DELTAS).encode())
            return
        for entry_id, payload in missed:
            self._inbox.put(keys.LIVE, f"{entry_id}|".encode() + payload)
        log.info("gateway.caught_up", commits=len(missed))

    def _missed(self) -> list[tuple[str, bytes]] | None:
        """The commits after the hub's cursor, ``None`` when they are not all there or too many."""
        cursor = self._hub.cursor
        if cursor is None or not holds(self._bus, cursor):
            return None
        found: list[tuple[str, bytes]] = []
        while len(found) <= CATCH_UP_MAX:
            entries = self._bus.read(keys.DELTAS, cursor, count=_CATCH_UP_CHUNK, block_ms=None)
            found.extend((entry.id, entry.payload) for entry in entries)
            if len(entries) < _CATCH_UP_CHUNK:
                return found
            cursor = entries[-1].id
        return None

    # -- to the hub

    def pump(self, stop: Event, breathe: Callable[[], None]) -> None:
        """Hand over what arrived, and flush what is due; ``breathe`` lets other greenlets run."""
        while not stop.is_set():
            self._inbox.arrived.wait(self._hub.next_flush() if self._hub.next_flush() is not None else 1.0)
            try:
                self.turn()
            except Exception:
                log.exception("gateway.failed")
                self._start_views_again()
            breathe()

    def turn(self, count: int = 50) -> int:
        """Hand over up to ``count`` messages, then flush; how many."""
        overflowed, messages = self._inbox.take(count)
        if overflowed:
            self._start_views_again()
        for channel, payload in messages:
            try:
                self._HANDLERS[channel](self, payload)
            except codec.DecodeError as error:
                self._health.undecodable += 1
                log.error("live_message.undecodable", channel=channel, reason=error.reason)
        self._hub.flush()
        return len(messages)

    def _start_views_again(self) -> None:
        self._hub.logs_missed()
        self._hub.missed(self._hub.cursor or "0-0")

    def _live(self, payload: bytes) -> None:
        cursor, message = split_live(payload)
        if cursor and self._hub.cursor is not None and stream_id(cursor) <= stream_id(self._hub.cursor):
            return
        live = codec.decode_live(message)
        if isinstance(live, Heartbeat):
            self._health.heartbeat(live)
        else:
            self._hub.deltas(cursor, live)

    def _logs(self, payload: bytes) -> None:
        self._hub.logs(codec.decode_logs_committed(payload))

    def _control(self, payload: bytes) -> None:
        message = codec.decode_control(payload)
        if isinstance(message, SignedOut):
            self._signed_out(message.session)
        elif isinstance(message, OperationsChanged):
            self._hub.operations_moved(message.operations)

    def _gap_deltas(self, payload: bytes) -> None:
        self._hub.missed(payload.decode())

    def _gap_logs(self, payload: bytes) -> None:
        self._hub.operations_moved()
        self._hub.logs_missed()

    _HANDLERS = {
        keys.LIVE: _live,
        keys.LIVE_LOGS: _logs,
        keys.CONTROL: _control,
        "wf:gap:deltas": _gap_deltas,
        "wf:gap:logs": _gap_logs,
    }


def holds(bus: Bus, cursor: str) -> bool:
    """Whether everything after ``cursor`` is still in ``wf:deltas``."""
    if stream_id(bus.last_id(keys.DELTAS)) < stream_id(cursor):
        return False  # another server, or one that lost its data
    first = bus.first_id(keys.DELTAS)
    return bus.last_id(keys.DELTAS) == cursor or (first is not None and stream_id(first) <= stream_id(cursor))
