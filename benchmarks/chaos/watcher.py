"""Somebody who looks: live subscriptions that come back with their cursors after each cut, and what they then know."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import socketio
from socketio.exceptions import SocketIOError

from benchmarks.chaos.fold import Fold, ListFold, LogFold, OneFold
from benchmarks.chaos.mix import NAMESPACE
from data import Store

_LIVE = "/live"
_PAUSE = 0.1  # seconds between two tries to come back
_ANSWER = 10.0  # seconds


class Subscription:
    """One topic: where it stands, and what was folded. Frames may come before the answer they belong behind."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self.answered = False
        self._at: dict[str, Any] = {}
        self._early: list[dict[str, Any]] = []

    def wish(self, sub: str) -> dict[str, Any]:
        """The message that starts or resumes it."""
        return {"sub": sub, "topic": self.fold.topic, "params": self.fold.params, **self._at}

    def cut(self) -> None:
        """The connection is lost."""
        self.answered, self._early = False, []

    def answer(self, answer: dict[str, Any]) -> str:
        """Take the answer; ``resumed``, ``snapshot`` or ``refused``."""
        if not answer.get("ok"):
            return "refused"
        self.answered = True
        how = "snapshot" if "snapshot" in answer else "resumed"
        content = (
            {how: json.loads(answer[how])} if how == "snapshot" else {"items": json.loads(answer.get("items", "[]"))}
        )
        for frame in ({**answer, **content}, *self._early):
            self._take(frame)
        self._early = []
        return how

    def frame(self, frame: dict[str, Any]) -> None:
        """Take a frame."""
        if self.answered:
            self._take(frame)
        else:
            self._early.append(frame)

    def _take(self, frame: dict[str, Any]) -> None:
        self._at = {"cursor": frame["cursor"], "mark": frame["mark"]}
        if "snapshot" in frame:
            self.fold.begin(frame["snapshot"])
        else:
            for item in frame.get("items", ()):
                self.fold.take(item)


class Watcher:
    """A page that shows the list and a few executions with their logs. ``answers`` counts how it was answered."""

    def __init__(self, url: str, header: dict[str, str], ids: Sequence[str]) -> None:
        self.answers: Counter[str] = Counter()
        self._url, self._header = url, header
        folds = [ListFold(NAMESPACE), *(kind(id) for id in ids for kind in (OneFold, LogFold))]
        self._subscriptions = {str(number): Subscription(fold) for number, fold in enumerate(folds)}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._client: socketio.Client | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        self.cut()
        self._thread.join(_ANSWER)

    def cut(self) -> None:
        """Lose the connection."""
        client = self._client
        if client is not None:
            with suppress(SocketIOError, OSError):
                client.disconnect()

    def differences(self, store: Store) -> list[str]:
        """In words, what it knows otherwise than the store."""
        with self._lock:
            return [words for one in self._subscriptions.values() for words in one.fold.differences(store)]

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE):
            with suppress(SocketIOError, OSError, TimeoutError):
                self._look()

    def _look(self) -> None:
        """One connection, from its beginning to its end. Raises ``SocketIOError`` when there is none."""
        self._client = client = socketio.Client(reconnection=False, handle_sigint=False)
        client.on("frame", self._frame, namespace=_LIVE)
        with self._lock:
            for one in self._subscriptions.values():
                one.cut()
        try:
            client.connect(self._url, headers=self._header, namespaces=[_LIVE], transports=["websocket"])
            while client.connected and not self._stop.is_set():
                self._subscribe(client)
                self._stop.wait(_PAUSE)
        finally:
            client.disconnect()

    def _subscribe(self, client: socketio.Client) -> None:
        for sub, one in self._subscriptions.items():
            if not one.answered:
                answer = client.call("subscribe", one.wish(sub), namespace=_LIVE, timeout=_ANSWER)
                with self._lock:
                    self.answers[one.answer(answer)] += 1

    def _frame(self, sub: str, text: str) -> None:
        with self._lock:
            self._subscriptions[sub].frame(json.loads(text))


@contextmanager
def watching(url: str, header: dict[str, str], ids: Sequence[str]) -> Iterator[Watcher]:
    """A watcher for the time of the block."""
    watcher = Watcher(url, header, ids)
    watcher.start()
    try:
        yield watcher
    finally:
        watcher.close()
