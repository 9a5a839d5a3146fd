"""The login pages: by password, by a one-time link, and out again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import flask
import structlog
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user, logout_user

from dashboard.accounts import LOGIN, Account, Accounts, account_of
from dashboard.attempts import redis_options
from dashboard.services import Services
from data.audit import By
from data.errors import StoreUnavailable

log = structlog.get_logger()

DEVICE_MAX = 300  # letters kept of what a browser calls itself


def register(server: flask.Flask, services: Services, accounts: Accounts) -> None:
    """The routes below ``/login``, and ``/logout``."""
    limited = _limiter(server, services).limit(services.settings.login_rate, override_defaults=True)

    @server.get("/login")
    def login() -> Any:
        try:
            inside = current_user.is_authenticated
        except StoreUnavailable:
            inside = False
        return page(services) if not inside else flask.redirect(wanted(flask.request.args.get("next")))

    @server.post("/login", endpoint="login_post")
    @limited
    def login_post() -> Any:
        name, password = flask.request.form.get("name", ""), flask.request.form.get("password", "")
        account = accounts.of_password(name, password)
        if account is None:
            accounts.failed("password", name)
            return page(services, "Name or password is wrong.", 401, name=name)
        return enter(services, accounts, account, "password", flask.request.args.get("next"))

    @server.get("/login/<token>", endpoint="login_token")
    @limited
    def login_token(token: str) -> Any:
        user = services.store.use_login_token(token)
        if user is None:
            accounts.failed("link")
            return page(services, "This link was used before or is too old. Sign in with a password.", 401)
        return enter(services, accounts, account_of(user), "link", flask.request.args.get("next"))

    @server.post("/logout", endpoint="logout")
    def logout() -> Any:
        leave(services, accounts)
        return flask.redirect(flask.url_for("login"))

    @server.errorhandler(StoreUnavailable)
    def away(error: Exception) -> Any:
        if flask.request.path.startswith("/login"):
            return page(services, f"The database can't be reached: {error}", 503)
        return flask.Response(f"The database can't be reached: {error}\n", 503, mimetype="text/plain")

    @server.errorhandler(429)
    def too_many(_: Exception) -> Any:
        return page(services, "Too many tries from this address. Wait a minute.", 429)


def _limiter(server: flask.Flask, services: Services) -> Limiter:
    counted = redis_options(services.bus)
    return Limiter(
        get_remote_address,
        app=server,
        storage_uri="redis://" if counted else "memory://",
        storage_options=counted,
        in_memory_fallback_enabled=bool(counted),
        default_limits=[],
    )


def enter(services: Services, accounts: Accounts, account: Account, way: str, goal: str | None) -> Any:
    """Begin a session, with nothing left of what the cookie held before."""
    device = (flask.request.user_agent.string or "")[:DEVICE_MAX] or None
    seconds = services.settings.session_hours * 3600
    session = services.store.open_session(account.name, seconds, get_remote_address(), device)
    flask.session.clear()
    flask.session.permanent = True
    flask.session[LOGIN] = session.id
    account.session, account.until = session.id, session.expires_at
    accounts.remember(session.id, account)
    login_user(account)
    services.store.audit(account.name, "login", account.name, after={"session": session.id, "way": way})
    log.info("login.succeeded", actor=account.name, address=get_remote_address(), way=way)
    return flask.redirect(wanted(goal))


def leave(services: Services, accounts: Accounts) -> None:
    """End the session for good: its cookie is worth nothing any more, whoever has a copy of it."""
    session, name = flask.session.get(LOGIN), flask.session.get("_user_id")
    log.info("logout.done", actor=name)
    if isinstance(session, str):
        services.store.end_sessions(By(str(name)), ids=[session], action="logout")
        accounts.forget(session)
        if services.gateway is not None:
            services.gateway.sign_out(session)
    logout_user()
    flask.session.clear()


def wanted(goal: str | None) -> str:
    """Where the person wanted to go; only ever a path of ours."""
    goal = goal or ""
    parts = urlsplit(goal)
    ours = goal.startswith("/") and not goal.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return goal if ours else "/executions"


def page(services: Services, message: str | None = None, status: int = 200, name: str = "") -> tuple[str, int]:
    """The login page, with what went wrong."""
    settings = services.settings
    elsewhere = settings.oidc_title if settings.oidc_issuer else None
    return flask.render_template("login.html", message=message, name=name or "admin", elsewhere=elsewhere), status
