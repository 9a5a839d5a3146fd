"""Who gets in, from where, and how often."""

from __future__ import annotations

import errno
import os
import stat
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import flask
import pytest
import redis
from structlog.testing import capture_logs

from dashboard.accounts import LOGIN, Account, Accounts
from dashboard.app import create_app
from dashboard.attempts import Attempts
from dashboard.auth import secret_key
from dashboard.origins import LiveOrigins
from dashboard.people import People, PersonRefused, TooOften
from dashboard.refusals import Refusals
from tests.dashboard_stubs import EXPIRES, PASSWORD, services
from watchfloor.settings import Settings

ORIGIN = {"Origin": "http://localhost"}


def client_of(folder: Path, **settings: Any) -> Any:
    given = services(folder, **settings)
    return create_app(given.settings, given).server.test_client()


@pytest.fixture
def client(tmp_path: Path) -> Any:
    return client_of(tmp_path)


def sign_in(client: Any, password: str = PASSWORD, path: str = "/login") -> Any:
    return client.post(path, data={"name": "admin", "password": password}, headers=ORIGIN)


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"admin:{password}".encode()).decode()}


def test_a_page_without_a_session_leads_to_the_login_and_back(client: Any) -> None:
    answer = client.get("/executions?filters[state][IN]=FAILED")
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")
    back = sign_in(client, path=answer.location).location
    assert unquote(back) == "/executions?filters[state][IN]=FAILED"
    assert client.get("/executions").status_code == 200


def test_a_wrong_password_stays_outside(client: Any) -> None:
    answer = sign_in(client, "wrong")
    assert answer.status_code == 401
    assert b"Name or password is wrong" in answer.data
    assert client.get("/executions").status_code == 302


def test_a_one_time_link_works_once(client: Any, tmp_path: Path) -> None:
    assert client.get("/login/once").location == "/executions"
    assert client.get("/executions").status_code == 200
    client.post("/logout", headers=ORIGIN)
    assert client.get("/executions").status_code == 302
    assert client.get("/login/once").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: Any) -> None:
    cookie = sign_in(client).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize("path", ["/_dash-update-component", "/logout", "/login", "/api/v1/main/flows"])
@pytest.mark.parametrize("origin", [None, "http://elsewhere.example", "null"])
def test_unsafe_methods_from_elsewhere_are_refused(client: Any, path: str, origin: str | None) -> None:
    sign_in(client)
    answer = client.post(path, headers={"Origin": origin} if origin else {})
    assert answer.status_code == 403


def test_the_public_address_is_our_own_origin_too(tmp_path: Path) -> None:
    client = client_of(tmp_path, public_url="https://floor.example/")
    answer = client.post(
        "/login", data={"name": "admin", "password": PASSWORD}, headers={"Origin": "https://floor.example"}
    )
    assert answer.status_code == 302
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("path", ["/_dash-layout", "/_dash-dependencies"])
def test_the_app_answers_401_without_a_session(client: Any, path: str) -> None:
    assert client.get(path).status_code == 401


def test_the_api_takes_basic_auth_and_says_so(client: Any) -> None:
    refused = client.get("/api/v1/main/nothing")
    assert refused.status_code == 401
    assert "Basic" in refused.headers["WWW-Authenticate"]
    assert client.get("/api/v1/main/nothing", headers=basic("wrong")).status_code == 401
    assert client.get("/api/v1/main/nothing", headers=basic(PASSWORD)).status_code == 404
    assert client.post("/api/v1/main/nothing", headers=basic(PASSWORD)).status_code in (404, 405)


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example/x", "https://evil.example/", "/\\evil.example", "\t//evil.example", "javascript:alert(1)"],
)
def test_the_login_leads_to_our_own_pages_only(client: Any, wanted: str) -> None:
    answer = client.post(
        "/login", query_string={"next": wanted}, data={"name": "admin", "password": PASSWORD}, headers=ORIGIN
    )
    assert answer.location == "/executions"


