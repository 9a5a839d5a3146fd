"""Tables of who may: users with their roles in namespaces, their sessions and their API tokens."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, SmallInteger, Table

from data.tables import STATE, _Text

user = Table(
    "wf_user",
    STATE,
    Column("name", _Text, primary_key=True),
    Column("role", _Text, nullable=False),
    Column("password", _Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled", SmallInteger, nullable=False, server_default="0"),
    Column("source", _Text, nullable=False, server_default="password"),
)

grant = Table(
    "wf_grant",
    STATE,
    Column("user", _Text, primary_key=True),
    Column("namespace", _Text, primary_key=True),
    Column("role", _Text, nullable=False),
    sqlite_with_rowid=False,
)

login_token = Table(
    "login_token",
    STATE,
    Column("digest", _Text, primary_key=True),
    Column("user", _Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

login_session = Table(
    "login_session",
    STATE,
    Column("id", _Text, primary_key=True),
    Column("user", _Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("address", _Text),
    Column("device", _Text),
    sqlite_with_rowid=False,
)
Index("ix_login_session_user", login_session.c.user)

api_token = Table(
    "api_token",
    STATE,
    Column("id", _Text, primary_key=True),
    Column("digest", _Text, nullable=False),
    Column("hint", _Text, nullable=False),
    Column("name", _Text, nullable=False),
    Column("user", _Text, nullable=False),
    Column("role", _Text, nullable=False),
    Column("namespaces", _Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("used_at", BigInteger),
    sqlite_with_rowid=False,
)
Index("ix_api_token_digest", api_token.c.digest, unique=True)
Index("ix_api_token_user", api_token.c.user)
