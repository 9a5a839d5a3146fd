"""Insert-or-update statements for both dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

from msgspec import json
from sqlalchemy import Connection, Dialect, Table, any_, bindparam, func, literal_column, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError


@cache
def upsert(dialect: str, table: Table, *, key: tuple[str, ...] = (), guard: str | None = None) -> Any:
    """Insert; where ``key`` (default: the primary key) exists, update the rest.

    With ``guard`` a row is updated only when the new value of that column is not lower than the stored one.
    """
    statement = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    key = key or tuple(column.name for column in table.primary_key)
    primary = {column.name for column in table.primary_key}
    changes = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in {*key, *primary}}
    where = statement.excluded[guard] >= table.c[guard] if guard else None
    return statement.on_conflict_do_update(index_elements=list(key), set_=changes, where=where)


@cache
def insert(table: Table) -> Any:
    """Insert."""
    return plain_insert(table)


@cache
def insert_new(dialect: str, table: Table) -> Any:
    """Insert; a row whose key exists is left as it is."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table).on_conflict_do_nothing()


@cache
def add_to(dialect: str, table: Table, column: str = "n") -> Any:
    """Insert; where the primary key exists, add to ``column``."""
    statement = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    key = [c.name for c in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=key, set_={column: table.c[column] + statement.excluded[column]}
    )


def alone(connection: Connection, table: Table) -> None:
    """Keep other writers of ``table`` waiting until the transaction ends; on SQLite they do anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")


@lru_cache(maxsize=256)
def _compiled(statement: Any, dialect: Dialect, columns: tuple[str, ...]) -> tuple[str, Callable[[Any], Any] | None]:
    compiled = statement.compile(dialect=dialect, column_keys=list(columns))
    if not compiled.positional:
        return compiled.string, None
    names = compiled.positiontup
    return compiled.string, itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)


def run_many(connection: Connection, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Run ``statement`` for each row, at the driver's speed: values go as they are. All rows have the same keys.

    ``statement`` must be an object that is kept (its SQL is), and without values of its own.
    """
    if not rows:
        return
    sql, positional = _compiled(statement, connection.dialect, tuple(rows[0]))
    with _cursor(connection) as cursor:
        cursor.executemany(sql, list(map(positional, rows)) if positional else list(rows))


def fetch(connection: Connection, statement: Any, **values: Any) -> list[Any]:
    """What ``statement`` gives, as the driver's tuples, at its speed. ``statement`` must be an object that is kept."""
    sql, positional = _compiled(statement, connection.dialect, tuple(values))
    with _cursor(connection) as cursor:
        cursor.execute(sql, positional(values) if positional else values)
        return cursor.fetchall()


def change(connection: Connection, statement: Any, **values: Any) -> int:
    """How many rows ``statement`` changed, at the driver's speed. ``statement`` must be an object that is kept."""
    sql, positional = _compiled(statement, connection.dialect, tuple(values))
    with _cursor(connection) as cursor:
        cursor.execute(sql, positional(values) if positional else values)
        return cursor.rowcount


def among(dialect: str, column: Any) -> Any:
    """``column`` is one of the parameter ``ids``, which ``as_ids`` makes: one statement for any number of them."""
    ids = bindparam("ids")
    if dialect == "postgresql":
        return column == any_(ids)
    return column.in_(select(literal_column("value")).select_from(func.json_each(ids)))


def as_ids(dialect: str, ids: Sequence[str]) -> Any:
    """The parameter ``ids`` of ``among``."""
    return list(ids) if dialect == "postgresql" else json.encode(ids).decode()


@contextmanager
def _cursor(connection: Connection) -> Iterator[Any]:
    """A cursor of the driver; its errors become SQLAlchemy's, as if that had run the statement."""
    dialect, driver = connection.dialect, connection.connection
    cursor = driver.cursor()
    try:
        yield cursor
    except dialect.loaded_dbapi.Error as error:
        lost = dialect.is_disconnect(error, driver, cursor)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, dialect.loaded_dbapi.Error, connection_invalidated=lost, dialect=dialect
        ) from error
    finally:
        cursor.close()