def test_too_many_tries_are_told_to_wait(tmp_path: Path) -> None:
    client = client_of(tmp_path, login_rate="3 per minute")
    assert [sign_in(client, "wrong").status_code for _ in range(4)] == [401, 401, 401, 429]


@pytest.mark.parametrize("name", ["x" * 10_000, "a\0b", "line\nbreak"])
def test_what_somebody_calls_themselves_is_kept_short_and_plain(tmp_path: Path, name: str) -> None:
    given = services(tmp_path)
    client = create_app(given.settings, given).server.test_client()
    answer = client.post("/login", data={"name": name, "password": "wrong"}, headers=ORIGIN)
    assert answer.status_code == 401
    ((actor, action, *_),) = given.store.audited  # type: ignore[attr-defined]
    assert (len(actor), action) == (min(len(name), 64), "login-failed")
    assert actor.isprintable()


def test_ones_own_old_password_can_be_guessed_only_so_often(tmp_path: Path) -> None:
    given = services(tmp_path, login_rate="2 per minute")
    people = People(given, Account("admin", "admin", session="one"))
    with create_app(given.settings, given).server.test_request_context():
        for _ in range(2):
            with pytest.raises(PersonRefused, match="old password is wrong"):
                people.change_own_password("wrong", "a new password")
        for old in ("wrong", PASSWORD):
            with pytest.raises(TooOften):
                people.change_own_password(old, "a new password")
    assert [row[:3] for row in given.store.audited] == [("admin", "login-failed", "change")] * 2  # type: ignore[attr-defined]
    assert 'watchfloor_login_failures_total{way="change"} 2.0' in given.meter.text()


def test_login_and_health_need_nobody(client: Any) -> None:
    assert client.get("/login").status_code == 200
    assert client.get("/health").json["status"] == "ok"
    with client.get("/assets/css/tokens.css") as answer:
        assert answer.status_code == 200
    assert client.get("/assets/js/main.js").status_code == 302


def test_the_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)
    first = secret_key(settings)
    assert len(first) == 64
    assert secret_key(settings) == first
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_processes_that_start_at_the_same_moment_have_the_same_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, link, others = Settings(_env_file=None, data_dir=tmp_path), os.link, []

    def late(source: Any, target: Any) -> None:
        if not others:
            others.append("")
            others[0] = secret_key(settings)
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    assert secret_key(settings) == others[0]
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_the_secret_needs_no_links_and_is_never_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: Any, target: Any) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    settings = Settings(_env_file=None, data_dir=tmp_path)
    assert len(secret_key(settings)) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
    (tmp_path / "secret-key").write_text("")
    with pytest.raises(RuntimeError, match="which is empty"):
        secret_key(settings)


