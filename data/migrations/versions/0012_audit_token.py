"""Rows of the audit say which API token acted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0012"
down_revision = "0011"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    if "state" in context.config.attributes["parts"]:
        op.add_column("audit", sa.Column("token", _Text, nullable=True))
