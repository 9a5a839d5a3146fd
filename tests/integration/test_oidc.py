"""Signing in by OpenID Connect against a small real provider of our own: PKCE, state, nonce, groups."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from data import Store
from tests.integration.api_world import PASSWORD, World, running
from tests.integration.homes import only

KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
ORIGIN = {"Origin": "http://localhost"}
ROLES = {"ops": "operator", "data": "admin@company.data,viewer"}

pytestmark = only("sqlite")


class Provider(ThreadingHTTPServer):
    """Gives codes for whoever asks and tokens for its codes; what it says of them can be bent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.claims: dict[str, Any] = {"preferred_username": "olga", "groups": ["ops"]}
        self.bent: dict[str, Any] = {}
        self.key = KEY
        self.asked: dict[str, dict[str, str]] = {}
        self.requests: list[str] = []

    def code(self, location: str) -> str:
        """Where the browser goes back to, having signed in there."""
        query = dict(parse_qsl(urlsplit(location).query))
        code = f"code-{len(self.asked) + 1}"
        self.asked[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def tokens(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Tokens for a code and its verifier, once."""
        asked = self.asked.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked.get("code_challenge_method") != "S256" or asked["code_challenge"] != challenge:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "watchfloor", "sub": "1", "iat": now, "exp": now + 60,
                  "nonce": asked["nonce"], **self.claims, **self.bent}  # fmt: skip
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return {"access_token": "x", "token_type": "Bearer", "id_token": token}


class Handler(BaseHTTPRequestHandler):
    """The three addresses of a provider."""

    server: Provider

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        issuer = self.server.issuer
        self._answer({
            "/.well-known/openid-configuration": {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            },
            "/keys": {"keys": [KEY.as_dict(private=False)]},
        }.get(self.path))  # fmt: skip

    def do_POST(self) -> None:
        self.server.requests.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(self.server.tokens({name: value[0] for name, value in parse_qs(body).items()}))

    def _answer(self, payload: Any) -> None:
        data = json.dumps(payload if payload is not None else {"error": "invalid_grant"}).encode()
        self.send_response(200 if payload is not None else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def world(tmp_path: Path, valkey_url: str, database_url: str, provider: Provider) -> Iterator[World]:
    settings: dict[str, Any] = {"oidc_client_id": "watchfloor", "oidc_client_secret": "s3cret", "oidc_roles": ROLES}
    settings |= {"oidc_issuer": provider.issuer, "login_rate": "100 per minute"}
    with running(tmp_path, valkey_url, database_url, **settings) as world:
        yield world


def sign_in(world: World, provider: Provider, browser: Any = None) -> tuple[Any, Any]:
    browser = browser or world.server.test_client()
    away = browser.get("/login/oidc?next=/flows")
    assert away.status_code == 302, away.text
    return browser, browser.get(provider.code(away.location))


def test_somebody_is_signed_in_by_the_provider_with_the_roles_of_its_groups(world: World, provider: Provider) -> None:
    assert b"/login/oidc" in world.server.test_client().get("/login").data
    browser, answer = sign_in(world, provider)
    assert (answer.status_code, answer.location) == (302, "/flows")
    assert browser.get("/api/v1/main/executions/search").status_code == 200
    found = world.store.user("olga")
    assert found is not None
    assert (found.role, found.grants, found.source) == ("operator", {}, "oidc")
    provider.claims["groups"] = ["data"]
    sign_in(world, provider)
    changed = world.store.user("olga")
    assert changed is not None
    assert (changed.role, changed.grants) == ("viewer", {"company.data": "admin"})
    assert world.store.check_password("olga", "") is None
    assert [row.action for row in world.store.audits("olga")] == ["login", "user-change", "login", "user-create"]


@pytest.mark.parametrize(
    "bent",
    [
        {"nonce": "another"},
        {"iss": "http://evil.example"},
        {"aud": "somebody-else"},
        {"exp": 1},
    ],
)
def test_a_token_that_is_not_for_us_is_refused(world: World, provider: Provider, bent: dict[str, Any]) -> None:
    provider.bent = bent
    browser, answer = sign_in(world, provider)
    assert answer.status_code == 401
    assert browser.get("/api/v1/main/executions/search").status_code == 401
    assert world.store.user("olga") is None


def test_a_token_that_another_key_signed_is_refused(world: World, provider: Provider) -> None:
    provider.key = OTHER
    assert sign_in(world, provider)[1].status_code == 401


def test_a_forged_state_and_a_code_used_twice_are_refused(world: World, provider: Provider) -> None:
    browser = world.server.test_client()
    back = provider.code(browser.get("/login/oidc").location)
    assert world.server.test_client().get(back).status_code == 401  # of another browser
    assert browser.get(back.replace("state=", "state=x")).status_code == 401
    browser, _ = sign_in(world, provider)
    assert browser.get(back).status_code == 401
    assert browser.get("/login/oidc/callback?error=access_denied").status_code == 401


@pytest.mark.parametrize("claims", [{"groups": ["strangers"]}, {"groups": None}, {"preferred_username": ""}])
def test_who_has_no_role_here_stays_outside(world: World, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims |= claims
    assert sign_in(world, provider)[1].status_code == 403
    assert world.store.user("olga") is None


def test_nobody_takes_over_a_user_with_a_password(world: World, provider: Provider) -> None:
    provider.claims["preferred_username"] = "admin"
    answer = sign_in(world, provider)[1]
    assert answer.status_code == 403
    assert b"with a password here" in answer.data
    assert world.store.check_password("admin", PASSWORD) is not None


def test_who_is_disabled_here_stays_outside(world: World, provider: Provider) -> None:
    from data.audit import By

    sign_in(world, provider)
    world.store.change_user("olga", By("admin"), disabled=True)
    assert sign_in(world, provider)[1].status_code == 403


def test_a_provider_that_is_away_is_said(world: World, provider: Provider) -> None:
    provider.shutdown()
    provider.server_close()
    answer = world.server.test_client().get("/login/oidc")
    assert answer.status_code == 502
    assert b"reached" in answer.data


def test_without_an_issuer_nothing_is_asked(tmp_path: Path, valkey_url: str, database_url: str) -> None:
    with running(tmp_path, valkey_url, database_url) as world:
        assert isinstance(world.store, Store)
        assert b"oidc" not in world.server.test_client().get("/login").data
        assert world.server.test_client().get("/login/oidc").status_code == 401  # read as a one-time link
