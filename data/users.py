"""Users, their passwords, roles and one-time login links."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from data.audit import By, add
from data.database import Database
from data.errors import LastAdmin, UserExists, UserNotFound
from data.passwords import NO_PASSWORD
from data.people_tables import api_token, grant, login_session, login_token, user
from data.records import User
from data.times import SECOND, now_us
from data.upserts import alone, insert_new

ADMIN = "admin"
TOKEN_SECONDS = 15 * 60


class Users(Database):
    """Passwords are kept as Argon2 hashes, login tokens as SHA-256 of their random bytes.

    Each change is written to the audit in its own transaction.
    """

    def ensure_admin(self, password: str | None = None) -> str | None:
        """Make the user ``admin`` unless some admin is there; the password made up for it, ``None`` when none was."""
        with self._read() as connection:
            if connection.scalar(sa.select(user.c.name).where(user.c.role == ADMIN).limit(1)) is not None:
                return None
        chosen = password or secrets.token_urlsafe(12)
        made = self.save_user(ADMIN, "admin", chosen, replace=False)
        return chosen if made and password is None else None

    def save_user(self, name: str, role: str, password: str, *, replace: bool = True) -> bool:
        """Make a user or, with ``replace``, give it a new role and password; whether anything was written."""
        values = {"name": name, "role": role, "password": self._passwords.hash(password), "created_at": now_us()}
        with self._write() as connection:
            made = connection.execute(insert_new(self.dialect, user).returning(user.c.name), values).first()
            if made is not None:
                return True
            if replace:
                changes = {"role": role, "password": values["password"]}
                connection.execute(sa.update(user).where(user.c.name == name).values(changes))
        return replace

    # -- reading

    def user(self, name: str) -> User | None:
        """The user of that name, disabled or not."""
        with self._read() as connection:
            return user_of(connection, name)

    def users(self) -> list[User]:
        """All users by name."""
        with self._read() as connection:
            granted: dict[str, dict[str, str]] = {}
            for row in connection.execute(sa.select(grant).order_by(grant.c.namespace)):
                granted.setdefault(row.user, {})[row.namespace] = row.role
            rows = connection.execute(sa.select(user).order_by(user.c.name))
            return [_user(row, granted.get(row.name, {})) for row in rows]

    def check_password(self, name: str, password: str) -> User | None:
        """The user when name and password are right. An unknown name takes as long as a wrong password."""
        with self._read() as connection:
            row = connection.execute(sa.select(user.c.password, user.c.disabled).where(user.c.name == name)).first()
            found = user_of(connection, name) if row else None
        fits = self._passwords.fits(row.password if row else NO_PASSWORD, password)
        return found if fits and found and not found.disabled else None

    # -- changing

    def add_user(self, made: User, password: str | None, by: By) -> None:
        """Make a user; without a password it signs in elsewhere. Raises ``UserExists``."""
        hashed = self._passwords.hash(password) if password is not None else NO_PASSWORD
        values = {"name": made.name, "role": made.role, "password": hashed, "created_at": now_us()}
        values |= {"disabled": int(made.disabled), "source": made.source}
        with self._write() as connection:
            if connection.execute(insert_new(self.dialect, user).returning(user.c.name), values).first() is None:
                raise UserExists(made.name)
            _write_grants(connection, made.name, made.grants)
            add(connection, by, "user-create", made.name, after=_told(made))

    def change_user(
        self,
        name: str,
        by: By,
        *,
        role: str | None = None,
        grants: Mapping[str, str] | None = None,
        disabled: bool | None = None,
    ) -> bool:
        """Change what is given; whether anything is another now. Raises ``UserNotFound`` and ``LastAdmin``."""
        with self._write() as connection:
            before = self._locked(connection, name)
            after = User(
                name,
                before.role if role is None else role,
                before.grants if grants is None else dict(grants),
                before.disabled if disabled is None else disabled,
                before.source,
            )
            if after == before:
                return False
            if _rules(before) and not _rules(after):
                self._others_rule(connection, name)
            changes = {"role": after.role, "disabled": int(after.disabled)}
            connection.execute(sa.update(user).where(user.c.name == name).values(changes))
            _write_grants(connection, name, after.grants)
            add(connection, by, "user-change", name, _told(before), _told(after))
        return True

    def set_password(self, name: str, password: str, by: By) -> None:
        """Give a user a new password. Raises ``UserNotFound``."""
        values = {"password": self._passwords.hash(password), "source": "password"}
        with self._write() as connection:
            self._locked(connection, name)
            connection.execute(sa.update(user).where(user.c.name == name).values(values))
            add(connection, by, "user-password", name)

    def delete_user(self, name: str, by: By) -> None:
        """Remove a user, its sessions and tokens. Raises ``UserNotFound`` and ``LastAdmin``."""
        with self._write() as connection:
            before = self._locked(connection, name)
            if _rules(before):
                self._others_rule(connection, name)
            for table, column in ((grant, grant.c.user), (login_session, login_session.c.user),
                                  (api_token, api_token.c.user), (login_token, login_token.c.user),
                                  (user, user.c.name)):  # fmt: skip
                connection.execute(sa.delete(table).where(column == name))
            add(connection, by, "user-delete", name, before=_told(before))

    def _locked(self, connection: sa.Connection, name: str) -> User:
        """The user, while nobody else changes one."""
        alone(connection, user)
        found = user_of(connection, name)
        if found is None:
            raise UserNotFound(name)
        return found

    def _others_rule(self, connection: sa.Connection, name: str) -> None:
        others = sa.select(user.c.name).where(user.c.role == ADMIN, user.c.disabled == 0, user.c.name != name)
        if connection.scalar(others.limit(1)) is None:
            raise LastAdmin(name)

    # -- login links

    def make_login_token(self, name: str | None = None, seconds: float = TOKEN_SECONDS) -> str:
        """A token that signs ``name`` (an admin, when not given) in once within ``seconds``."""
        token = secrets.token_urlsafe(32)
        now = now_us()
        with self._write() as connection:
            connection.execute(sa.delete(login_token).where(login_token.c.expires_at < now))
            named = name or connection.scalar(_admins.limit(1)) or ADMIN
            row = {"digest": _digest(token), "user": named, "expires_at": now + int(seconds * SECOND)}
            connection.execute(sa.insert(login_token), row)
        return token

    def use_login_token(self, token: str) -> User | None:
        """The user a token signs in; ``None`` when it was used before, has expired or never was."""
        gone = (
            sa.delete(login_token)
            .where(login_token.c.digest == _digest(token))
            .returning(login_token.c.user, login_token.c.expires_at)
        )
        with self._write() as connection:
            row = connection.execute(gone).first()
        found = self.user(row.user) if row and row.expires_at >= now_us() else None
        return found if found and not found.disabled else None


_admins = (
    sa.select(user.c.name)
    .where(user.c.role == ADMIN, user.c.disabled == 0)
    .order_by(user.c.name != ADMIN, user.c.created_at)
)


def user_of(connection: sa.Connection, name: str) -> User | None:
    """The user of that name with its roles in namespaces."""
    row = connection.execute(sa.select(user).where(user.c.name == name)).first()
    if row is None:
        return None
    granted = connection.execute(sa.select(grant).where(grant.c.user == name).order_by(grant.c.namespace))
    return _user(row, {one.namespace: one.role for one in granted})


def _user(row: Any, granted: dict[str, str]) -> User:
    return User(row.name, row.role, granted, bool(row.disabled), row.source)


def _rules(one: User) -> bool:
    return one.role == ADMIN and not one.disabled


def _told(one: User) -> dict[str, Any]:
    return {"role": one.role, "grants": dict(one.grants), "disabled": one.disabled}


def _write_grants(connection: sa.Connection, name: str, grants: Mapping[str, str]) -> None:
    connection.execute(sa.delete(grant).where(grant.c.user == name))
    rows: Iterable[dict[str, str]] = ({"user": name, "namespace": n, "role": role} for n, role in grants.items())
    if grants:
        connection.execute(sa.insert(grant), list(rows))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
