"""The logins that open streams are there by: a stream ends with its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from streaming.gateway.rights import Login


class Held:
    """A login that something is open by. ``over``: whether it ended, or its time is up."""

    def __init__(self, login: Login, now: Callable[[], datetime]) -> None:
        self.login = login
        self.ended = False
        self._now = now

    @property
    def over(self) -> bool:
        until = self.login.until
        return self.ended or (until is not None and until <= self._now())


class Logins:
    """Those held in one app. ``end`` is told when a session, a token or a user's rights ended, here or elsewhere."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._held: set[Held] = set()

    def hold(self, person: Any) -> Held:
        """The login of who asks, to be looked at until ``let_go``."""
        held = Held(Login(person.keys, person.until), self._now)
        self._held.add(held)
        return held

    def let_go(self, held: Held) -> None:
        """Nothing is open by it any more."""
        self._held.discard(held)

    def end(self, key: str) -> None:
        """What ends with ``key`` is over."""
        for held in list(self._held):
            held.ended = held.ended or key in held.login.keys
