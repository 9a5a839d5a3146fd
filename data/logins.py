"""Sessions of people who signed in, and API tokens: each can be ended, and is then known to nobody."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.audit import By, add
from data.blobs import from_json, json_text
from data.database import Database
from data.errors import TokenNotFound
from data.people_tables import api_token, login_session
from data.records import ApiToken, LoginSession, User
from data.times import SECOND, from_us, from_us_or_none, now_us, to_us_or_none
from data.users import user_of
from engine.ids import new_id

PREFIX = "wf_"
"""What every API token begins with."""


class Logins(Database):
    """Tokens are kept as SHA-256 of their random bytes: they can be shown once only."""

    # -- sessions

    def open_session(self, name: str, seconds: float, address: str | None, device: str | None) -> LoginSession:
        """A new session of a user; those that are over are forgotten."""
        now = now_us()
        row: dict[str, Any] = {"id": new_id(), "user": name, "created_at": now, "seen_at": now, "address": address}
        row |= {"device": device, "expires_at": now + int(seconds * SECOND)}
        with self._write() as connection:
            connection.execute(sa.delete(login_session).where(login_session.c.expires_at < now))
            connection.execute(sa.insert(login_session), row)
        return _session(row)

    def session_user(self, session_id: str) -> tuple[LoginSession, User] | None:
        """The session and whose it is, as long as it lasts and the user may sign in."""
        c = login_session.c
        query = sa.select(login_session).where(c.id == session_id, c.expires_at >= now_us())
        with self._read() as connection:
            row = connection.execute(query).mappings().first()
            found = user_of(connection, row["user"]) if row is not None else None
        return (_session(row), found) if row is not None and found and not found.disabled else None

    def seen(self, sessions: Mapping[str, datetime], tokens: Mapping[str, datetime]) -> None:
        """Note when sessions and tokens (by id) were last seen."""
        pairs = ((login_session, "seen_at", sessions), (api_token, "used_at", tokens))
        with self._write() as connection:
            for table, column, seen in pairs:
                for one, at in seen.items():
                    values = {column: to_us_or_none(at)}
                    connection.execute(sa.update(table).where(table.c.id == one).values(values))

    def sessions(self, name: str | None = None) -> list[LoginSession]:
        """Sessions that last, of one user or all, the one last seen first."""
        query = sa.select(login_session).where(login_session.c.expires_at >= now_us())
        if name is not None:
            query = query.where(login_session.c.user == name)
        with self._read() as connection:
            rows = connection.execute(query.order_by(login_session.c.seen_at.desc())).mappings()
            return [_session(row) for row in rows]

    def end_sessions(self, by: By, *, ids: Sequence[str] | None = None, user_name: str | None = None,
                     keep: str | None = None, action: str = "session-revoke") -> list[LoginSession]:  # fmt: skip
        """End sessions: by id, of one user, or all; but ``keep``. Those that ended."""
        c = login_session.c
        clauses = [] if ids is None else [c.id.in_(list(ids))]
        clauses += [] if user_name is None else [c.user == user_name]
        clauses += [] if keep is None else [c.id != keep]
        with self._write() as connection:
            gone = connection.execute(sa.delete(login_session).where(*clauses).returning(login_session)).mappings()
            ended = [_session(row) for row in gone]
            for one in ended:
                add(connection, by, action, one.user, before={"session": one.id, "address": one.address})
        return ended

    # -- tokens

    def make_token(
        self, owner: str, name: str, role: str, namespaces: Sequence[str] | None, expires_at: datetime | None, by: By
    ) -> tuple[ApiToken, str]:
        """A new token, and its text, which is not kept."""
        text = PREFIX + secrets.token_urlsafe(32)
        names = None if namespaces is None else tuple(namespaces)
        row: dict[str, Any] = {
            "id": new_id(), "digest": digest(text), "hint": text[-4:], "name": name, "user": owner, "role": role,
            "namespaces": None if names is None else json_text(names), "created_at": now_us(),
            "expires_at": to_us_or_none(expires_at), "used_at": None,
        }  # fmt: skip
        made = _token(row)
        with self._write() as connection:
            connection.execute(sa.insert(api_token), row)
            add(connection, by, "token-create", owner, after=_told(made))
        return made, text

    def token_user(self, text: str) -> tuple[ApiToken, User] | None:
        """The token and whose it is, as long as it is good and its user may sign in."""
        if not text.startswith(PREFIX):
            return None
        with self._read() as connection:
            row = connection.execute(sa.select(api_token).where(api_token.c.digest == digest(text))).mappings().first()
            found = user_of(connection, row["user"]) if row else None
        if row is None or found is None or found.disabled:
            return None
        over = row["expires_at"] is not None and row["expires_at"] < now_us()
        return None if over else (_token(row), found)

    def tokens(self, name: str | None = None) -> list[ApiToken]:
        """Tokens of one user or all, the newest first."""
        query = sa.select(api_token).order_by(api_token.c.created_at.desc())
        if name is not None:
            query = query.where(api_token.c.user == name)
        with self._read() as connection:
            return [_token(row) for row in connection.execute(query).mappings()]

    def revoke_token(self, token_id: str, by: By, owner: str | None = None) -> ApiToken:
        """End a token (of ``owner``, when given). Raises ``TokenNotFound``."""
        clauses = [api_token.c.id == token_id, *([] if owner is None else [api_token.c.user == owner])]
        with self._write() as connection:
            gone = connection.execute(sa.delete(api_token).where(*clauses).returning(api_token)).mappings().first()
            if gone is None:
                raise TokenNotFound(token_id)
            ended = _token(gone)
            add(connection, by, "token-revoke", ended.user, before=_told(ended))
        return ended


def digest(text: str) -> str:
    """What a token is kept as."""
    return hashlib.sha256(text.encode()).hexdigest()


def _session(row: Mapping[str, Any]) -> LoginSession:
    created, seen, expires = (from_us(row[name]) for name in ("created_at", "seen_at", "expires_at"))
    return LoginSession(row["id"], row["user"], created, seen, expires, row["address"], row["device"])


def _token(row: Mapping[str, Any]) -> ApiToken:
    names = None if row["namespaces"] is None else tuple(from_json(row["namespaces"]))
    created, expires, used = from_us(row["created_at"]), from_us_or_none(row["expires_at"]), row["used_at"]
    return ApiToken(row["id"], row["name"], row["user"], row["role"], names, created, row["hint"], expires,
                    from_us_or_none(used))  # fmt: skip


def _told(one: ApiToken) -> dict[str, Any]:
    return {"token": one.name, "role": one.role, "namespaces": one.namespaces, "expires": one.expires_at}
