"""Who may look at what, as the gateway asks it: in the context of the browser's request."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from streaming.gateway.topics import Topic


class Login(msgspec.Struct, frozen=True):
    """What a live connection is there by: the ``keys`` it ends with (a login session, a user, a token), and ``until``
    when that is good by itself (``None``: for ever)."""

    keys: tuple[str, ...] = ()
    until: datetime | None = None


class Rights(Protocol):
    """Asked when a browser connects and at each subscription."""

    def login(self) -> Login | None:
        """What the connection is there by; ``None``: nobody is signed in.

        Raises ``Unavailable`` when that can't be known now.
        """
        ...

    def narrowed(self, topic: Topic) -> Topic:
        """The topic, or the part of it that may be seen. Raises ``PermissionError``."""
        ...

    def refused(self, topic: str, why: str) -> None:
        """A subscription was refused: for whoever counts. Raises ``PermissionError`` when that is too often."""
        ...


class SignedIn:
    """Whoever is signed in may see everything: for a gateway without a table of permissions."""

    def login(self) -> Login | None:
        from flask_login import current_user

        return Login() if current_user.is_authenticated else None

    def narrowed(self, topic: Topic) -> Topic:
        return topic

    def refused(self, topic: str, why: str) -> None:
        return None
