"""Insert-or-update statements for both dialects."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite


@cache
def upsert(dialect: str, table: Table, *, key: tuple[str, ...] = (), guard: str | None = None) -> Any:
    """Insert; where ``key`` (default: the primary key) exists, update the rest.

    With ``guard`` a row is updated only when the new value of that column is not lower than the stored one.
    """
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    key = key or tuple(column.name for column in table.primary_key)
    primary = {column.name for column in table.primary_key}
    changes = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in {*key, *primary}}
    where = insert.excluded[guard] >= table.c[guard] if guard else None
    return insert.on_conflict_do_update(index_elements=list(key), set_=changes, where=where)


@cache
def insert_new(dialect: str, table: Table) -> Any:
    """Insert; a row whose key exists is left as it is."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table).on_conflict_do_nothing()


@cache
def add_to(dialect: str, table: Table, column: str = "n") -> Any:
    """Insert; where the primary key exists, add to ``column``."""
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    key = [c.name for c in table.primary_key]
    return insert.on_conflict_do_update(index_elements=key, set_={column: table.c[column] + insert.excluded[column]})
