"""Saved views, and what each person has made of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0009"
down_revision = "0008"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables, where executions are kept."""
    if "state" not in context.config.attributes["parts"]:
        return
    op.create_table(
        "saved_view",
        sa.Column("id", _Text, nullable=False),
        sa.Column("name", _Text, nullable=False),
        sa.Column("owner", _Text, nullable=False),
        sa.Column("shared", sa.SmallInteger(), nullable=False),
        sa.Column("query", _Text, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_saved_view_owner", "saved_view", ["owner", "name"], unique=True)
    op.create_table(
        "saved_view_mark",
        sa.Column("person", _Text, nullable=False),
        sa.Column("view", _Text, nullable=False),
        sa.Column("pinned", sa.SmallInteger(), nullable=False),
        sa.Column("first", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "view"),
        sqlite_with_rowid=False,
    )
