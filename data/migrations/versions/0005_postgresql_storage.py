"""PostgreSQL: lists by end and duration read along an index; rows that change all the time stay in their page."""

from __future__ import annotations

from alembic import context, op

revision = "0005"
down_revision = "0004"

_COUNTS = ("flow_count", "label_count", "text_count")
_BUSY = ("stream_position", "outbox", "timer")
_OFTEN = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0"


def upgrade() -> None:
    """SQLite reads its indexes both ways with NULL at either end, and needs none of this."""
    if "state" not in context.config.attributes["parts"] or op.get_bind().dialect.name != "postgresql":
        return
    for name in ("end", "duration"):
        column = "end_at" if name == "end" else name
        op.drop_index(f"ix_execution_{name}", "execution")
        op.execute(f"CREATE INDEX ix_execution_{name} ON execution ({column} DESC NULLS LAST, seq DESC)")
    for table in _COUNTS:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 60, {_OFTEN})")
    for table in _BUSY:
        op.execute(f"ALTER TABLE {table} SET ({_OFTEN})")
