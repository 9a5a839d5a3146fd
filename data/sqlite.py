"""What SQLite needs: WAL mode, write locks taken at once, and a file that went away told instead of made anew.

In WAL mode with ``synchronous=NORMAL`` what is committed survives the death of any process, and the last commits may
be lost only when the machine itself loses power.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DisconnectionError

_FILE = "wf-file"  # in a connection's record: path and identity of the file it opened
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "cache_size=-8192",  # KiB a connection; the file isn't mapped, for that counts as the process's memory
    "temp_store=MEMORY",
)


def logs_url(url: sa.URL) -> sa.URL:
    """The file of log lines, beside the database's: their writer never waits for the executor's lock."""
    if not url.database:
        return url
    path = Path(url.database)
    return url.set(database=str(path.with_name(f"{path.stem}-logs{path.suffix}")))


def make_files(urls: set[sa.URL]) -> None:
    """Make what is missing: an empty file is an empty database."""
    for path in (Path(url.database) for url in urls if url.database):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def connect_args(busy_ms: int) -> dict[str, Any]:
    """Arguments of every connection, which waits ``busy_ms`` for the write lock."""
    return {"check_same_thread": False, "timeout": busy_ms / 1000}


class _HintingCompiler(SQLiteCompiler):
    """Writes a table's hints (``INDEXED BY …``) behind its name."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def prepare(engine: sa.Engine) -> None:
    """Make the engine's connections and transactions ours."""
    engine.dialect.statement_compiler = _HintingCompiler
    sa.event.listen(engine, "do_connect", _open)
    sa.event.listen(engine, "connect", _set_pragmas)
    sa.event.listen(engine, "checkout", _check)
    sa.event.listen(engine, "begin", _begin)


def _open(_dialect: Any, record: Any, args: list[Any], options: dict[str, Any]) -> sqlite3.Connection | None:
    """A connection to the file that is there. An unreachable one is told, never replaced by an empty one."""
    path = args[0]
    if path == ":memory:":
        return None
    connection = sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, **options)
    record.info[_FILE] = (path, _identity(path))
    return connection


def _check(_connection: Any, record: Any, _proxy: Any) -> None:
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


def _set_pragmas(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A transaction that will write takes the write lock at once: upgrading a read lock can fail without a wait.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
