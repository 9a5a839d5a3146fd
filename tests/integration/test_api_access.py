"""Who may call the API, and what is said where there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.api_world import ASKS, BASE, FAILS, FLOW, HANGS, PASSWORD, World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """One for all tests here: each keeps to executions and flows of its own."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, FLOW, HANGS, FAILS, ASKS) as world:
        yield world


def from_address(address: str) -> dict[str, Any]:
    """Request options of a client at that address."""
    return {"environ_base": {"REMOTE_ADDR": address}}


def test_without_a_password_there_is_401(world: World) -> None:
    for auth in (None, ("admin", "wrong"), ("nobody", PASSWORD)):
        answer = world.client.get(f"{BASE}/executions/search", auth=auth, **from_address("10.0.0.1"))
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
        assert answer.get_json()["message"]
    assert world.client.post(f"{BASE}/flows", data=FLOW).status_code == 401


def test_wrong_passwords_are_limited_and_right_ones_are_not(world: World) -> None:
    path, here = f"{BASE}/executions/search", from_address("10.0.0.2")
    assert world.client.get(path, auth=("admin", PASSWORD), **here).status_code == 200
    answers = [world.client.get(path, auth=("admin", f"no {n}"), **here) for n in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert "Too many wrong passwords" in answers[-1].get_json()["message"]
    assert world.client.get(path, auth=("admin", PASSWORD), **here).status_code == 200


def test_a_viewer_reads_but_changes_nothing(world: World) -> None:
    world.store.save_user("vera", "viewer", PASSWORD)
    assert world.request("GET", "/executions/search", user="vera").status_code == 200
    assert world.request("POST", "/flows/validate", user="vera", data=FLOW).status_code == 200
    for method, path in (("POST", "/executions/company.team/greet"), ("PUT", "/flows/company.team/greet")):
        answer = world.request(method, path, user="vera", data={})
        assert answer.status_code == 403
        assert "yours is viewer" in answer.get_json()["message"]


def test_a_session_needs_our_own_origin_to_change_something(world: World) -> None:
    browser = world.server.test_client()
    assert browser.get(f"/login/{world.store.make_login_token('admin')}").status_code == 302
    path = f"{BASE}/executions/company.team/greet"
    assert browser.get(f"{BASE}/executions/search").status_code == 200
    assert browser.post(path).status_code == 403
    assert browser.post(path, headers={"Origin": "http://evil.example"}).status_code == 403
    foreign = browser.post(path, headers={"Origin": "http://evil.example"}, auth=("admin", PASSWORD))
    assert foreign.status_code == 403
    assert "message" in foreign.get_json()
    assert browser.post(path, headers={"Origin": "http://localhost"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/api/v1/main/execution/search", 404, "Did you mean /api/v1/main/executions/search?"),
        ("GET", "/api/v2/x", 404, "docs/api.md lists all there is"),
        ("PATCH", "/api/v1/main/flows/a/b", 405, "it takes DELETE, GET, PUT"),
        ("POST", "/api/v1/main/executions/x/actions/kill", 405, "it takes DELETE"),
        ("GET", "/api/v1/main/executions/nobody", 404, "There is no execution nobody."),
        ("GET", "/api/v1/main/executions/nobody/follow", 404, "There is no execution nobody."),
        ("GET", "/api/v1/main/logs/nobody", 404, "There is no execution nobody."),
        ("GET", "/api/v1/main/outputs/nobody", 404, "There is no execution nobody."),
        ("GET", "/api/v1/main/flows/a/b", 404, "There is no flow a.b."),
    ],
)
def test_what_is_not_there_is_said_in_json(world: World, method: str, path: str, status: int, says: str) -> None:
    answer = world.client.open(path, method=method, auth=("admin", PASSWORD))
    assert answer.status_code == status
    assert says in answer.get_json()["message"]
    assert answer.get_json()["_embedded"] == {"errors": []}
