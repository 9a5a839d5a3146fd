"""One browser's subscriptions: the messages up, checked, and their acknowledgements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from redis.exceptions import RedisError

from streaming import codec, keys
from streaming.bus import Bus
from streaming.gateway.feed import holds
from streaming.gateway.hub import Hub
from streaming.gateway.items import Item, LinesItem
from streaming.gateway.loader import Loader
from streaming.gateway.logview import LogsView
from streaming.gateway.reads import Unavailable
from streaming.gateway.rights import Login, Rights
from streaming.gateway.subscribers import Subscriber
from streaming.gateway.topics import TopicError, parse_topic
from streaming.gateway.views import ExecutionView, Position, View, items_of
from streaming.messages import Deltas

SUBSCRIPTIONS_MAX = 64  # of one browser tab; more are refused
_RESUME_COMMITS_MAX = 2_000
_RESUME_CHUNK = 200

SendFrame = Callable[[str, str, Callable[[], None]], None]


class Wish(msgspec.Struct, frozen=True):
    """A ``subscribe`` message. ``cursor`` and ``mark`` are those of the last frame seen, when resuming."""

    sub: str
    topic: str
    params: dict[str, Any] = {}
    cursor: str | None = None
    mark: str | None = None


class Sessions:
    """All browsers of this process, by the id of their connection."""

    def __init__(self, hub: Hub, loader: Loader, bus: Bus, page_size_max: int, rights: Rights) -> None:
        self._hub = hub
        self._loader = loader
        self._bus = bus
        self._page_size_max = page_size_max
        self._rights = rights
        self._subscribers: dict[str, dict[str, Subscriber]] = {}
        self._logins: dict[str, Login] = {}

    def __len__(self) -> int:
        return len(self._subscribers)

    def topics(self) -> Counter[str]:
        """How many subscriptions there are of each topic."""
        mine = list(self._subscribers.values())
        return Counter(subscriber.view.topic.name for each in mine for subscriber in list(each.values()))

    def open(self, sid: str, login: Login) -> None:
        """A browser connected, by a login that its connection ends with."""
        self._subscribers[sid] = {}
        self._logins[sid] = login

    def ending_with(self, key: str) -> list[str]:
        """The connections that end with a login session, a user or a token."""
        return [sid for sid, login in list(self._logins.items()) if key in login.keys]

    def over(self, now: datetime) -> list[str]:
        """The connections whose login session or token is over."""
        return [sid for sid, login in list(self._logins.items()) if login.until is not None and login.until <= now]

    def close(self, sid: str) -> None:
        """It is gone; so are its subscriptions."""
        self._logins.pop(sid, None)
        for subscriber in self._subscribers.pop(sid, {}).values():
            self._hub.leave(subscriber)

    def unsubscribe(self, sid: str, sub: str) -> None:
        """It looks no more at one topic."""
        if (subscriber := self._subscribers.get(sid, {}).pop(sub, None)) is not None:
            self._hub.leave(subscriber)

    def subscribe(self, sid: str, message: Any, send: SendFrame) -> dict[str, Any]:
        """Start a subscription; the acknowledgement.

        ``{ok, cursor, mark, snapshot}`` with the snapshot as JSON text, or ``{ok, cursor, mark, resumed: n, items?}``
        with what was missed as JSON text, or ``{ok: false, error, retry}``.
        """
        try:
            wish = msgspec.convert(message, Wish)
            return self._subscribe(sid, wish, send)
        except (TopicError, ValueError, PermissionError) as error:
            return {"ok": False, "error": self._refused(message, str(error)), "retry": False}
        except Unavailable as error:
            return {"ok": False, "error": f"The database is away: {error}", "retry": True}

    def _refused(self, message: Any, why: str) -> str:
        topic = message.get("topic") if isinstance(message, dict) else None
        try:
            self._rights.refused(str(topic)[:80], why)
        except PermissionError as error:
            return str(error)
        return why

    def _subscribe(self, sid: str, wish: Wish, send: SendFrame) -> dict[str, Any]:
        mine = self._subscribers.get(sid)
        if mine is None:
            raise TopicError("expected a connection that is still open")
        if wish.sub not in mine and len(mine) >= SUBSCRIPTIONS_MAX:
            raise TopicError(f"expected at most {SUBSCRIPTIONS_MAX} subscriptions of one page")
        topic = self._rights.narrowed(parse_topic(wish.topic, wish.params, self._page_size_max))
        self.unsubscribe(sid, wish.sub)
        view = self._hub.view(topic)
        self._loader.prepare(view)
        position, answer = self._start(view, wish)
        subscriber = self._hub.join(view, position, lambda frame, acked: send(wish.sub, frame, acked))
        if sid in self._subscribers:
            mine[wish.sub] = subscriber
        else:  # it went away while the store was asked
            self._hub.leave(subscriber)
        self._hub.wake()
        return {"ok": True, "cursor": view.cursor or self._hub.cursor or "", "mark": view.mark(position), **answer}

    def _start(self, view: View, wish: Wish) -> tuple[Position, dict[str, Any]]:
        with self._hub.lock:
            resumed = view.position(wish.mark)
            position = view.head
        if resumed is not None:
            return resumed, {"resumed": 0}
        items = self._missed(view, wish.cursor) if wish.cursor else None
        if items is not None:
            return position, {"resumed": len(items), "items": codec.to_json(items).decode()}
        data = None if view.loads else self._loader.read(view)
        with self._hub.lock:
            snapshot = view.snapshot(data)
            position = view.head if view.loads else position
        return position, {"snapshot": codec.to_json(snapshot).decode()}

    def _missed(self, view: View, cursor: str) -> list[Item] | None:
        """What a browser that comes back to another or a new process missed; ``None``: it needs a snapshot."""
        if isinstance(view, LogsView) and cursor.isdigit():
            return self._missed_lines(view, int(cursor))
        if isinstance(view, ExecutionView):
            return self._missed_changes(view, cursor)
        return None

    def _missed_lines(self, view: LogsView, seq: int) -> list[Item] | None:
        limit = self._hub.limits.frame_max_items
        entries = self._loader.lines_after(view.topic, seq, limit + 1)
        if len(entries) > limit:
            return None
        return [LinesItem(tuple(entries), view.total)] if entries else []

    def _missed_changes(self, view: ExecutionView, cursor: str) -> list[Item] | None:
        try:
            commits = self._commits_after(cursor)
        except (RedisError, ValueError):
            return None
        if commits is None:
            return None
        newest: dict[Any, Item] = {}
        for commit in commits:
            if any(row.id == view.topic.id for row in commit.removed):
                return None
            for delta in commit.items:
                if delta.row.id == view.topic.id:
                    for key, item in items_of(delta):
                        newest.pop(key, None)
                        newest[key] = item
        return list(newest.values())

    def _commits_after(self, cursor: str) -> list[Deltas] | None:
        if not holds(self._bus, cursor):
            return None
        found: list[Deltas] = []
        while len(found) <= _RESUME_COMMITS_MAX:
            entries = self._bus.read(keys.DELTAS, cursor, count=_RESUME_CHUNK, block_ms=None)
            found.extend(codec.decode_live(entry.payload) for entry in entries)
            if len(entries) < _RESUME_CHUNK:
                return found
            cursor = entries[-1].id
        return None
