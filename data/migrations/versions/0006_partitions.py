"""Partitions of the events: how many there are stands beside each stream's position, an outbox belongs to a stream."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0006"
down_revision = "0005"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """What there is belongs to the one partition there was."""
    if "state" not in context.config.attributes["parts"]:
        return
    op.add_column("stream_position", sa.Column("partitions", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("outbox", sa.Column("stream", _Text, nullable=False, server_default="wf:events"))
