"""Who triggered an execution is known apart from what it was made by or of; being a child means the former."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import context, op

from data.blobs import decode_row, encode
from data.signatures import signature_of
from data.times import DAY, HOUR
from engine.model import Trigger

revision = "0013"
down_revision = "0012"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TYPES = ("io.kestra.plugin.core.flow.Subflow", "io.kestra.plugin.core.trigger.Flow")
_PAGE = 5_000
_BODIES = 50  # they may be large
_ROWS = (
    "SELECT execution.seq, execution.child, execution.text_key, execution.start_at, execution.end_at,"
    " execution_data.row FROM execution JOIN execution_data ON execution_data.seq = execution.seq"
    " WHERE execution.seq > :after ORDER BY execution.seq LIMIT :most"
)
_INDEX = "UPDATE execution SET triggered_by = :by, child = :child, text_key = :key WHERE seq = :of"
_DATA = "UPDATE execution_data SET row = :row WHERE seq = :of"
_TEXT = ("text_key", "day", "state")
_FLOW = ("grain", "bucket", "namespace", "flow_id", "kind", "child", "state")


# Of a stored execution nothing else is decoded.
_Body = msgspec.defstruct("_Body", [("trigger", Trigger | None, None)])
_bodies = msgspec.msgpack.Decoder(_Body)


def upgrade() -> None:
    """Each execution's is read off its trigger; what that makes of its signature and counts is corrected."""
    if "state" not in context.config.attributes["parts"]:
        return
    connection = op.get_bind()
    op.add_column("execution", sa.Column("triggered_by", _Text, nullable=True))
    for rows in _pages(connection):
        _correct(connection, rows, _triggered_by(connection, rows))
    for table in ("flow_count", "text_count"):
        op.execute(f"DELETE FROM {table} WHERE n = 0")
    counted = "SELECT 1 FROM text_count WHERE text_count.text_key = search_text.key"
    op.execute(f"DELETE FROM search_text WHERE NOT EXISTS ({counted})")
    there = sa.text("triggered_by IS NOT NULL")
    op.create_index("ix_execution_triggered", "execution", ["triggered_by"], sqlite_where=there, postgresql_where=there)


def _pages(connection: sa.Connection) -> Iterator[list[tuple[Any, Any]]]:
    """All executions, a page at a time: what the tables hold of each, and its row."""
    after = 0
    while found := list(connection.execute(sa.text(_ROWS), {"after": after, "most": _PAGE})):
        yield [(one, decode_row(one.row)) for one in found]
        after = found[-1].seq


def _triggered_by(connection: sa.Connection, rows: list[tuple[Any, Any]]) -> dict[int, str]:
    """The execution that triggered, by ``seq``, where one did."""
    query = sa.text("SELECT seq, body FROM execution_data WHERE seq IN :some")
    query = query.bindparams(sa.bindparam("some", expanding=True))
    seqs = [one.seq for one, row in rows if row.trigger_type in _TYPES]
    found: dict[int, str] = {}
    for start in range(0, len(seqs), _BODIES):
        for seq, body in connection.execute(query, {"some": seqs[start : start + _BODIES]}):
            trigger = _bodies.decode(body).trigger
            if trigger is not None and (by := trigger.variables.get("executionId")) is not None:
                found[seq] = by
    return found


def _correct(connection: sa.Connection, rows: list[tuple[Any, Any]], by: dict[int, str]) -> None:
    index, data, signatures = [], [], {}
    flows: Counter[tuple[Any, ...]] = Counter()
    texts: Counter[tuple[Any, ...]] = Counter()
    for one, before in rows:
        if one.seq not in by and not one.child:
            continue
        row = msgspec.structs.replace(before, triggered_by=by.get(one.seq))
        signature = signature_of(row)
        signatures[signature["key"]] = signature
        child, key = signature["child"], signature["key"]
        index.append({"of": one.seq, "by": row.triggered_by, "child": child, "key": key})
        data.append({"of": one.seq, "row": encode(row)})
        for old, new, n in ((one.child, one.text_key, -1), (child, key, 1)):
            texts[new, one.start_at // DAY * DAY, row.state.value] += n
            for bucket in _buckets(one.start_at, one.end_at):
                flows[*bucket, row.namespace, row.flow_id, row.kind.value, old, row.state.value] += n
    if not index:
        return
    connection.execute(sa.text(_INDEX), index)
    connection.execute(sa.text(_DATA), data)
    _insert(connection, "search_text", list(signatures.values()), "NOTHING")
    for table, columns, counter in (("flow_count", _FLOW, flows), ("text_count", _TEXT, texts)):
        changed = [dict(zip((*columns, "n"), (*key, n), strict=True)) for key, n in counter.items() if n]
        _insert(connection, table, changed, f"UPDATE SET n = {table}.n + excluded.n", columns)


def _buckets(start: int, end: int | None) -> Iterator[tuple[int, int]]:
    """(grain, bucket) that an execution is counted in: all, day and hour of the start, day and hour of the end."""
    yield 0, 0
    for grain, width, at in ((1, DAY, start), (2, HOUR, start), (3, DAY, end), (4, HOUR, end)):
        if at is not None:
            yield grain, at // width * width


def _insert(
    connection: sa.Connection, table: str, rows: list[dict[str, Any]], other: str, key: Sequence[str] = ("key",)
) -> None:
    """Rows; for those that are there already, DO ``other``."""
    if rows:
        columns, values = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
        conflict = f"ON CONFLICT ({', '.join(key)}) DO {other}"
        connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values}) {conflict}"), rows)
