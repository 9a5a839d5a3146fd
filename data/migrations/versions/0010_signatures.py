"""Signatures: what executions are filtered and counted by; their last task and the execution they repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from data.blobs import decode_row
from data.signatures import error_key, error_of, signature_of
from data.times import DAY

revision = "0010"
down_revision = "0009"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_OFTEN = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0"
_CHUNK = 5_000
_UPDATE = (
    "UPDATE execution SET text_key = :key, error_key = :error, original_id = :original, last_task = :task"
    " WHERE seq = :of"
)


def upgrade() -> None:
    """Texts become signatures, and are counted by day; each execution's is worked out from its row."""
    if "state" not in context.config.attributes["parts"]:
        return
    _make_tables()
    _fill(op.get_bind())


def _make_tables() -> None:
    op.add_column("execution", sa.Column("original_id", _Text, nullable=True))
    op.add_column("execution", sa.Column("last_task", _Text, nullable=True))
    op.add_column("execution", sa.Column("error_key", sa.BigInteger(), nullable=True))
    for name, columns in (("original", ["original_id"]), ("error", ["error_key", "start_at"])):
        there = sa.text(f"{columns[0]} IS NOT NULL")
        op.create_index(f"ix_execution_{name}", "execution", columns, sqlite_where=there, postgresql_where=there)
    op.create_table(
        "error_text",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", _Text, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.drop_table("search_text")
    op.create_table(
        "search_text",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", _Text, nullable=False),
        sa.Column("namespace", _Text, nullable=False),
        sa.Column("flow_id", _Text, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", _Text, nullable=False),
        sa.Column("child", sa.SmallInteger(), nullable=False),
        sa.Column("trigger_id", _Text, nullable=True),
        sa.Column("labels", _Text, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.drop_table("text_count")
    _make_count("text_count", sa.Column("text_key", sa.BigInteger()), sa.Column("day", sa.BigInteger()))
    names = ("namespace", "flow_id", "task_id")
    _make_count("task_count", *(sa.Column(name, _Text) for name in names))


def _make_count(name: str, *columns: sa.Column[Any]) -> None:
    key = [*columns, sa.Column("state", _Text)]
    number = sa.Column("n", sa.Integer(), nullable=False)
    op.create_table(name, *key, number, sa.PrimaryKeyConstraint(*(c.name for c in key)), sqlite_with_rowid=False)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {name} SET (fillfactor = 60, {_OFTEN})")


def _fill(connection: sa.Connection) -> None:
    known: set[int] = set()
    errors: set[int] = set()
    texts: Counter[tuple[Any, ...]] = Counter()
    tasks: Counter[tuple[Any, ...]] = Counter()
    for rows in _rows(connection):
        changes, new, told = [], {}, {}
        for seq, start, data in rows:
            row = decode_row(data)
            signature = signature_of(row)
            key, state = signature["key"], row.state.value
            if key not in known:
                new[key] = signature
            texts[key, start // DAY * DAY, state] += 1
            tasks[row.namespace, row.flow_id, row.last_task or "", state] += 1
            error = error_key(text := error_of(row))
            if error is not None and error not in errors:
                told[error] = {"key": error, "text": text}
            changes.append({"of": seq, "key": key, "original": row.original_id, "task": row.last_task, "error": error})
        known |= new.keys()
        errors |= told.keys()
        _insert(connection, "search_text", list(new.values()))
        _insert(connection, "error_text", list(told.values()))
        connection.execute(sa.text(_UPDATE), changes)
    _insert(connection, "text_count", _counted(("text_key", "day", "state"), texts))
    _insert(connection, "task_count", _counted(("namespace", "flow_id", "task_id", "state"), tasks))


def _rows(connection: sa.Connection) -> Iterator[list[Any]]:
    query = sa.text(
        "SELECT execution.seq, execution.start_at, execution_data.row FROM execution"
        " JOIN execution_data ON execution_data.seq = execution.seq"
        " WHERE execution.seq > :after ORDER BY execution.seq LIMIT :most"
    )
    after = 0
    while rows := list(connection.execute(query, {"after": after, "most": _CHUNK})):
        yield rows
        after = rows[-1][0]


def _counted(columns: tuple[str, ...], counter: Counter[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(zip((*columns, "n"), (*key, n), strict=True)) for key, n in counter.items()]


def _insert(connection: sa.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        columns = ", ".join(rows[0])
        values = ", ".join(f":{name}" for name in rows[0])
        connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), rows)
