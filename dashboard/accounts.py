"""Who asks: accounts of sessions, of passwords and of API tokens, each looked up at most every few seconds.

While the database is away a session that this process has seen before is believed, with the rights it had then: the
live pages go on. A session it has never seen is not: nobody can tell whether it was ended.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import flask
import structlog
from flask_limiter.util import get_remote_address
from flask_login import UserMixin, current_user

from dashboard.permissions import limited
from dashboard.services import Services
from data.errors import StoreUnavailable
from data.records import User

log = structlog.get_logger()

LOGIN = "login"  # in the session's cookie: the id of the session
SESSION_SECONDS = 5.0
PASSWORD_SECONDS = 60.0
SEEN_SECONDS = 60.0
NAME_MAX = 64  # letters of a user's name
ORIGINS = {"basic": "api", "token": "api"}
KNOWN_MAX = 10_000  # sessions that are believed while the database is away; the one unseen for longest is forgotten


class Account(UserMixin):
    """Somebody who is signed in: the role everywhere, roles by namespace, and what it ends with.

    ``session`` and ``token`` are ids, of what the account is there by; ``until`` is when that is over by itself. A
    token has a name, too.
    """

    def __init__(
        self,
        name: str,
        role: str,
        grants: Mapping[str, str] | None = None,
        *,
        session: str | None = None,
        token: str | None = None,
        token_name: str | None = None,
        until: datetime | None = None,
    ) -> None:
        self.id = name
        self.name = name
        self.role = role
        self.grants = dict(grants or {})
        self.session = session
        self.token = token
        self.token_name = token_name
        self.until = until

    @property
    def keys(self) -> tuple[str, ...]:
        """What its live connections end with."""
        way = self.session or (token_key(self.token) if self.token else password_key(self.name))
        return way, user_key(self.name)


def user_key(name: str) -> str:
    """What ends with a user's rights."""
    return f"user:{name}"


def password_key(name: str) -> str:
    """What ends with a user's password."""
    return f"password:{name}"


def token_key(token_id: str) -> str:
    """What ends with an API token."""
    return f"token:{token_id}"


def person() -> Any:
    """Who asks in this request: an account, or somebody without any rights."""
    return current_user._get_current_object()


def known_person() -> Any:
    """The same; ``None`` while the database that knows is away."""
    try:
        return person()
    except StoreUnavailable:
        return None


def why_nobody() -> str | None:
    """Why the cookie of this request is nobody's; ``None`` when there is none, or one from before a login."""
    if LOGIN in flask.session:
        return "The session of this cookie has ended, or never was."
    name = flask.current_app.config["SESSION_COOKIE_NAME"]
    if flask.request.cookies.get(name) and not flask.session:
        return "This cookie was not signed here, or it is too old."
    return None


