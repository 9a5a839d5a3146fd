"""Slots of flows with a concurrency limit; of a trigger also whether it is switched off, and its backfill."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0004"
down_revision = "0003"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Two new tables, and what triggers know of themselves."""
    if "state" not in context.config.attributes["parts"]:
        return
    op.create_table(
        "flow_gate",
        sa.Column("id", _Text, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "flow_slot",
        sa.Column("gate", _Text, nullable=False),
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gate", "execution_id"),
        sqlite_with_rowid=False,
    )
    op.add_column("trigger_state", sa.Column("body", sa.LargeBinary(), nullable=True))
