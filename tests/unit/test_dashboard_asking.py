"""Every callback, page, endpoint and topic asks the table: found by walking through them, so a new one is found too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask_login import login_user

from dashboard.accounts import Account
from dashboard.api import ENDPOINTS
from dashboard.api.spec import Endpoint
from dashboard.app import create_app
from dashboard.callbacks.asking import UPDATE, asks
from dashboard.callbacks.routing import render
from dashboard.live_rights import TOPIC_VERBS
from dashboard.pages import pages
from dashboard.pages.router import route
from dashboard.permissions import PERMISSIONS, Role
from data.records import User
from streaming.gateway.topics import TOPICS
from tests.dashboard_stubs import PASSWORD, services

ORIGIN = {"Origin": "http://localhost"}
ROLES = ("none", "viewer", "operator", "admin")


def app_of(folder: Path, role: str = "admin", **settings: Any) -> Any:
    given = services(folder, **settings)
    given.store.user = lambda name: User(name, role)  # type: ignore[method-assign]
    app = create_app(given.settings, given)
    app.server.test_client().get("/health")  # Dash sets up at the first request
    return app, given


def signed_in(app: Any) -> Any:
    client = app.server.test_client()
    client.post("/login", data={"name": "admin", "password": PASSWORD}, headers=ORIGIN)
    return client


def callbacks(app: Any) -> dict[str, Any]:
    """The functions that run on the server, by their outputs."""
    return {output: one["callback"] for output, one in app.callback_map.items() if "callback" in one}


def test_every_callback_says_what_it_asks(tmp_path: Path) -> None:
    app, _ = app_of(tmp_path)
    assert len(callbacks(app)) > 10
    assert [output for output, one in callbacks(app).items() if getattr(one, "asks", None) not in PERMISSIONS] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_callback_of_more_than_ones_role_never_runs(tmp_path: Path, role: str) -> None:
    app, _ = app_of(tmp_path, role, refusal_rate="1000 per minute")
    client, ran = signed_in(app), []
    for output, one in callbacks(app).items():

        def runs(*_: Any, output: str = output, **__: Any) -> str:
            ran.append(output)
            return "{}"

        app.callback_map[output]["callback"] = asks(one.asks)(runs)
        answer = client.post(UPDATE, json={"output": output, "inputs": [], "changedPropIds": []}, headers=ORIGIN)
        barred = Role.named(role) < PERMISSIONS[one.asks].least
        assert (answer.status_code == 403) is barred, (output, answer.status_code)
        assert (output in ran) is not barred
        assert not barred or f"yours is {role}" in answer.text


@pytest.mark.parametrize("output", ["made.up", "", None, 7, ["x"], "../etc"])
def test_a_forged_callback_is_refused(tmp_path: Path, output: Any) -> None:
    app, _ = app_of(tmp_path, refusal_rate="2 per minute")
    client = signed_in(app)
    answers = [client.post(UPDATE, json={"output": output}, headers=ORIGIN).status_code for _ in range(3)]
    assert answers == [403, 403, 429]
    assert client.post(UPDATE, data=b"not json", headers=ORIGIN).status_code == 429


def test_nobody_calls_a_callback(tmp_path: Path) -> None:
    app, _ = app_of(tmp_path)
    for output in callbacks(app):
        answer = app.server.test_client().post(UPDATE, json={"output": output}, headers=ORIGIN)
        assert answer.status_code == 401


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_every_endpoint_asks_and_knows_where(endpoint: Endpoint) -> None:
    """What changes something names its verb; without a namespace in its path it narrows, or is for all of them."""
    assert endpoint.open or endpoint.needs in PERMISSIONS
    assert endpoint.open or endpoint.method == "GET" or endpoint.verb is not None
    home = {"namespace", "executionId"} & set(endpoint.names)
    everywhere = not endpoint.open and PERMISSIONS[endpoint.needs].everywhere
    assert endpoint.open or home or endpoint.narrows or everywhere


def test_every_topic_asks() -> None:
    assert set(TOPIC_VERBS) == set(TOPICS)
    assert {verb for verb, _ in TOPIC_VERBS.values()} <= set(PERMISSIONS)


def test_every_page_asks() -> None:
    assert {page.verb for page in pages()} <= set(PERMISSIONS)


@pytest.mark.parametrize("tab", ["account", "users", "tokens", "sessions"])
def test_settings_are_there_for_whoever_may_see_one_namespace(tmp_path: Path, tab: str) -> None:
    app, given = app_of(tmp_path)
    given.store.sessions = given.store.tokens = lambda name: []  # type: ignore[attr-defined]
    with app.server.test_request_context("/"):
        login_user(Account("ada", "none", {"team": "viewer"}))
        found = route(pages(), f"/settings/{tab}")
        page, title = render(given, found, f"/settings/{tab}", "")
    assert title == "Settings"
    assert ("Users and roles" in str(page)) is False
