"""Users, their passwords and one-time login links."""

from __future__ import annotations

import hashlib
import secrets

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from data.database import Database
from data.records import User
from data.tables import login_token, user
from data.times import SECOND, now_us
from data.upserts import insert_new

ADMIN = "admin"
TOKEN_SECONDS = 15 * 60
_hasher = PasswordHasher()


class Users(Database):
    """Passwords are kept as Argon2 hashes, login tokens as SHA-256 of their random bytes."""

    def ensure_admin(self, password: str | None = None) -> str | None:
        """Make the user ``admin`` unless there is one; the password made up for it, ``None`` when none was."""
        if self.user(ADMIN) is not None:
            return None
        chosen = password or secrets.token_urlsafe(12)
        made = self.save_user(ADMIN, "admin", chosen, replace=False)
        return chosen if made and password is None else None

    def save_user(self, name: str, role: str, password: str, *, replace: bool = True) -> bool:
        """Make a user or, with ``replace``, give it a new role and password; whether anything was written."""
        values = {"name": name, "role": role, "password": _hasher.hash(password), "created_at": now_us()}
        with self._write() as connection:
            made = connection.execute(insert_new(self.dialect, user).returning(user.c.name), values).first()
            if made is not None:
                return True
            if replace:
                changes = {"role": role, "password": values["password"]}
                connection.execute(sa.update(user).where(user.c.name == name).values(changes))
        return replace

    def user(self, name: str) -> User | None:
        """The user of that name."""
        with self._read() as connection:
            row = connection.execute(sa.select(user.c.name, user.c.role).where(user.c.name == name)).first()
        return User(row.name, row.role) if row else None

    def check_password(self, name: str, password: str) -> User | None:
        """The user when name and password are right. An unknown name takes as long as a wrong password."""
        with self._read() as connection:
            row = connection.execute(sa.select(user).where(user.c.name == name)).first()
        stored = row.password if row else _unknown()
        try:
            _hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return None
        return User(row.name, row.role) if row else None

    def make_login_token(self, name: str = ADMIN, seconds: float = TOKEN_SECONDS) -> str:
        """A token that signs ``name`` in once within ``seconds``."""
        token = secrets.token_urlsafe(32)
        now = now_us()
        with self._write() as connection:
            connection.execute(sa.delete(login_token).where(login_token.c.expires_at < now))
            row = {"digest": _digest(token), "user": name, "expires_at": now + int(seconds * SECOND)}
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
        return self.user(row.user) if row and row.expires_at >= now_us() else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


_made: list[str] = []


def _unknown() -> str:
    if not _made:
        _made.append(_hasher.hash(secrets.token_urlsafe(8)))
    return _made[0]
