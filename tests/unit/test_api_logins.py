"""Streams of server-sent events end with the login that they are there by."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import flask
import pytest

from dashboard.accounts import Account
from dashboard.api import sse
from dashboard.api.logins import Logins

NOW = datetime(2026, 11, 30, tzinfo=UTC)
BY_SESSION = Account("ada", "viewer", session="s1", until=NOW + timedelta(hours=1))
BY_TOKEN = Account("ada", "viewer", token="t1")
BY_PASSWORD = Account("ada", "viewer")


def opened(logins: Logins, person: Account, closed: list[str]) -> flask.Response:
    def events() -> Generator[str]:
        try:
            while True:
                yield sse.KEEP_ALIVE
        finally:
            closed.append(person.name)

    api: Any = SimpleNamespace(person=person, logins=logins)
    with flask.Flask("x").test_request_context():
        return sse.stream(api, events())


@pytest.mark.parametrize(
    ("person", "key", "ends"),
    [
        (BY_SESSION, "s1", True),
        (BY_SESSION, "s2", False),
        (BY_SESSION, "user:ada", True),
        (BY_TOKEN, "token:t1", True),
        (BY_TOKEN, "token:t2", False),
        (BY_TOKEN, "user:ada", True),
        (BY_PASSWORD, "user:ada", True),
        (BY_PASSWORD, "user:bob", False),
    ],
)
def test_a_stream_ends_with_its_login(person: Account, key: str, ends: bool) -> None:
    logins, closed = Logins(lambda: NOW), list[str]()
    with opened(logins, person, closed) as answer:
        chunks = iter(answer.response)
        assert next(chunks) == sse.KEEP_ALIVE
        logins.end(key)
        assert next(chunks, None) == (None if ends else sse.KEEP_ALIVE)
    assert closed == ["ada"]


def test_a_stream_ends_when_its_login_is_over_by_itself() -> None:
    now = [NOW]
    with opened(Logins(lambda: now[0]), BY_SESSION, []) as answer:
        chunks = iter(answer.response)
        assert next(chunks) == sse.KEEP_ALIVE
        now[0] = NOW + timedelta(hours=1)
        assert next(chunks, None) is None


def test_a_login_is_held_as_long_as_its_stream_is_open() -> None:
    logins = Logins()
    with opened(logins, BY_TOKEN, []), opened(logins, BY_TOKEN, []):
        assert len(logins._held) == 2
    assert not logins._held
