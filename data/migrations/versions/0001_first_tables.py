"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0001"
down_revision = None

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables of the parts this database holds."""
    parts = context.config.attributes["parts"]
    for part, make in (("state", _state), ("logs", _logs)):
        if part in parts:
            make()


def _state() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", _Text, nullable=False),
        sa.Column("action", _Text, nullable=False),
        sa.Column("target", _Text, nullable=False),
        sa.Column("reason", _Text, nullable=True),
        sa.Column("before", _Text, nullable=True),
        sa.Column("after", _Text, nullable=True),
        sa.Column("origin", _Text, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_target", "audit", ["target"], unique=False)
    op.create_table(
        "execution",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", _Text, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("namespace", _Text, nullable=False),
        sa.Column("flow_id", _Text, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", _Text, nullable=False),
        sa.Column("kind", _Text, nullable=False),
        sa.Column("child", sa.SmallInteger(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", _Text, nullable=True),
        sa.Column("text_key", sa.BigInteger(), nullable=False),
        sa.Column("id_reversed", _Text, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_execution_duration", "execution", ["duration"], unique=False)
    op.create_index("ix_execution_end", "execution", ["end_at"], unique=False)
    op.create_index("ix_execution_flow", "execution", ["flow_id", "start_at"], unique=False)
    op.create_index("ix_execution_id", "execution", ["id"], unique=True)
    op.create_index("ix_execution_namespace", "execution", ["namespace", "start_at"], unique=False)
    op.create_index(
        "ix_execution_parent",
        "execution",
        ["parent_id"],
        unique=False,
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_index("ix_execution_reversed", "execution", ["id_reversed"], unique=False)
    op.create_index("ix_execution_start", "execution", ["start_at"], unique=False)
    op.create_index("ix_execution_state", "execution", ["state", "start_at"], unique=False)
    op.create_index("ix_execution_text", "execution", ["text_key", "start_at"], unique=False)
    op.create_table(
        "execution_data",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("row", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "execution_label",
        sa.Column("key", _Text, nullable=False),
        sa.Column("value", _Text, nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "value", "start_at", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "flow",
        sa.Column("namespace", _Text, nullable=False),
        sa.Column("id", _Text, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("source", _Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled", sa.SmallInteger(), nullable=False),
        sa.Column("description", _Text, nullable=True),
        sa.Column("labels", _Text, nullable=False),
        sa.PrimaryKeyConstraint("namespace", "id", "revision"),
    )
    op.create_table(
        "flow_count",
        sa.Column("grain", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.BigInteger(), nullable=False),
        sa.Column("namespace", _Text, nullable=False),
        sa.Column("flow_id", _Text, nullable=False),
        sa.Column("kind", _Text, nullable=False),
        sa.Column("child", sa.SmallInteger(), nullable=False),
        sa.Column("state", _Text, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("grain", "bucket", "namespace", "flow_id", "kind", "child", "state"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "flow_problem",
        sa.Column("file", _Text, nullable=False),
        sa.Column("violations", _Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("file"),
    )
    op.create_table(
        "label_count",
        sa.Column("key", _Text, nullable=False),
        sa.Column("value", _Text, nullable=False),
        sa.Column("state", _Text, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "value", "state"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "login_token",
        sa.Column("digest", _Text, nullable=False),
        sa.Column("user", _Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "metric",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("task_run_id", _Text, nullable=False),
        sa.Column("task_id", _Text, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("name", _Text, nullable=False),
        sa.Column("type", _Text, nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("tags", _Text, nullable=False),
        sa.Column("date", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_metric_execution", "metric", ["execution_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "search_text",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", _Text, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stream_position",
        sa.Column("stream", _Text, nullable=False),
        sa.Column("position", _Text, nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )
    op.create_table(
        "task_run",
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("id", _Text, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("task_id", _Text, nullable=False),
        sa.Column("state", _Text, nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("execution_id", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "text_count",
        sa.Column("text_key", sa.BigInteger(), nullable=False),
        sa.Column("state", _Text, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("text_key", "state"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "timer",
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("key", _Text, nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("task_run_id", _Text, nullable=True),
        sa.PrimaryKeyConstraint("execution_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trigger_state",
        sa.Column("namespace", _Text, nullable=False),
        sa.Column("flow_id", _Text, nullable=False),
        sa.Column("trigger_id", _Text, nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("namespace", "flow_id", "trigger_id"),
    )
    op.create_table(
        "wf_user",
        sa.Column("name", _Text, nullable=False),
        sa.Column("role", _Text, nullable=False),
        sa.Column("password", _Text, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _logs() -> None:
    op.create_table(
        "log_chunk",
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run", "chunk"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_line",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("date", sa.BigInteger(), nullable=False),
        sa.Column("message", _Text, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_log_line_run", "log_line", ["run", "line", "level", "source"], unique=False)
    op.create_index("ix_log_line_source", "log_line", ["source", "number", "level"], unique=False)
    op.create_table(
        "log_position",
        sa.Column("stream", _Text, nullable=False),
        sa.Column("position", _Text, nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )
    op.create_table(
        "log_run",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("execution_id", _Text, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("execution_id"),
    )
    op.create_table(
        "log_source",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("task_run_id", _Text, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("task_id", _Text, nullable=False),
        sa.Column("namespace", _Text, nullable=False),
        sa.Column("flow_id", _Text, nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("n0", sa.Integer(), nullable=False),
        sa.Column("n1", sa.Integer(), nullable=False),
        sa.Column("n2", sa.Integer(), nullable=False),
        sa.Column("n3", sa.Integer(), nullable=False),
        sa.Column("n4", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("run", "task_run_id", "attempt"),
    )
