"""Flows that were deleted, and what was taken last from each flow file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0011"
down_revision = "0010"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """No flow is deleted yet; every file is looked at once more."""
    if "state" not in context.config.attributes["parts"]:
        return
    op.add_column("flow", sa.Column("deleted", sa.SmallInteger(), nullable=False, server_default="0"))
    op.create_table(
        "flow_file",
        sa.Column("file", _Text, nullable=False),
        sa.Column("digest", _Text, nullable=False),
        sa.PrimaryKeyConstraint("file"),
        sqlite_with_rowid=False,
    )
