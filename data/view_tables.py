"""Tables of saved views: what each is, and what each person has made of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, SmallInteger, Table

from data.tables import STATE, _Text

saved_view = Table(
    "saved_view",
    STATE,
    Column("id", _Text, primary_key=True),
    Column("name", _Text, nullable=False),
    Column("owner", _Text, nullable=False),
    Column("shared", SmallInteger, nullable=False),
    Column("query", _Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_saved_view_owner", saved_view.c.owner, saved_view.c.name, unique=True)

saved_view_mark = Table(
    "saved_view_mark",
    STATE,
    Column("person", _Text, primary_key=True),
    Column("view", _Text, primary_key=True),
    Column("pinned", SmallInteger, nullable=False),
    Column("first", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
