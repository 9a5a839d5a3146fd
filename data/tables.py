"""Tables of the record. Times are BigInteger microseconds, structured values MessagePack or JSON.

``execution`` holds what lists filter and sort by, ``execution_data`` the encoded row and record beside it, so that a
scan of a million executions stays narrow. ``search_text`` holds the signatures of executions (``data.signatures``),
``error_text`` the texts of errors.
``flow_count``, ``label_count``, ``text_count`` (by signature and day of start) and ``task_count`` (by the last task)
are kept up by each commit: totals and state counts of a list are sums over few rows, seldom a scan. ``pruned`` names
executions that retention removed, until everything else of them is gone too.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

STATE = MetaData()  # written by the executor and by web processes
LOGS = MetaData()  # written by the log writer; a file of its own on SQLite

# Compared letter by letter in every database: ranges of an index stand for "begins with".
_Text = Text().with_variant(Text(collation="C"), "postgresql")
_Key = BigInteger().with_variant(Integer, "sqlite")  # what SQLite takes for its rowid


def _sparse(name: str, column: Column[Any], *further: Column[Any]) -> Index:
    """An index of the rows that have something in its first column."""
    there = column.is_not(None)
    return Index(name, column, *further, sqlite_where=there, postgresql_where=there)


# -- executions

execution = Table(
    "execution",
    STATE,
    Column("seq", _Key, primary_key=True, autoincrement=True),
    Column("id", _Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("namespace", _Text, nullable=False),
    Column("flow_id", _Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", _Text, nullable=False),
    Column("kind", _Text, nullable=False),
    Column("child", SmallInteger, nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger),
    Column("duration", BigInteger),
    Column("changed_at", BigInteger, nullable=False),
    Column("parent_id", _Text),
    Column("text_key", BigInteger, nullable=False),
    Column("id_reversed", _Text, nullable=False),
    Column("original_id", _Text),
    Column("last_task", _Text),
    Column("error_key", BigInteger),
    Column("triggered_by", _Text),
)
Index("ix_execution_id", execution.c.id, unique=True)
Index("ix_execution_start", execution.c.start_at)
Index("ix_execution_end", execution.c.end_at)  # on PostgreSQL: DESC NULLS LAST, seq DESC
Index("ix_execution_duration", execution.c.duration)  # likewise
Index("ix_execution_namespace", execution.c.namespace, execution.c.start_at)
Index("ix_execution_flow", execution.c.flow_id, execution.c.start_at)
Index("ix_execution_state", execution.c.state, execution.c.start_at)
Index("ix_execution_text", execution.c.text_key, execution.c.start_at)
_sparse("ix_execution_parent", execution.c.parent_id)
_sparse("ix_execution_triggered", execution.c.triggered_by)
_sparse("ix_execution_original", execution.c.original_id)
_sparse("ix_execution_error", execution.c.error_key, execution.c.start_at)
Index("ix_execution_reversed", execution.c.id_reversed)

execution_data = Table(
    "execution_data",
    STATE,
    Column("seq", _Key, primary_key=True, autoincrement=False),
    Column("row", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

task_run = Table(
    "task_run",
    STATE,
    Column("execution_id", _Text, primary_key=True),
    Column("id", _Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("task_id", _Text, nullable=False),
    Column("state", _Text, nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger),
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

execution_label = Table(
    "execution_label",
    STATE,
    Column("key", _Text, primary_key=True),
    Column("value", _Text, primary_key=True),
    Column("start_at", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

search_text = Table(
    "search_text",
    STATE,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("text", _Text, nullable=False),
    Column("namespace", _Text, nullable=False),
    Column("flow_id", _Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kind", _Text, nullable=False),
    Column("child", SmallInteger, nullable=False),
    Column("trigger_id", _Text),
    Column("labels", _Text, nullable=False),
    sqlite_with_rowid=False,
)

error_text = Table(
    "error_text",
    STATE,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("text", _Text, nullable=False),
    sqlite_with_rowid=False,
)

pruned = Table(
    "pruned",
    STATE,
    Column("execution_id", _Text, primary_key=True),
    Column("removed_at", BigInteger, nullable=False),
    Column("remains", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_pruned_removed", pruned.c.removed_at)

# -- counts

flow_count = Table(
    "flow_count",
    STATE,
    Column("grain", Integer, primary_key=True),
    Column("bucket", BigInteger, primary_key=True),
    Column("namespace", _Text, primary_key=True),
    Column("flow_id", _Text, primary_key=True),
    Column("kind", _Text, primary_key=True),
    Column("child", SmallInteger, primary_key=True),
    Column("state", _Text, primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

label_count = Table(
    "label_count",
    STATE,
    Column("key", _Text, primary_key=True),
    Column("value", _Text, primary_key=True),
    Column("state", _Text, primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

text_count = Table(
    "text_count",
    STATE,
    Column("text_key", BigInteger, primary_key=True),
    Column("day", BigInteger, primary_key=True),
    Column("state", _Text, primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

task_count = Table(
    "task_count",
    STATE,
    Column("namespace", _Text, primary_key=True),
    Column("flow_id", _Text, primary_key=True),
    Column("task_id", _Text, primary_key=True),
    Column("state", _Text, primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# -- the executor's own

stream_position = Table(
    "stream_position",
    STATE,
    Column("stream", _Text, primary_key=True),
    Column("position", _Text, nullable=False),
    Column("partitions", Integer, nullable=False, server_default="1"),
)

outbox = Table(
    "outbox",
    STATE,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("payload", LargeBinary, nullable=False),
    Column("stream", _Text, nullable=False, server_default="wf:events"),
    sqlite_autoincrement=True,
)

timer = Table(
    "timer",
    STATE,
    Column("execution_id", _Text, primary_key=True),
    Column("key", _Text, primary_key=True),
    Column("due", BigInteger, nullable=False),
    Column("task_run_id", _Text),
    sqlite_with_rowid=False,
)

trigger_state = Table(
    "trigger_state",
    STATE,
    Column("namespace", _Text, primary_key=True),
    Column("flow_id", _Text, primary_key=True),
    Column("trigger_id", _Text, primary_key=True),
    Column("next_at", BigInteger),
    Column("last_at", BigInteger),
    Column("body", LargeBinary),
)

flow_gate = Table(
    "flow_gate",
    STATE,
    Column("id", _Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("most", Integer),
)

flow_slot = Table(
    "flow_slot",
    STATE,
    Column("gate", _Text, primary_key=True),
    Column("execution_id", _Text, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("place", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

metric = Table(
    "metric",
    STATE,
    Column("seq", _Key, primary_key=True, autoincrement=True),
    Column("execution_id", _Text, nullable=False),
    Column("task_run_id", _Text, nullable=False),
    Column("task_id", _Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("name", _Text, nullable=False),
    Column("type", _Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("tags", _Text, nullable=False),
    Column("date", BigInteger, nullable=False),
)
Index("ix_metric_execution", metric.c.execution_id)

# -- flows, audit

flow = Table(
    "flow",
    STATE,
    Column("namespace", _Text, primary_key=True),
    Column("id", _Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("source", _Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("disabled", SmallInteger, nullable=False),
    Column("description", _Text),
    Column("labels", _Text, nullable=False),
    Column("deleted", SmallInteger, nullable=False, server_default="0"),
)

flow_file = Table(
    "flow_file",
    STATE,
    Column("file", _Text, primary_key=True),
    Column("digest", _Text, nullable=False),
    sqlite_with_rowid=False,
)

flow_problem = Table(
    "flow_problem",
    STATE,
    Column("file", _Text, primary_key=True),
    Column("violations", _Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

key_value = Table(
    "key_value",
    STATE,
    Column("namespace", _Text, primary_key=True),
    Column("key", _Text, primary_key=True),
    Column("type", _Text, nullable=False),
    Column("value", _Text, nullable=False),
    Column("description", _Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
)

audit = Table(
    "audit",
    STATE,
    Column("seq", _Key, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", _Text, nullable=False),
    Column("action", _Text, nullable=False),
    Column("target", _Text, nullable=False),
    Column("reason", _Text),
    Column("before", _Text),
    Column("after", _Text),
    Column("origin", _Text, nullable=False),
    Column("address", _Text),
    Column("token", _Text),
    sqlite_autoincrement=True,
)
Index("ix_audit_target", audit.c.target)
Index("ix_audit_actor", audit.c.actor, audit.c.seq)
Index("ix_audit_action", audit.c.action, audit.c.seq)
Index("ix_audit_at", audit.c.at)

# -- logs: lines, and per thousand lines of an execution how many there are of each task and level

log_position = Table(
    "log_position",
    LOGS,
    Column("stream", _Text, primary_key=True),
    Column("position", _Text, nullable=False),
)

log_run = Table(
    "log_run",
    LOGS,
    Column("key", _Key, primary_key=True, autoincrement=True),
    Column("execution_id", _Text, nullable=False, unique=True),
    Column("lines", Integer, nullable=False),
)

log_source = Table(
    "log_source",
    LOGS,
    Column("key", _Key, primary_key=True, autoincrement=True),
    Column("run", BigInteger, nullable=False),
    Column("task_run_id", _Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("task_id", _Text, nullable=False),
    Column("namespace", _Text, nullable=False),
    Column("flow_id", _Text, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    *(Column(f"n{rank}", Integer, nullable=False) for rank in range(5)),
    UniqueConstraint("run", "task_run_id", "attempt"),
)

log_chunk = Table(
    "log_chunk",
    LOGS,
    Column("run", BigInteger, primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("counts", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

log_line = Table(
    "log_line",
    LOGS,
    Column("seq", _Key, primary_key=True, autoincrement=False),
    Column("run", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("source", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("date", BigInteger, nullable=False),
    Column("message", _Text, nullable=False),
)
Index("ix_log_line_run", log_line.c.run, log_line.c.line, log_line.c.level, log_line.c.source)
Index("ix_log_line_source", log_line.c.source, log_line.c.number, log_line.c.level)
