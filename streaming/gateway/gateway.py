"""The gateway: push with cursor resume over Socket.IO, namespace ``/live``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

import redis
import structlog
from flask import request
from flask_socketio import ConnectionRefusedError, Namespace, SocketIO
from redis.backoff import NoBackoff
from redis.retry import Retry

from streaming import codec
from streaming.advice import explained
from streaming.bus import Bus
from streaming.gateway.feed import Feed, Inbox
from streaming.gateway.health import Health
from streaming.gateway.hub import Hub, Limits
from streaming.gateway.loader import Loader, Offload
from streaming.gateway.reads import Reads, Unavailable
from streaming.gateway.recent import Recent
from streaming.gateway.rights import Rights, SignedIn
from streaming.gateway.sessions import Sessions
from streaming.gateway.topics import TOPICS
from streaming.gateway.wire import Wires
from streaming.messages import SignedOut
from streaming.metrics import Meter
from watchfloor.settings import Settings

log = structlog.get_logger()

NAMESPACE = "/live"
LEFT_OUT_MINUTES = 5  # what was left out at a cap is told for so long
_BEAT = 1.0  # seconds between heartbeats
_LOOK = 0.2  # seconds between looks at what is wrong: a change is told at once
_PROBE = 1.0
_PROBE_TIMEOUT = 1.0
_REAP = 5.0


def _directly(work: Callable[[], Any]) -> Any:
    return work()


class Gateway(AbstractContextManager["Gateway"]):
    """The live side of one web process.

    ``store`` is the data store, or anything with the methods of ``Reads``. ``rights`` are asked in the request context;
    by default who is signed in may see all. ``offload`` runs a query where it blocks no greenlet. ``now``: the time by
    which logins are over.
    """

    def __init__(
        self,
        settings: Settings,
        store: Any,
        bus: Bus,
        socketio: SocketIO,
        *,
        rights: Rights | None = None,
        offload: Offload = _directly,
        meter: Meter | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._settings = settings
        self._socketio = socketio
        self._offload = offload
        self._inbox = Inbox()
        self._reads = _reads_of(store)
        limits = Limits(settings.frame_interval, settings.frame_max_items, settings.subscriber_buffer_items)
        self.health = Health()
        self.hub = Hub(self._reads, limits, wake=self._inbox.arrived.set)
        self.loader = Loader(self.hub, offload)
        rights = rights or SignedIn()
        self.sessions = Sessions(self.hub, self.loader, bus, settings.page_size_max, rights)
        self._bus = bus
        self._feed = Feed(bus, self.hub, self.health, self._inbox, signed_out=self._signed_out)
        self.on_sign_out: list[Callable[[str], None]] = []
        self._recently = Recent(LEFT_OUT_MINUTES)
        self._stop = Event()
        self._threads: list[Thread] = []
        self._wires = Wires(socketio, NAMESPACE)
        socketio.on_namespace(LiveNamespace(self.sessions, rights, self._wires))
        self._meter = meter or Meter("web")
        self.hub.count(self._meter.buckets("watchfloor_frame_bytes"), self._meter.buckets("watchfloor_flush_seconds"))
        self._meter.look(self._look)

    @property
    def answers(self) -> Any:
        """Where answers to actions arrive: ``wait``, ``wait_row``, ``follow``."""
        return self.hub.answers

    @property
    def dropped(self) -> int:
        """What was left out at a cap since the start, of all kinds."""
        return self.hub.left_out + self._inbox.left_out

    def offload(self, work: Callable[[], Any]) -> Any:
        """Run a query where it blocks no greenlet."""
        return self._offload(work)

    def dead_threads(self) -> list[str]:
        """What should run and doesn't any more."""
        return [thread.name for thread in self._threads if not thread.is_alive()]

    def _look(self) -> None:
        """What the figures say of this moment."""
        topics = Counter(dict.fromkeys(TOPICS, 0)) + self.sessions.topics()
        for topic in TOPICS:
            self._meter["watchfloor_subscribers"].labels(topic).set(topics[topic])
        self._meter["watchfloor_browsers"].set(len(self.sessions))
        self._meter["watchfloor_views"].set(len(self.hub.views))
        self._meter.count_to("watchfloor_left_out_total", self.dropped)
        self._meter.count_to("watchfloor_undecodable_total", self.health.undecodable)

    # -- life

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to follow and to beat."""
        self._wires.install()
        work = {
            "drain": lambda: self._feed.drain(self._stop),
            "pump": lambda: self._feed.pump(self._stop, lambda: self._socketio.sleep(0)),
            "loader": lambda: self.loader.run(self._stop),
            "beat": self._beat,
            "probe-redis": lambda: self._probe(self._probe_redis),
            "probe-database": lambda: self._probe(self._probe_database),
        }
        self._threads = [Thread(target=run, name=f"gateway-{name}", daemon=True) for name, run in work.items()]
        for thread in self._threads:
            thread.start()
        log.info("gateway.started")

    def stop(self) -> None:
        """End everything that ``start`` began."""
        self._stop.set()
        self._inbox.arrived.set()
        for thread in self._threads:
            thread.join(timeout=5)
        self._threads = []

    # -- logins

    def sign_out(self, key: str) -> None:
        """A login session, a user's rights or a token end: so do its live connections, here and everywhere else."""
        self._signed_out(key)
        try:
            self._bus.tell(SignedOut(key))
        except redis.RedisError as error:
            log.warning("logout.not_told", error=str(error))

    def _signed_out(self, key: str) -> None:
        for tell in self.on_sign_out:
            tell(key)
        self._cut(self.sessions.ending_with(key))

    def _cut(self, sids: list[str]) -> None:
        for sid in sids:
            self._socketio.server.disconnect(sid, namespace=NAMESPACE)

    # -- heartbeat

    def _beat(self) -> None:
        told: Any = None
        beat_at = reaped_at = 0.0
        while not self._stop.wait(_LOOK):
            now, problems = time.monotonic(), self.health.problems()
            if now - beat_at >= _BEAT or problems != told:
                beat_at, told = now, problems
                pulse = codec.to_builtins(self.health.pulse(self._recently.rise(self.dropped)))
                self._socketio.emit("heartbeat", pulse, namespace=NAMESPACE)
                self._cut(self.sessions.over(self._now()))
            if now - reaped_at >= _REAP:
                reaped_at = now
                self.hub.reap()

    def _probe(self, probe: Callable[[], None]) -> None:
        while True:
            probe()
            if self._stop.wait(_PROBE):
                return

    def _probe_redis(self) -> None:
        client = redis.Redis.from_url(
            self._settings.resolved_redis_url,
            socket_timeout=_PROBE_TIMEOUT,
            socket_connect_timeout=_PROBE_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            client.ping()
            self.health.redis = None
        except (redis.RedisError, OSError) as error:
            self.health.redis = explained(error)
        finally:
            client.close()

    def _probe_database(self) -> None:
        with self.health.asking_database():
            try:
                self._offload(self._reads.ping)
                self.health.database = None
            except Unavailable as error:
                self.health.database = str(error)


def _reads_of(store: Any) -> Reads:
    if hasattr(store, "matcher"):
        return store
    from streaming.gateway.storereads import StoreReads

    return StoreReads(store)


class LiveNamespace(Namespace):
    """The messages of ``/live``."""

    def __init__(self, sessions: Sessions, rights: Rights, wires: Wires) -> None:
        super().__init__(NAMESPACE)
        self._sessions = sessions
        self._rights = rights
        self._wires = wires

    def on_connect(self, auth: Any = None) -> None:
        """Who is not signed in is refused."""
        try:
            login = self._rights.login()
        except Unavailable:
            raise ConnectionRefusedError("database away") from None
        if login is None:
            raise ConnectionRefusedError("login required")
        self._sessions.open(request.sid, login)  # type: ignore[attr-defined]

    def on_disconnect(self, reason: Any = None) -> None:
        """The browser is gone."""
        self._sessions.close(request.sid)  # type: ignore[attr-defined]

    def on_clock(self) -> str:
        """What time it is here, for the page to compare with its own."""
        return datetime.now(UTC).isoformat()

    def on_subscribe(self, message: Any) -> dict[str, Any]:
        """Start looking at a topic."""
        sid: str = request.sid  # type: ignore[attr-defined]
        return self._sessions.subscribe(sid, message, partial(self._wires.send, sid))

    def on_unsubscribe(self, message: Any) -> dict[str, Any]:
        """Look no more."""
        sub = message.get("sub") if isinstance(message, dict) else None
        if isinstance(sub, str):
            self._sessions.unsubscribe(request.sid, sub)  # type: ignore[attr-defined]
        return {"ok": True}
