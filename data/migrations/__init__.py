"""Versions of the tables: Alembic scripts, run in this process over a connection that is in a transaction.

Each script's name begins with its version; versions rise. Alembic is loaded only when there is something to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from data.errors import MigrationFailed, TablesTooNew

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent
LOCK_SECONDS = 60  # for what somebody else holds: another migration, or a table in use
_LOCK = 0x57415443  # "WATC": the advisory lock of whoever migrates


def config() -> Config:
    """Alembic's configuration; there is no ini file."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return made


def versions() -> list[str]:
    """All versions that this Watchfloor knows, the newest last."""
    folder = FOLDER / "versions"
    return sorted(path.name.partition("_")[0] for path in folder.glob("[0-9]*.py"))


def version_of(connection: sa.Connection) -> str | None:
    """The version of a database's tables, ``None`` when it has none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(sa.text("SELECT version_num FROM alembic_version"))


def upgrade(connection: sa.Connection, parts: set[str]) -> None:
    """Bring a database that holds ``parts`` (``state``, ``logs``) to the newest version, in its transaction.

    Raises ``MigrationFailed`` and ``TablesTooNew``; the transaction must then be rolled back.
    """
    if _done(connection):
        return
    if connection.dialect.name == "postgresql":  # SQLite has its write lock already
        connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        if _done(connection):
            return
    _run(connection, parts)


def _done(connection: sa.Connection) -> bool:
    known, now = versions(), version_of(connection)
    if now is not None and now not in known:
        raise TablesTooNew(now, known[-1])
    return now == known[-1]


def _run(connection: sa.Connection, parts: set[str]) -> None:
    from alembic import command

    settings = config()
    settings.attributes.update(connection=connection, parts=parts)
    before = version_of(connection)
    try:
        command.upgrade(settings, "head")
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        raise MigrationFailed(before, versions()[-1], error) from error