def test_only_a_login_and_a_logout_set_the_cookie(client: Any) -> None:
    cookie = sign_in(client).headers["Set-Cookie"].split(";")[0]
    elsewhere = client.application.test_client(use_cookies=False)
    answer = elsewhere.get("/executions", headers={"Cookie": cookie, "User-Agent": "another browser"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_a_stolen_cookie_is_dead_after_the_logout(client: Any) -> None:
    cookie = sign_in(client).headers["Set-Cookie"].split(";")[0]
    thief = client.application.test_client(use_cookies=False)
    assert thief.get("/executions", headers={"Cookie": cookie}).status_code == 200
    client.post("/logout", headers=ORIGIN)
    assert thief.get("/executions", headers={"Cookie": cookie}).status_code == 302
    assert thief.post("/_dash-update-component", headers={"Cookie": cookie, **ORIGIN}).status_code == 401


def test_a_login_begins_a_session_of_its_own(client: Any) -> None:
    """Whoever planted a cookie before knows nothing of the session after it."""
    sign_in(client)
    with client.session_transaction() as session:
        planted = dict(session)
    sign_in(client)
    with client.session_transaction() as session:
        assert session["login"] != planted["login"]


@pytest.mark.parametrize("session", [None, 7, "made-up", ["session-1"]])
def test_a_forged_session_in_a_signed_cookie_is_nobody(client: Any, session: Any) -> None:
    sign_in(client)
    with client.session_transaction() as cookie:
        cookie["login"] = session
    assert client.get("/executions").status_code == 302


def test_a_cookie_of_another_name_is_nobody(client: Any) -> None:
    sign_in(client)
    with client.session_transaction() as cookie:
        cookie["_user_id"] = "root"
    assert client.get("/executions").status_code == 302


def test_a_cookie_that_we_did_not_sign_is_nobody(client: Any) -> None:
    signed = sign_in(client).headers["Set-Cookie"].split(";")[0]
    forged = signed[:-3] + ("abc" if not signed.endswith("abc") else "xyz")
    assert (
        client.application.test_client(use_cookies=False).get("/executions", headers={"Cookie": forged}).status_code
        == 302
    )


@pytest.mark.parametrize("token", ["wf_" + "x" * 43, "x", "wf_"])
def test_a_forged_token_is_refused_and_soon_shortly(tmp_path: Path, token: str) -> None:
    client = client_of(tmp_path, login_rate="3 per minute")
    bearer = {"Authorization": f"Bearer {token}"}
    answers = [client.get("/api/v1/main/nothing", headers=bearer).status_code for _ in range(5)]
    assert answers == [401, 401, 401, 429, 429]


def test_foreign_origins_are_counted_and_soon_refused_shortly(tmp_path: Path) -> None:
    given = services(tmp_path, refusal_rate="2 per minute")
    client = create_app(given.settings, given).server.test_client()
    sign_in(client)
    evil = {"Origin": "http://evil.example"}
    assert [client.post("/logout", headers=evil).status_code for _ in range(3)] == [403, 403, 429]
    assert client.get("/executions").status_code == 200
    assert 'watchfloor_refusals_total{way="origin"} 3.0' in given.meter.text()


@pytest.mark.parametrize("cookie", ["forged", "ended"])
def test_a_session_that_is_none_is_logged_counted_and_soon_refused_shortly(tmp_path: Path, cookie: str) -> None:
    given = services(tmp_path, refusal_rate="2 per minute")
    client = create_app(given.settings, given).server.test_client()
    signed = sign_in(client).headers["Set-Cookie"].split(";")[0]
    client.post("/logout", headers=ORIGIN)
    thief = client.application.test_client(use_cookies=False)
    headers = {"Cookie": signed if cookie == "ended" else f"{signed[:-8]}aaaaaaaa"}
    with capture_logs() as lines:
        assert [thief.get("/_dash-layout", headers=headers).status_code for _ in range(3)] == [401, 401, 429]
        assert thief.get("/executions", headers=headers).status_code == 302
        assert thief.get("/executions").status_code == 302
    whys = [line["why"] for line in lines if line["event"] == "access.refused" and line["way"] == "session"]
    assert len(whys) == 2
    assert ("has ended" if cookie == "ended" else "not signed here") in whys[0]
    assert 'watchfloor_refusals_total{way="session"} 4.0' in given.meter.text()


HERE = "http://floor.example"
ORIGINS = [
    ({}, None, True),
    ({}, HERE, True),
    ({}, "https://floor.example", False),
    ({}, "http://floor.example:81", False),
    ({}, "null", False),
    ({}, "http://evil.example", False),
    ({"HTTP_X_FORWARDED_PROTO": "https, http"}, "https://floor.example", True),
    ({"HTTP_X_FORWARDED_HOST": "out.example"}, "http://out.example", True),
    ({"public": "https://out.example/"}, "https://out.example", True),
    ({"public": "https://out.example/"}, HERE, False),
]


@pytest.mark.parametrize(("environ", "origin", "fine"), ORIGINS)
def test_a_live_connection_is_only_opened_from_here(tmp_path: Path, environ: Any, origin: Any, fine: bool) -> None:
    given = services(tmp_path, public_url=environ.get("public"), refusal_rate="2 per minute")
    origins = LiveOrigins(given.settings, Refusals(given.settings.refusal_rate, given.bus, given.meter))
    with capture_logs() as lines:
        for _ in range(3):
            asked = {"wsgi.url_scheme": "http", "HTTP_HOST": "floor.example", "REMOTE_ADDR": "10.0.0.9", **environ}
            assert [origins(origin, asked), origins(origin, asked)] == [fine, fine]
    refused = [(line["way"], line["address"], line["origin"]) for line in lines if line["event"] == "access.refused"]
    assert refused == ([] if fine else [("origin", "10.0.0.9", origin)] * 2)
    assert ('watchfloor_refusals_total{way="origin"} 3.0' in given.meter.text()) is not fine


def test_a_session_that_was_never_seen_is_not_believed_while_the_database_is_away(tmp_path: Path) -> None:
    given = services(tmp_path)
    cookie = sign_in(create_app(given.settings, given).server.test_client()).headers["Set-Cookie"].split(";")[0]
    given.store.away = True  # type: ignore[attr-defined]
    other = create_app(given.settings, given).server.test_client(use_cookies=False)
    answer = other.get("/executions", headers={"Cookie": cookie})
    assert answer.status_code == 503
    assert b"database" in answer.data


def test_what_ended_is_not_believed_while_the_database_is_away(tmp_path: Path) -> None:
    given = services(tmp_path)
    told: list[Any] = []
    with_gateway = replace(given, gateway=SimpleNamespace(on_sign_out=told, answers=None))
    client = create_app(given.settings, with_gateway).server.test_client()
    sign_in(client)
    assert client.get("/executions").status_code == 200
    given.store.away = True  # type: ignore[attr-defined]
    assert client.get("/executions").status_code == 200
    told[0]("user:admin")
    assert client.get("/executions").status_code == 503


def test_a_session_is_not_believed_beyond_its_end(tmp_path: Path) -> None:
    given, now = services(tmp_path), [EXPIRES - timedelta(seconds=1)]
    accounts = Accounts(given, now=lambda: now[0])
    accounts.remember("one", Account("admin", "admin", session="one", until=EXPIRES))
    given.store.away = True  # type: ignore[attr-defined]
    with create_app(given.settings, given).server.test_request_context():
        flask.session[LOGIN] = "one"
        assert accounts.of_session("admin") is not None
        now[0] = EXPIRES
        accounts.forget("somebody else")
        assert accounts.of_session("admin") is None


def test_a_session_outlives_an_absent_database(tmp_path: Path) -> None:
    given = services(tmp_path)
    client = create_app(given.settings, given).server.test_client()
    sign_in(client)
    given.store.away = True  # type: ignore[attr-defined]
    assert client.get("/executions").status_code == 200
    assert client.get("/ready").status_code == 503
    assert "locked" in client.get("/ready").json["problems"]["database"]
    assert client.get("/login").status_code == 302


def test_signing_in_while_the_database_is_away_says_so(tmp_path: Path) -> None:
    given = services(tmp_path)
    client = create_app(given.settings, given).server.test_client()
    given.store.away = True  # type: ignore[attr-defined]
    answer = sign_in(client)
    assert answer.status_code == 503
    assert b"database" in answer.data


def test_while_redis_is_away_tries_are_counted_in_memory() -> None:
    pool = redis.ConnectionPool.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2)
    now = [100.0]
    attempts = Attempts("2 per minute", SimpleNamespace(redis=redis.Redis(connection_pool=pool)), lambda: now[0])
    for _ in range(2):
        assert not attempts.blocked("10.0.0.1")
        attempts.failed("10.0.0.1")
    assert attempts.blocked("10.0.0.1")
    assert not attempts.blocked("10.0.0.2")
