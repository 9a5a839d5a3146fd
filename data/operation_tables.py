"""Tables of bulk operations: a row each, and a narrow row for each of their executions, in order by ``position``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table

from data.tables import STATE, _Key, _Text

operation = Table(
    "operation",
    STATE,
    Column("seq", _Key, primary_key=True, autoincrement=True),
    Column("id", _Text, nullable=False),
    Column("action", _Text, nullable=False),
    Column("details", _Text, nullable=False),
    Column("selection", _Text, nullable=False),
    Column("actor", _Text, nullable=False),
    Column("origin", _Text, nullable=False),
    Column("reason", _Text),
    Column("retry_of", _Text),
    Column("state", _Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    sqlite_autoincrement=True,
)
Index("ix_operation_id", operation.c.id, unique=True)
Index("ix_operation_state", operation.c.state, operation.c.seq)

operation_item = Table(
    "operation_item",
    STATE,
    Column("operation", BigInteger, primary_key=True),
    Column("execution_id", _Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("result", SmallInteger),
    Column("why", _Text),
    sqlite_with_rowid=False,
)
Index("ix_operation_item_position", operation_item.c.operation, operation_item.c.position, unique=True)
