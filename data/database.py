"""Connections, transactions and migrations of the record: one PostgreSQL database, or two SQLite files.

Log lines of SQLite have a file of their own, so that their writer never waits for the executor's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from data import migrations, postgresql, sqlite
from data.errors import StoreUnavailable
from data.passwords import Offload, Passwords, directly

BUSY_MS = 1_000  # the page must say within 3 s that the database is away
PROBE_BUSY_MS = 250
MIGRATE_BUSY_MS = 60_000  # somebody else may be migrating
CONNECTIONS = 15
WAIT_SECONDS = 15.0
_KEPT = 5  # connections that stay open when they are not needed


def is_sqlite(url: sa.URL) -> bool:
    """Whether it is SQLite, not PostgreSQL."""
    return url.get_backend_name() == "sqlite"


def logs_url(url: sa.URL) -> sa.URL:
    """Where log lines are kept: a file beside SQLite's, else the same database."""
    return sqlite.logs_url(url) if is_sqlite(url) else url


def make_engine(
    url: sa.URL, busy_ms: int = BUSY_MS, connections: int = CONNECTIONS, wait: float = WAIT_SECONDS
) -> sa.Engine:
    """An engine whose transactions begin as ``transaction`` says.

    They wait ``busy_ms`` for SQLite's write lock, and ``wait`` seconds for one of ``connections``.
    """
    kept = min(_KEPT, connections)
    engine = sa.create_engine(
        url,
        connect_args=sqlite.connect_args(busy_ms) if is_sqlite(url) else postgresql.connect_args(url),
        poolclass=sa.QueuePool,
        pool_size=kept,
        max_overflow=connections - kept,
        pool_timeout=wait,
    )
    if is_sqlite(url):
        sqlite.prepare(engine)
    else:
        postgresql.prepare(engine)
    return engine


@contextmanager
def transaction(engine: sa.Engine, *, writes: bool = False) -> Iterator[sa.Connection]:
    """One transaction, committed at the end. Raises ``StoreUnavailable`` when the database can't serve it."""
    try:
        with engine.connect() as connection:
            with connection.execution_options(writes=writes).begin():
                yield connection
    except PoolTimeout as error:
        raise StoreUnavailable(_POOL_FULL) from error
    except DBAPIError as error:
        if isinstance(error, OperationalError) or error.connection_invalidated or postgresql.is_away(error):
            raise StoreUnavailable(_reason(error)) from error
        raise


_POOL_FULL = "every connection to it is in use: raise WATCHFLOOR_DATABASE_CONNECTIONS, or find what is slow"


def _reason(error: Exception) -> str:
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    return "; ".join(filter(None, (said, postgresql.advice(error))))


class Database:
    """What all parts of the store share: a state engine, a logs engine, and transactions on them.

    ``offload`` hashes passwords where that stops no greenlet.
    """

    def __init__(
        self,
        database_url: str,
        *,
        connections: int = CONNECTIONS,
        wait: float = WAIT_SECONDS,
        offload: Offload = directly,
    ) -> None:
        self._passwords = Passwords(offload)
        self._url = sa.make_url(database_url)
        self._engine = make_engine(self._url, connections=connections, wait=wait)
        self._probe_engine = make_engine(self._url, PROBE_BUSY_MS, connections=1, wait=wait)
        apart = logs_url(self._url)
        self._logs_engine = (
            self._engine if apart == self._url else make_engine(apart, connections=connections, wait=wait)
        )

    def migrate(self) -> str:
        """Bring the database's tables to this version's (returned); made where there are none. All of it or nothing.

        Whoever starts at the same time waits. Raises ``SchemaTooNew`` for tables of a newer Watchfloor.
        """
        apart = logs_url(self._url)
        parts = {self._url: {"state"}, apart: {"logs"}} if apart != self._url else {self._url: {"state", "logs"}}
        if is_sqlite(self._url):
            sqlite.make_files(set(parts))
        engines = [(make_engine(url, MIGRATE_BUSY_MS), some) for url, some in parts.items()]
        with ExitStack() as stack:
            for engine, some in engines:
                stack.callback(engine.dispose)
                connection = stack.enter_context(transaction(engine, writes=True))
                migrations.upgrade(connection, some)
        return migrations.versions()[-1]

    def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless the database answers."""
        with self._read() as connection:
            connection.execute(sa.text("SELECT count(*) FROM stream_position"))

    def probe(self) -> None:
        """Raise ``StoreUnavailable`` unless the database takes a write now; writes nothing, waits but a moment."""
        with transaction(self._probe_engine, writes=True) as connection:
            connection.execute(sa.text("SELECT count(*) FROM stream_position"))
            if not is_sqlite(self._url):
                postgresql.check_writable(connection)

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
