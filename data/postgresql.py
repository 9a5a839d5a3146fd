"""What PostgreSQL needs: connections that notice a server that went away, one snapshot a read, errors told apart.

A commit waits for the disk as the server is set up to (``synchronous_commit``); nothing here relaxes it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, DisconnectionError

from data.errors import StoreUnavailable
from data.texts import without_nul

_CONNECT = {
    "application_name": "watchfloor",
    "connect_timeout": 3,
    # A machine or a network that is gone without a word is noticed within about 10 s.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# By SQLSTATE: what else means that the database can't serve us, or what to do about it.
_ADVICE = {
    "25006": "the server takes no writes: connect to the primary (target_session_attrs=read-write in the URL)",
    "28P01": "mend user and password in WATCHFLOOR_DATABASE_URL",
    "28000": "mend the user in WATCHFLOOR_DATABASE_URL, or let it in by pg_hba.conf",
    "3D000": "make the database, or mend its name in WATCHFLOOR_DATABASE_URL",
    "42501": "grant the user of WATCHFLOOR_DATABASE_URL its tables",
    "42P01": "its tables are not made yet: `watchfloor migrate` makes them",
    "53100": "make room on the server's disk",
    "53300": "raise the server's max_connections, or lower WATCHFLOOR_DATABASE_CONNECTIONS",
}


# A connection that is refused comes without an SQLSTATE: what the server said instead.
_SAID = {
    r"password authentication failed": "28P01",
    r"no pg_hba\.conf entry|role .* does not exist": "28000",
    r"database .* does not exist": "3D000",
    r"too many clients|remaining connection slots": "53300",
}


def connect_args(url: sa.URL) -> dict[str, Any]:
    """Arguments of every connection; what the URL says itself goes before."""
    return {name: value for name, value in _CONNECT.items() if name not in url.query}


def prepare(engine: sa.Engine) -> None:
    """Make the engine's connections and transactions ours."""
    sa.event.listen(engine, "connect", _take_any_text)
    sa.event.listen(engine, "checkout", _check)
    sa.event.listen(engine, "begin", _begin)


def _take_any_text(connection: Any, _: Any) -> None:
    connection.adapters.register_dumper(str, _text_dumper())


@cache
def _text_dumper() -> type[Any]:
    from psycopg.types.string import StrDumperUnknown

    class TextDumper(StrDumperUnknown):
        """Texts with a symbol for NUL, which PostgreSQL refuses."""

        def dump(self, obj: str) -> bytes:
            return without_nul(obj).encode()

    return TextDumper


def _check(connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection that the server ended is made anew before it is used; asks the socket, not the server."""
    from psycopg import OperationalError

    try:
        connection.pgconn.consume_input()  # the server's last words
        connection.pgconn.consume_input()  # the end
    except OperationalError as error:
        raise DisconnectionError(str(error)) from error


def _begin(connection: sa.Connection) -> None:
    # A read sees one moment, however many statements it has, as on SQLite.
    from psycopg import IsolationLevel

    reads = not connection.get_execution_options().get("writes", False)
    raw = connection.connection.dbapi_connection
    assert raw is not None
    wanted = IsolationLevel.REPEATABLE_READ if reads else None
    if raw.isolation_level is not wanted:
        raw.isolation_level = wanted
        raw.read_only = True if reads else None


def is_away(error: DBAPIError) -> bool:
    """Whether the error means that the database can't serve us, rather than that we asked something wrong."""
    return _sqlstate(error) in _ADVICE


def advice(error: Exception) -> str:
    """What to do about an error, empty when that is not known."""
    return _ADVICE.get(_sqlstate(error) or "", "")


def _sqlstate(error: Exception) -> str | None:
    cause = getattr(error, "orig", None)
    if (state := getattr(cause, "sqlstate", None)) is not None:
        return str(state)
    return next((state for words, state in _SAID.items() if re.search(words, str(cause))), None)


def check_writable(connection: sa.Connection) -> None:
    """Raise ``StoreUnavailable`` when the server takes no writes: a standby, or one set to read only."""
    if connection.scalar(sa.text("SHOW transaction_read_only")) == "on":
        raise StoreUnavailable(f"the database is read-only; {_ADVICE['25006']}")
