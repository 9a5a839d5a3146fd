"""Who may read ``/metrics``, and what it counts of requests and logins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashboard.app import create_app
from tests.dashboard_stubs import services
from tests.unit.test_dashboard_auth import PASSWORD, basic, client_of, sign_in

TOKEN = {"Authorization": "Bearer a-token"}


def figures(answer: Any) -> dict[str, list[Any]]:
    assert answer.status_code == 200
    return {family.name: family.samples for family in text_string_to_metric_families(answer.get_data(as_text=True))}


def test_strangers_see_nothing(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers=TOKEN).status_code == 401
    assert client.get("/metrics", headers=basic("wrong")).status_code == 401


def test_users_see_them_and_so_does_who_has_the_token(tmp_path: Path) -> None:
    client = client_of(tmp_path, metrics_token="a-token")
    assert client.get("/metrics", headers=basic(PASSWORD)).status_code == 200
    assert client.get("/metrics", headers=TOKEN).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401
    sign_in(client)
    assert client.get("/metrics").content_type.startswith("text/plain; version=0.0.4")


def test_requests_and_refused_logins_are_counted(tmp_path: Path) -> None:
    client = client_of(tmp_path, metrics_token="a-token")
    for _ in range(2):
        client.get("/health")
    client.get("/nowhere/at/all")
    sign_in(client, "wrong")
    client.get("/login/no-such-token")
    client.get("/api/v1/main/flows/search", headers=basic("wrong"))
    found = figures(client.get("/metrics", headers=TOKEN))
    requests = {(s.labels["method"], s.labels["endpoint"], s.labels["status"]): s.value
                for s in found["watchfloor_http_requests"]}  # fmt: skip
    assert requests["GET", "/health", "200"] == 2
    assert requests["POST", "/login", "401"] == 1
    assert ("GET", "/nowhere/at/all", "302") not in requests
    failures = {s.labels["way"]: s.value for s in found["watchfloor_login_failures"]}
    assert failures == {"password": 1, "link": 1, "basic": 1}
    assert {s.labels["process"] for s in found["watchfloor_http_requests"]} == {"web"}
    assert any(s.labels.get("endpoint") == "/health" for s in found["watchfloor_http_request_seconds"])


def test_two_apps_count_apart(tmp_path: Path) -> None:
    one, two = services(tmp_path, metrics_token="a-token"), services(tmp_path, metrics_token="a-token")
    first, second = (create_app(s.settings, s).server.test_client() for s in (one, two))
    first.get("/health")
    found = figures(second.get("/metrics", headers=TOKEN))
    assert not [s for s in found.get("watchfloor_http_requests", ()) if s.labels["endpoint"] == "/health"]


@pytest.mark.parametrize("away", [True, False])
def test_it_says_which_part_is_up(tmp_path: Path, away: bool) -> None:
    given = services(tmp_path, metrics_token="a-token")
    given.store.away = away  # type: ignore[attr-defined]
    found = figures(create_app(given.settings, given).server.test_client().get("/metrics", headers=TOKEN))
    up = {s.labels["part"]: s.value for s in found["watchfloor_up"]}
    assert up == {"database": 0.0 if away else 1.0, "redis": 1.0}
