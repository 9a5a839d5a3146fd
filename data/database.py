"""Connections, transactions and migrations of the record's one or two databases.

SQLite runs in WAL mode with ``synchronous=NORMAL``: what is committed survives the death of any process, and the last
commits may be lost only when the machine itself loses power. Log lines then have a file of their own, so that their
writer never waits for the executor's.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from data.errors import StoreUnavailable

BUSY_MS = 1_000  # the page must say within 3 s that the database is away
PROBE_BUSY_MS = 250
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "cache_size=-65536",
    "temp_store=MEMORY",
    "mmap_size=1073741824",
)


def logs_url(url: sa.URL) -> sa.URL:
    """Where log lines are kept: a file beside SQLite's, else the same database."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return url
    path = Path(url.database)
    return url.set(database=str(path.with_name(f"{path.stem}-logs{path.suffix}")))


def _connect_args(url: sa.URL, busy_ms: int) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"check_same_thread": False, "timeout": busy_ms / 1000}
    return {"connect_timeout": 3}


_FILE = "wf-file"  # in a connection's record: path and identity of the file it opened


class _HintingCompiler(SQLiteCompiler):
    """Writes a table's hints (``INDEXED BY …``) behind its name."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def make_engine(url: sa.URL, busy_ms: int = BUSY_MS) -> sa.Engine:
    """An engine whose transactions begin as ``transaction`` says; they wait ``busy_ms`` for the write lock."""
    engine = sa.create_engine(
        url, connect_args=_connect_args(url, busy_ms), poolclass=sa.QueuePool, pool_pre_ping=False
    )
    if url.get_backend_name() == "sqlite":
        engine.dialect.statement_compiler = _HintingCompiler
        sa.event.listen(engine, "do_connect", _open_sqlite)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "checkout", _check_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_sqlite(_dialect: Any, record: Any, args: list[Any], options: dict[str, Any]) -> sqlite3.Connection | None:
    """A connection to the file that is there. An unreachable one is told, never replaced by an empty one."""
    path = args[0]
    if path == ":memory:":
        return None
    connection = sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, **options)
    record.info[_FILE] = (path, _identity(path))
    return connection


def _check_sqlite(_connection: Any, record: Any, _proxy: Any) -> None:
    """A connection whose file went away would go on writing where nobody looks: it is closed and made anew."""
    path, opened = record.info.get(_FILE, ("", None))
    if opened != (_identity(path) if path else None):
        raise DisconnectionError(f"{path} is not the file that was opened")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that will write takes the write lock at once: upgrading a read lock can fail without a wait.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction(engine: sa.Engine, *, writes: bool = False) -> Iterator[sa.Connection]:
    """One transaction, committed at the end. Raises ``StoreUnavailable`` when the database can't serve it."""
    try:
        with engine.connect() as connection:
            with connection.execution_options(writes=writes).begin():
                yield connection
    except (OperationalError, PoolTimeout) as error:
        raise StoreUnavailable(_reason(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable(_reason(error)) from error
        raise


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip()


class Database:
    """What all parts of the store share: a state engine, a logs engine, and transactions on them."""

    def __init__(self, database_url: str) -> None:
        self._url = sa.make_url(database_url)
        self._engine = make_engine(self._url)
        self._probe_engine = make_engine(self._url, PROBE_BUSY_MS)
        apart = logs_url(self._url)
        self._logs_engine = self._engine if apart == self._url else make_engine(apart)

    def migrate(self) -> None:
        """Bring the database's tables to this version's. Made where there are none."""
        from data import migrations  # Alembic is needed here alone, and by no process that starts quickly

        try:
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
                for url in {self._url, logs_url(self._url)}:
                    Path(url.database or "").touch()  # an empty file is an empty database
            if self._engine is self._logs_engine:
                migrations.upgrade(self._engine, {"state", "logs"})
            else:
                migrations.upgrade(self._engine, {"state"})
                migrations.upgrade(self._logs_engine, {"logs"})
        except OperationalError as error:
            raise StoreUnavailable(_reason(error)) from error

    def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless the database answers."""
        with self._read() as connection:
            connection.execute(sa.text("SELECT count(*) FROM stream_position"))

    def probe(self) -> None:
        """Raise ``StoreUnavailable`` unless the database takes a write now; writes nothing, waits but a moment."""
        with transaction(self._probe_engine, writes=True) as connection:
            connection.execute(sa.text("SELECT count(*) FROM stream_position"))

    def close(self) -> None:
        """Give all connections back."""
        self._probe_engine.dispose()
        self._engine.dispose()
        self._logs_engine.dispose()

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with transaction(self._engine) as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with transaction(self._engine, writes=True) as connection:
            yield connection

    @contextmanager
    def _read_logs(self) -> Iterator[sa.Connection]:
        with transaction(self._logs_engine) as connection:
            yield connection

    @contextmanager
    def _write_logs(self) -> Iterator[sa.Connection]:
        with transaction(self._logs_engine, writes=True) as connection:
            yield connection
