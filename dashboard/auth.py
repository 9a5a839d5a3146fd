"""Who is there: sessions of people by cookie, of scripts by basic auth.

Everything but the login page, its looks and the health checks needs a user. Unsafe methods must come from our own
origin, or carry an ``Authorization`` header, which no foreign page can make a browser send.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import flask
import structlog
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from dashboard.attempts import Attempts, redis_options
from dashboard.services import Services
from engine.ids import new_id
from streaming.gateway.gateway import LOGIN
from watchfloor.settings import Settings

log = structlog.get_logger()

OPEN_PATHS = ("/login", "/health", "/ready", "/metrics", "/assets/css/", "/assets/img/",
              "/assets/js/clientside/theme.js", "/vendor/fonts", "/favicon.ico")  # fmt: skip
OPEN_CALLS = "/api/v1/main/executions/webhook/"  # what follows holds the key that stands for a login
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BASIC_CACHE_SECONDS = 60.0
USER_CACHE_SECONDS = 5.0


class Account(UserMixin):
    """A signed-in user. ``role`` is viewer, operator or admin."""

    def __init__(self, name: str, role: str) -> None:
        self.id = name
        self.name = name
        self.role = role


class _Cache:
    """A few values that are good for some seconds. Bounded: emptied when it holds 1,000."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._values: dict[str, tuple[float, Any]] = {}

    def get(self, key: str, make: Callable[[], Any]) -> Any:
        until, value = self._values.get(key, (0.0, None))
        if until > self._clock():
            return value
        value = make()
        if len(self._values) >= 1_000:
            self._values.clear()
        if value is not None:
            self._values[key] = (self._clock() + self._seconds, value)
        return value


def register(server: flask.Flask, services: Services) -> None:
    """Sessions, the login pages and the guard, on ``server``."""
    _configure(server, services.settings)
    manager = LoginManager(server)
    users, basics = _Cache(USER_CACHE_SECONDS), _Cache(BASIC_CACHE_SECONDS)
    attempts = Attempts(services.settings.login_rate, services.bus)
    manager.user_loader(lambda name: users.get(name, lambda: _account(services, name)))
    manager.request_loader(lambda request: _basic(services, basics, attempts, request))
    server.before_request(lambda: _guard(services.settings))
    _login_routes(server, services)


def secret_key(settings: Settings) -> str:
    """The key that signs sessions: the setting, else one made once and kept in the data folder."""
    if settings.secret_key:
        return settings.secret_key.get_secret_value()
    path = settings.data_dir / "secret-key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        file.write(os.urandom(32).hex())
    return path.read_text()


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


def _account(services: Services, name: str) -> Account | None:
    """The user of a session. While the database is away the signed cookie alone is believed."""
    from data import StoreUnavailable

    try:
        user = services.store.user(name)
    except StoreUnavailable:
        return Account(name, flask.session.get("role", "viewer"))
    return Account(user.name, user.role) if user else None


def _basic(services: Services, cache: _Cache, attempts: Attempts, request: flask.Request) -> Account | None:
    given = request.authorization
    if given is None or given.type != "basic" or not given.username:
        return None
    name, password = given.username, given.password or ""
    digest = hashlib.sha256(f"{name}\0{password}".encode()).hexdigest()
    return cache.get(digest, lambda: _attempt(services, attempts, name, password))


def _attempt(services: Services, attempts: Attempts, name: str, password: str) -> Account | None:
    """Check a password that is not known to be right; 429 for an address that was wrong too often."""
    address = get_remote_address()
    if attempts.blocked(address):
        flask.abort(429, "Too many wrong passwords from this address. Wait a minute.")
    account = _checked(services, name, password)
    if account is None:
        attempts.failed(address)
        refused(services, "basic", name)
    return account


def refused(services: Services, way: str, name: str | None = None) -> None:
    """A login failed: counted, and noted with who tried. ``way`` is password, link or basic."""
    services.meter["watchfloor_login_failures_total"].labels(way).inc()
    log.warning("login.failed", way=way, actor=name, address=get_remote_address())


