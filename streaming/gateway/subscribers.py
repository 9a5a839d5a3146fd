"""Subscribers: who looks at a view, how far they have seen, and whether they have acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from streaming.gateway.views import Position, View


class Send(Protocol):
    """Gives a frame to one subscriber; ``acked`` is to be called when it says that it has painted it."""

    def __call__(self, frame: str, acked: Callable[[], None]) -> None: ...


class Subscriber:
    """One subscription of one browser.

    Bound: one frame on its way and a position, however slow it is. While ``waiting`` for the acknowledgement of a
    frame it gets none; what changes meanwhile is in the next one, conflated.
    """

    __slots__ = ("closed", "position", "send", "view", "waiting")

    def __init__(self, view: View, position: Position, send: Send) -> None:
        self.view = view
        self.position = position
        self.send = send
        self.waiting = False
        self.closed = False
