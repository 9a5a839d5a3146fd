"""Who gets in: the guard before every request, and what it needs.

Everything but the login page, its looks and the health checks needs a user. Unsafe methods must come from our own
origin, or carry an ``Authorization`` header, which no foreign page can make a browser send.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from tempfile import mkstemp
from typing import Any
from urllib.parse import urlsplit

import flask
import structlog
from flask_login import LoginManager, current_user

from dashboard import login, oidc
from dashboard.accounts import Account, Accounts, why_nobody
from dashboard.refusals import TOO_MANY, Refusals
from dashboard.services import Services
from data.audit import ADDRESS, TOKEN
from watchfloor.settings import Settings

__all__ = ["Account", "register", "same_origin", "secret_key"]

log = structlog.get_logger()

OPEN_PATHS = ("/login", "/health", "/ready", "/metrics", "/assets/css/", "/assets/img/",
              "/assets/js/clientside/theme.js", "/vendor/fonts", "/favicon.ico")  # fmt: skip
OPEN_CALLS = "/api/v1/main/executions/webhook/"  # what follows holds the key that stands for a login
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def register(server: flask.Flask, services: Services) -> None:
    """Sessions, the login pages and the guard, on ``server``."""
    _configure(server, services.settings)
    manager = LoginManager(server)
    manager.session_protection = None  # it would set the cookie anew on ordinary answers, late ones after a logout too
    accounts = Accounts(services)
    refusals = Refusals(services.settings.refusal_rate, services.bus, services.meter)
    if services.gateway is not None and hasattr(services.gateway, "on_sign_out"):
        services.gateway.on_sign_out.append(accounts.forget)
    manager.user_loader(accounts.of_session)
    manager.request_loader(partial(_of_request, accounts))
    server.before_request(_note_address)
    server.teardown_request(_forget)
    server.before_request(lambda: _guard(services.settings, refusals))
    login.register(server, services, accounts)
    oidc.register(server, services, accounts)


def _note_address() -> None:
    """Audit rows written while this request is answered say where it came from."""
    ADDRESS.set(flask.request.remote_addr)


def _of_request(accounts: Accounts, request: flask.Request) -> Account | None:
    """The account of its ``Authorization`` header; rows of the audit name the token that it is."""
    account = accounts.of_request(request)
    TOKEN.set(f"{account.token_name} ({account.token})" if account is not None and account.token else None)
    return account


def _forget(_: BaseException | None) -> None:
    ADDRESS.set(None)
    TOKEN.set(None)


def secret_key(settings: Settings) -> str:
    """The key that signs sessions: the setting, else one made once and kept in the data folder."""
    if settings.secret_key:
        return settings.secret_key.get_secret_value()
    path = settings.data_dir / "secret-key"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make_key(path)
    if not (key := path.read_text()):
        raise RuntimeError(
            f"expected the key that signs sessions in {path}, which is empty: remove it to have one made"
        )
    return key


def _make_key(path: Path) -> None:
    """Write a new key. It appears whole or not at all: two processes may start at the same moment, and one key wins."""
    handle, name = mkstemp(dir=path.parent, prefix="secret-key-")  # 0600
    with os.fdopen(handle, "w") as file:
        file.write(os.urandom(32).hex())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(name, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links: there the last of those that start together wins
        Path(name).replace(path)
        return
    Path(name).unlink()


def _configure(server: flask.Flask, settings: Settings) -> None:
    server.config.update(
        SECRET_KEY=secret_key(settings),
        SESSION_COOKIE_NAME="watchfloor",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=(settings.public_url or "").startswith("https://"),
        PERMANENT_SESSION_LIFETIME=settings.session_hours * 3600,
        SESSION_REFRESH_EACH_REQUEST=False,
    )


# -- the guard


def _guard(settings: Settings, refusals: Refusals) -> Any:
    request = flask.request
    if request.path.startswith(OPEN_CALLS):
        return None
    if request.method not in SAFE_METHODS and not same_origin(request, settings):
        return _foreign(request, refusals)
    if request.path.startswith(OPEN_PATHS) or current_user.is_authenticated:
        return None
    why = why_nobody()
    fine = why is None or refusals.within_rate("session", None, why, path=request.path)
    called = request.path.startswith(("/api/", "/_dash")) or request.method not in SAFE_METHODS
    if called and not fine:  # a page leads to the login however often that was
        return _refused(request, 429, TOO_MANY)
    if request.path.startswith("/api/"):
        return _unauthorized_api()
    if called:
        return flask.Response("The session has ended: sign in again.\n", 401, mimetype="text/plain")
    return flask.redirect(flask.url_for("login", next=request.full_path.rstrip("?")))


def _foreign(request: flask.Request, refusals: Refusals) -> flask.Response:
    api, origin = request.path.startswith("/api/"), request.headers.get("Origin")
    if api and origin is None and not current_user.is_authenticated:
        return _unauthorized_api()
    message = "This request came from another site and was refused: expected our own Origin."
    fine = refusals.within_rate("origin", None, message, origin=str(origin)[:200], path=request.path)
    return _refused(request, 403, message) if fine else _refused(request, 429, TOO_MANY)


def _refused(request: flask.Request, status: int, message: str) -> flask.Response:
    api = request.path.startswith("/api/")
    answer = flask.jsonify(message=message) if api else flask.Response(f"{message}\n", mimetype="text/plain")
    answer.status_code = status
    return answer


def _unauthorized_api() -> flask.Response:
    answer = flask.jsonify(
        message="Sign in: send basic auth with a user's name and password, or an API token as a bearer."
    )
    answer.status_code = 401
    answer.headers["WWW-Authenticate"] = 'Basic realm="Watchfloor"'
    return answer


def same_origin(request: flask.Request, settings: Settings) -> bool:
    """Whether an unsafe request is from our own pages, or from a script that names its user.

    Browsers send Origin; one that remembers a basic-auth password sends that from foreign pages too.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return request.authorization is not None
    public = urlsplit(settings.public_url).netloc if settings.public_url else None
    return urlsplit(origin).netloc in {request.host, public} - {None, ""}