def _checked(services: Services, name: str, password: str) -> Account | None:
    user = services.store.check_password(name, password)
    return Account(user.name, user.role) if user else None


# -- the guard


def _guard(settings: Settings) -> Any:
    request = flask.request
    if request.path.startswith(OPEN_CALLS):
        return None
    if request.method not in SAFE_METHODS and not same_origin(request, settings):
        if request.path.startswith("/api/"):
            return _foreign_api(request)
        return flask.Response("This request came from another site and was refused.\n", 403, mimetype="text/plain")
    if request.path.startswith(OPEN_PATHS) or current_user.is_authenticated:
        return None
    if request.path.startswith("/api/"):
        return _unauthorized_api()
    if request.path.startswith("/_dash") or request.method not in SAFE_METHODS:
        return flask.Response("The session has ended: sign in again.\n", 401, mimetype="text/plain")
    return flask.redirect(flask.url_for("login", next=request.full_path.rstrip("?")))


def _foreign_api(request: flask.Request) -> flask.Response:
    if request.headers.get("Origin") is None and not current_user.is_authenticated:
        return _unauthorized_api()
    answer = flask.jsonify(message="This request came from another site and was refused: expected our own Origin.")
    answer.status_code = 403
    return answer


def _unauthorized_api() -> flask.Response:
    answer = flask.jsonify(message="Sign in: send basic auth with a user's name and password.")
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


# -- the login pages


def _login_routes(server: flask.Flask, services: Services) -> None:
    from data import StoreUnavailable

    counted = redis_options(services.bus)
    limiter = Limiter(
        get_remote_address,
        app=server,
        storage_uri="redis://" if counted else "memory://",
        storage_options=counted,
        in_memory_fallback_enabled=bool(counted),
        default_limits=[],
    )
    limited = limiter.limit(services.settings.login_rate, override_defaults=True)

    @server.get("/login")
    def login() -> Any:
        return _page() if not current_user.is_authenticated else flask.redirect(_next())

    @server.post("/login", endpoint="login_post")
    @limited
    def login_post() -> Any:
        form = flask.request.form
        account = _checked(services, form.get("name", ""), form.get("password", ""))
        if account is None:
            refused(services, "password", form.get("name", ""))
            return _page("Name or password is wrong.", 401, name=form.get("name", ""))
        return _enter(account)

    @server.get("/login/<token>", endpoint="login_token")
    @limited
    def login_token(token: str) -> Any:
        user = services.store.use_login_token(token)
        if user is None:
            refused(services, "link")
            return _page("This link was used before or is too old. Sign in with a password.", 401)
        return _enter(Account(user.name, user.role))

    @server.post("/logout", endpoint="logout")
    def logout() -> Any:
        log.info("logout.done", actor=getattr(current_user, "name", None))
        login = flask.session.get(LOGIN)
        logout_user()
        flask.session.clear()
        if login is not None and services.gateway is not None:
            services.gateway.sign_out(login)
        return flask.redirect(flask.url_for("login"))

    @server.errorhandler(StoreUnavailable)
    def away(error: Exception) -> Any:
        if flask.request.path.startswith("/login"):
            return _page(f"The database can't be reached: {error}", 503)
        return flask.Response(f"The database can't be reached: {error}\n", 503, mimetype="text/plain")

    @server.errorhandler(429)
    def too_many(_: Exception) -> Any:
        return _page("Too many tries from this address. Wait a minute.", 429)


def _enter(account: Account) -> Any:
    flask.session.clear()
    flask.session.permanent = True
    flask.session["role"] = account.role
    flask.session[LOGIN] = new_id()
    login_user(account)
    log.info("login.succeeded", actor=account.name, address=get_remote_address())
    return flask.redirect(_next())


def _next() -> str:
    """Where the person wanted to go; only ever a path of ours."""
    wanted = flask.request.args.get("next", "")
    parts = urlsplit(wanted)
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return wanted if ours else "/executions"


def _page(message: str | None = None, status: int = 200, name: str = "") -> tuple[str, int]:
    return flask.render_template("login.html", message=message, name=name or "admin"), status