class Cache:
    """A few values that are good for some seconds. Bounded: emptied when it holds 1,000."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._values: dict[str, tuple[float, Any]] = {}

    def get(self, key: str, make: Callable[[], Any]) -> Any:
        """The value, made when there is none; ``None`` is not kept."""
        until, value = self._values.get(key, (0.0, None))
        if until > self._clock():
            return value
        value = make()
        if len(self._values) >= 1_000:
            self._values.clear()
        if value is not None:
            self._values[key] = (self._clock() + self._seconds, value)
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()


class Accounts:
    """Of one app. ``forget`` is told when something ended, here or in another process."""

    def __init__(self, services: Services, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._services = services
        self._store = services.store
        self._now = now
        self._sessions, self._tokens = Cache(SESSION_SECONDS), Cache(SESSION_SECONDS)
        self._passwords = Cache(PASSWORD_SECONDS)
        self._known: OrderedDict[str, Account] = OrderedDict()
        self._lock = Lock()
        self.attempts = services.attempts
        self.seen = Seen(services)

    def forget(self, key: str) -> None:
        """What ends with ``key`` is looked up anew."""
        for cache in (self._sessions, self._tokens, self._passwords):
            cache.clear()
        with self._lock:
            for session in [one for one, account in self._known.items() if key in account.keys]:
                del self._known[session]

    # -- sessions

    def of_session(self, name: str) -> Account | None:
        """The account of the cookie in this request. Raises ``StoreUnavailable`` for one never seen before."""
        session = flask.session.get(LOGIN)
        if not isinstance(session, str):
            return None
        account = self._sessions.get(session, lambda: self._session(session))
        return account if account is not None and account.name == name else None

    def _session(self, session: str) -> Account | None:
        try:
            found = self._store.session_user(session)
        except StoreUnavailable:
            with self._lock:
                known = self._known.get(session)
            if known is None:
                raise
            return known if known.until is None or known.until > self._now() else None
        account = account_of(found[1], session=session, until=found[0].expires_at) if found else None
        self.remember(session, account)
        if account is not None:
            self.seen.session(session)
        return account

    def remember(self, session: str, account: Account | None) -> None:
        """What is believed of a session while the database is away."""
        with self._lock:
            self._known.pop(session, None)
            if account is not None:
                self._known[session] = account
                if len(self._known) > KNOWN_MAX:
                    self._known.popitem(last=False)

    # -- scripts

    def of_request(self, request: flask.Request) -> Account | None:
        """The account of an ``Authorization`` header: basic, or an API token. 429 when it was wrong too often."""
        given = request.authorization
        if given is None:
            return None
        if given.type == "bearer" and given.token:
            text = given.token
            return self._tokens.get(_digest(text), lambda: self._checked("token", None, lambda: self._token(text)))
        if given.type == "basic" and given.username:
            name, password = given.username, given.password or ""
            check = lambda: self._checked("basic", name, lambda: self.of_password(name, password))  # noqa: E731
            return self._passwords.get(_digest(f"{name}\0{password}"), check)
        return None

    def _checked(self, way: str, name: str | None, check: Callable[[], Account | None]) -> Account | None:
        """Check what is not known to be right; 429 for an address that was wrong too often."""
        address = get_remote_address()
        if flask.g.get("blocked"):
            return None  # the answer that says so asks who it is for
        if self.attempts.blocked(address):
            flask.g.blocked = True
            flask.abort(429, "Too many wrong passwords or tokens from this address. Wait a minute.")
        account = check()
        if account is None:
            self.attempts.failed(address)
            self.failed(way, name)
        return account

    def of_password(self, name: str, password: str) -> Account | None:
        """The account of a name and a password."""
        user = self._store.check_password(name.replace("\0", "?"), password)  # PostgreSQL keeps no NUL
        return account_of(user) if user else None

    def _token(self, text: str) -> Account | None:
        found = self._store.token_user(text)
        if found is None:
            return None
        token, user = found
        self.seen.token(token.id)
        role, grants = limited(user, token.role, token.namespaces)
        return Account(user.name, role, grants, token=token.id, token_name=token.name, until=token.expires_at)

    def failed(self, way: str, name: str | None = None) -> None:
        """A login failed: counted, and noted with who tried. ``way`` is password, link, basic, token or oidc."""
        note_failure(self._services, way, name)


def account_of(user: User, *, session: str | None = None, until: datetime | None = None) -> Account:
    """The account of a user of the store."""
    return Account(user.name, user.role, user.grants, session=session, until=until)


def note_failure(services: Services, way: str, name: str | None) -> None:
    """Count and note that somebody was not let in; of what they called themselves no more than a name may have."""
    actor = "".join(one if one.isprintable() else "?" for one in name[:NAME_MAX]) if name else None
    services.meter["watchfloor_login_failures_total"].labels(way).inc()
    log.warning("login.failed", way=way, actor=actor, address=get_remote_address())
    with suppress(StoreUnavailable):  # the log has it
        services.store.audit(actor or "unknown", "login-failed", way, origin=ORIGINS.get(way, "ui"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Seen:
    """When sessions and tokens were last seen, written now and then, where it holds up no request."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = services.store
        self._clock = clock
        self._sessions: dict[str, datetime] = {}
        self._tokens: dict[str, datetime] = {}
        self._written = -SEEN_SECONDS

    def session(self, session: str) -> None:
        """A session was seen."""
        self._sessions[session] = datetime.now(UTC)
        self._write()

    def token(self, token: str) -> None:
        """A token was used."""
        self._tokens[token] = datetime.now(UTC)
        self._write()

    def _write(self) -> None:
        if self._clock() - self._written < SEEN_SECONDS:
            return
        self._written = self._clock()
        sessions, self._sessions = self._sessions, {}
        tokens, self._tokens = self._tokens, {}
        aside(lambda: self._write_now(sessions, tokens))

    def _write_now(self, sessions: dict[str, datetime], tokens: dict[str, datetime]) -> None:
        try:
            self._store.seen(sessions, tokens)
        except StoreUnavailable as error:
            log.info("sessions.not_noted", error=str(error))


def aside(work: Callable[[], None]) -> None:
    """Do it in a real thread when requests are greenlets: nobody waits for it. Else at once."""
    from gevent import get_hub
    from gevent.monkey import is_module_patched

    if is_module_patched("threading"):
        get_hub().threadpool.spawn(work)
    else:
        work()
