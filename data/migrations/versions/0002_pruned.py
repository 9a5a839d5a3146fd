"""Executions that retention removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """The list of what is still to be cleared away."""
    if "state" not in context.config.attributes["parts"]:
        return
    op.create_table(
        "pruned",
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=False),
        sa.Column("remains", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("execution_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pruned_removed", "pruned", ["removed_at"], unique=False)
