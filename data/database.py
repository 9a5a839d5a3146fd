"""Connections, transactions and migrations of the record's one or two databases.

SQLite runs in WAL mode with ``synchronous=NORMAL``: what is committed survives the death of any process, and the last
commits may be lost only when the machine itself loses power. Log lines then have a file of their own, so that their
writer never waits for the executor's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from data.errors import StoreUnavailable

BUSY_MS = 1_000  # the page must say within 3 s that the database is away
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    f"busy_timeout={BUSY_MS}",
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


def _connect_args(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"check_same_thread": False, "timeout": BUSY_MS / 1000}
    return {"connect_timeout": 3}


class _HintingCompiler(SQLiteCompiler):
    """Writes a table's hints (``INDEXED BY …``) behind its name."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def make_engine(url: sa.URL) -> sa.Engine:
    """An engine whose transactions begin as ``transaction`` says."""
    engine = sa.create_engine(url, connect_args=_connect_args(url), poolclass=sa.QueuePool, pool_pre_ping=False)
    if url.get_backend_name() == "sqlite":
        engine.dialect.statement_compiler = _HintingCompiler
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


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
        apart = logs_url(self._url)
        self._logs_engine = self._engine if apart == self._url else make_engine(apart)

    def migrate(self) -> None:
        """Bring the database's tables to this version's. Made where there are none."""
        from data import migrations  # Alembic is needed here alone, and by no process that starts quickly

        try:
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
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

    def close(self) -> None:
        """Give all connections back."""
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
