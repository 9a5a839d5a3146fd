"""Streams that are open when a session or a token ends, or when somebody gets other rights: they end, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from engine.ids import new_id
from tests.integration.api_world import BASE, HANGS, PASSWORD, World, running
from tests.integration.homes import only

ORIGIN = {"Origin": "http://localhost"}

pytestmark = only("sqlite")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, HANGS) as world:
        user = {"name": "ada", "password": PASSWORD, "role": "viewer"}
        assert world.request("POST", "/users", json=user).status_code == 200
        yield world


@pytest.fixture(scope="module")
def hanging(world: World) -> str:
    """An execution that goes on, and has a line of log."""
    id: str = world.execute("company.other/hangs")["id"]
    world.hanging(id)
    return id


# What a request sends along, and what ends the login that it is by.


def by_session(world: World) -> tuple[dict[str, Any], Callable[[], Any]]:
    browser = world.server.test_client()
    assert browser.post("/login", data={"name": "ada", "password": PASSWORD}, headers=ORIGIN).status_code == 302
    cookie = browser.get_cookie("watchfloor")
    assert cookie is not None
    sent = {"headers": {"Cookie": f"watchfloor={cookie.value}"}}
    return sent, lambda: world.request("DELETE", "/sessions?user=ada")


def by_token(world: World) -> tuple[dict[str, Any], Callable[[], Any]]:
    made = world.request("POST", "/tokens", json={"name": "ci", "role": "viewer"}).get_json()
    sent = {"headers": {"Authorization": f"Bearer {made['token']}"}}
    return sent, lambda: world.request("DELETE", f"/tokens/{made['id']}")


def by_password(world: World) -> tuple[dict[str, Any], Callable[[], Any]]:
    grants = {"grants": {new_id(): "viewer"}}
    return {"auth": ("ada", PASSWORD)}, lambda: world.request("PUT", "/users/ada", json=grants)


@pytest.mark.parametrize("login", [by_session, by_token, by_password])
@pytest.mark.parametrize("path", ["/executions/{}/follow", "/logs/{}/follow", "/executions/{}/follow-dependencies"])
def test_streams_end_with_their_login(
    world: World, hanging: str, monkeypatch: pytest.MonkeyPatch, path: str, login: Callable[[World], Any]
) -> None:
    monkeypatch.setattr("dashboard.api.sse.KEEP_ALIVE_SECONDS", 0.05)
    sent, end = login(world)
    with world.server.test_client(use_cookies=False).get(BASE + path.format(hanging), buffered=False, **sent) as answer:
        assert answer.status_code == 200
        chunks = iter(answer.response)
        assert b"id: progress" in next(chunks)
        assert len(list(islice(chunks, 3))) == 3
        assert end().status_code < 300
        assert len(list(islice(chunks, 20))) < 20
