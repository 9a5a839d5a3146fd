"""Key-value stores of namespaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0003"
down_revision = "0002"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table, where executions are kept."""
    if "state" not in context.config.attributes["parts"]:
        return
    op.create_table(
        "key_value",
        sa.Column("namespace", _Text, nullable=False),
        sa.Column("key", _Text, nullable=False),
        sa.Column("type", _Text, nullable=False),
        sa.Column("value", _Text, nullable=False),
        sa.Column("description", _Text, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("namespace", "key"),
    )
