"""Server-sent events: their form, their headers, how many at once, and a sign of life while nothing happens."""

from __future__ import annotations

from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import Any

import flask

from dashboard.api.errors import ApiError
from streaming import codec

FOLLOWERS_MAX = 500  # streams open at once in one process; one more is refused with 503
KEEP_ALIVE_SECONDS = 10.0
KEEP_ALIVE = ": keep-alive\n\n"

_free = BoundedSemaphore(FOLLOWERS_MAX)


def event(name: str, data: Any) -> str:
    """One event: its id says what it is (``progress``, ``end``)."""
    return f"id: {name}\ndata: {codec.to_json(data).decode()}\n\n"


def stream(events: Iterator[str]) -> flask.Response:
    """An answer that stays open while ``events`` come."""
    if not _free.acquire(blocking=False):
        raise ApiError(503, f"{FOLLOWERS_MAX} streams are open in this process already; try again later.")
    response = flask.Response(
        events,
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )
    response.call_on_close(_free.release)
    return response
