"""Server-sent events: their form, their headers, how many at once, a sign of life while nothing happens, and their
end with the login that they are there by."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from itertools import takewhile
from threading import BoundedSemaphore
from typing import Any

import flask

from dashboard.api.context import Api
from dashboard.api.errors import ApiError
from streaming import codec

FOLLOWERS_MAX = 500  # streams open at once in one process; one more is refused with 503
KEEP_ALIVE_SECONDS = 10.0
KEEP_ALIVE = ": keep-alive\n\n"

_free = BoundedSemaphore(FOLLOWERS_MAX)


def event(name: str, data: Any) -> str:
    """One event: its id says what it is (``progress``, ``end``)."""
    return f"id: {name}\ndata: {codec.to_json(data).decode()}\n\n"


def stream(api: Api, events: Generator[str]) -> flask.Response:
    """An answer that stays open while ``events`` come, and no longer than the login of who asks.

    That is looked at whenever there is something to send: ``KEEP_ALIVE_SECONDS`` apart, or a little more.
    """
    person = api.person
    if not _free.acquire(blocking=False):
        raise ApiError(503, f"{FOLLOWERS_MAX} streams are open in this process already; try again later.")
    login = api.logins.hold(person)
    response = flask.Response(
        takewhile(lambda _: not login.over, events),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )
    for release in (_free.release, partial(api.logins.let_go, login), events.close):
        response.call_on_close(release)
    return response
