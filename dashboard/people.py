"""What is done to users, sessions and API tokens: asked of the table, written to the audit, told to every process."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.accounts import NAME_MAX, note_failure, password_key, token_key, user_key
from dashboard.permissions import Forbidden, Role, Verb, demand, may, role_in
from dashboard.services import Services
from data.audit import By
from data.errors import PersonError
from data.records import ApiToken, LoginSession, User
from streaming.messages import SignedOut

NAME = re.compile(rf"[\w.@+-]{{1,{NAME_MAX}}}")
NAMESPACE = re.compile(r"[\w-]+(\.[\w-]+)*")


class PersonRefused(PersonError):
    """Something given that can't be taken. ``field`` is what it is about."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class TooOften(PersonError):
    """Wrong passwords came so often that no more are looked at for a while."""


class People:
    """In the name of ``person``: an account, or whoever has the shell (``Root``)."""

    def __init__(self, services: Services, person: Any, origin: str = "ui", reason: str | None = None) -> None:
        self._services = services
        self._store = services.store
        self._settings = services.settings
        self._person = person
        self._by = By(str(getattr(person, "name", "") or "unknown"), origin, reason)

    # -- users

    def users(self) -> list[User]:
        """All users by name."""
        demand(self._person, Verb.MANAGE_USERS)
        return self._store.users()

    def add(self, name: str, role: str, grants: Mapping[str, str], password: str) -> None:
        """Make a user. Raises ``PersonError``."""
        demand(self._person, Verb.MANAGE_USERS)
        if not NAME.fullmatch(name):
            letters = f"1 to {NAME_MAX} letters, digits or . _ - @ +"
            raise PersonRefused("name", f"Expected {letters} as a name, got {name!r}.")
        made = User(name, known_role("role", role), known_grants(grants))
        self._store.add_user(made, self._good(password), self._by)

    def change(
        self, name: str, *, role: str | None = None, grants: Mapping[str, str] | None = None,
        disabled: bool | None = None,
    ) -> None:  # fmt: skip
        """Change roles, or whether somebody may sign in; what is open of theirs is asked anew."""
        demand(self._person, Verb.MANAGE_USERS)
        role = None if role is None else known_role("role", role)
        grants = None if grants is None else known_grants(grants)
        if self._store.change_user(name, self._by, role=role, grants=grants, disabled=disabled):
            self._tell(user_key(name))

    def delete(self, name: str) -> None:
        """Remove a user with sessions and tokens. What they did stays in the audit."""
        demand(self._person, Verb.MANAGE_USERS)
        self._store.delete_user(name, self._by)
        self._tell(user_key(name))

    def set_password(self, name: str, password: str) -> None:
        """Give somebody a new password: their sessions end."""
        demand(self._person, Verb.MANAGE_USERS)
        self._store.set_password(name, self._good(password), self._by)
        self._ended(self._store.end_sessions(self._by, user_name=name))
        self._tell(user_key(name))

    def change_own_password(self, old: str, new: str) -> None:
        """A new password of one's own: one's other sessions end, and what is there by the old one."""
        demand(self._person, Verb.ACCOUNT)
        self._no_token()
        self._check_own(old)
        self._store.set_password(self._person.name, self._good(new), self._by)
        self._ended(self._store.end_sessions(self._by, user_name=self._person.name, keep=self._session or ""))
        self._tell(password_key(self._person.name))

    def _check_own(self, password: str) -> None:
        attempts, who = self._services.attempts, user_key(self._person.name)
        if attempts.blocked(who):
            raise TooOften("Too many wrong passwords. Wait a minute.")
        if self._store.check_password(self._person.name, password) is None:
            attempts.failed(who)
            note_failure(self._services, "change", self._person.name)
            raise PersonRefused("old", "The old password is wrong.")

    def _good(self, password: str) -> str:
        least = self._settings.password_min
        if len(password) < least:
            raise PersonRefused("password", f"Expected a password of at least {least} letters, got {len(password)}.")
        return password

    # -- sessions

    @property
    def _session(self) -> str | None:
        return getattr(self._person, "session", None)

    def sessions(self, *, everybody: bool = False) -> list[LoginSession]:
        """One's own sessions, or all."""
        demand(self._person, Verb.MANAGE_SESSIONS if everybody else Verb.ACCOUNT)
        return self._store.sessions(None if everybody else self._person.name)

    def revoke_session(self, session_id: str) -> None:
        """End a session: one's own, or anybody's for who may."""
        demand(self._person, Verb.ACCOUNT)
        self._no_token()
        owner = None if may(self._person, Verb.MANAGE_SESSIONS) else self._person.name
        ended = self._store.end_sessions(self._by, ids=[session_id], user_name=owner)
        if not ended:
            raise PersonRefused("session", f"There is no session {session_id}.")
        self._ended(ended)

    def revoke_sessions(self, name: str | None = None) -> int:
        """End all other sessions of one's own, or all of somebody; how many."""
        own = name in (None, self._person.name)
        demand(self._person, Verb.ACCOUNT if own else Verb.MANAGE_SESSIONS)
        self._no_token()
        keep = self._session if own else None
        ended = self._store.end_sessions(self._by, user_name=name or self._person.name, keep=keep)
        self._ended(ended)
        return len(ended)

    def _no_token(self) -> None:
        if getattr(self._person, "token", None):
            raise Forbidden("An API token can't do this: sign in.")

    # -- tokens

    def tokens(self, *, everybody: bool = False) -> list[ApiToken]:
        """One's own tokens, or all."""
        demand(self._person, Verb.MANAGE_SESSIONS if everybody else Verb.ACCOUNT)
        return self._store.tokens(None if everybody else self._person.name)

    def make_token(
        self, name: str, role: str, namespaces: Sequence[str] | None, days: int | None
    ) -> tuple[ApiToken, str]:
        """A token with no more than one's own rights, and its text, shown this once."""
        self._no_token()
        name, most = name.strip(), self._settings.token_max_days
        if not 1 <= len(name) <= 80:
            raise PersonRefused("name", "Expected a name of 1 to 80 letters that says what the token is for.")
        days = most if days is None else days
        if not 1 <= days <= most:
            raise PersonRefused("days", f"Expected 1 to {most} days (WATCHFLOOR_TOKEN_MAX_DAYS), got {days}.")
        wanted = Role.named(known_role("role", role))
        for namespace in (None,) if namespaces is None else namespaces:
            if namespace is not None and not NAMESPACE.fullmatch(namespace):
                raise PersonRefused("namespaces", f"Expected a namespace such as company.team, got {namespace!r}.")
            own = self._most() if namespace is None else role_in(self._person, namespace)
            if wanted > own or wanted is Role.NONE:
                where = "" if namespace is None else f" in {namespace}"
                raise PersonRefused("role", f"Expected at most your own role{where}, {own.title}, got {role}.")
        until = datetime.now(UTC) + timedelta(days=days)
        return self._store.make_token(self._person.name, name, role, namespaces, until, self._by)

    def _most(self) -> Role:
        """The best role anywhere: a token of all namespaces has in each no more than its owner."""
        return max([role_in(self._person), *(Role.named(role) for role in self._person.grants.values())])

    def revoke_token(self, token_id: str) -> None:
        """End a token: one's own, or anybody's for who may."""
        demand(self._person, Verb.ACCOUNT)
        owner = None if may(self._person, Verb.MANAGE_SESSIONS) else self._person.name
        self._store.revoke_token(token_id, self._by, owner)
        self._tell(token_key(token_id))

    # -- telling

    def _ended(self, sessions: Sequence[LoginSession]) -> None:
        for one in sessions:
            self._tell(one.id)

    def _tell(self, key: str) -> None:
        if self._services.gateway is not None:
            self._services.gateway.sign_out(key)
        else:
            self._services.bus.tell(SignedOut(key))


class Root:
    """Whoever has the shell of the machine."""

    name = "root"
    role = "admin"
    grants: Mapping[str, str] = {}


def known_role(field: str, role: str) -> str:
    """The role, when it is one."""
    names = [one.title for one in Role]
    if role not in names:
        raise PersonRefused(field, f"Expected one of {', '.join(names)} as a role, got {role!r}.")
    return role


def known_grants(grants: Mapping[str, str]) -> dict[str, str]:
    """Roles by namespace, when they are."""
    for namespace, role in grants.items():
        if not NAMESPACE.fullmatch(namespace):
            raise PersonRefused("grants", f"Expected a namespace such as company.team, got {namespace!r}.")
        if known_role("grants", role) == Role.NONE.title:
            raise PersonRefused("grants", f"Expected viewer, operator or admin in {namespace}; leave it out for none.")
    return dict(grants)
