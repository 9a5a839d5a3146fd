"""Bulk operations, and what became of each of their executions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0007"
down_revision = "0006"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_OFTEN = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0"


def upgrade() -> None:
    """Two new tables; on PostgreSQL their rows, which change once or all the time, stay in their page."""
    if "state" not in context.config.attributes["parts"]:
        return
    op.create_table(
        "operation",
        sa.Column("seq", _Key, primary_key=True, autoincrement=True),
        sa.Column("id", _Text, nullable=False),
        sa.Column("action", _Text, nullable=False),
        sa.Column("details", _Text, nullable=False),
        sa.Column("selection", _Text, nullable=False),
        sa.Column("actor", _Text, nullable=False),
        sa.Column("origin", _Text, nullable=False),
        sa.Column("reason", _Text, nullable=True),
        sa.Column("retry_of", _Text, nullable=True),
        sa.Column("state", _Text, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_operation_id", "operation", ["id"], unique=True)
    op.create_index("ix_operation_state", "operation", ["state", "seq"])
    op.create_table(
        "operation_item",
        sa.Column("operation", sa.BigInteger(), nullable=False),
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("result", sa.SmallInteger(), nullable=True),
        sa.Column("why", _Text, nullable=True),
        sa.PrimaryKeyConstraint("operation", "execution_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_operation_item_position", "operation_item", ["operation", "position"], unique=True)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE operation_item SET (fillfactor = 70)")
        op.execute(f"ALTER TABLE operation SET (fillfactor = 50, {_OFTEN})")
