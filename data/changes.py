"""What an execution is in the tables: looked up by ids, and written as a change of what is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from data import blobs
from data.counters import Tally
from data.signatures import error_key, error_of, same, signature_of
from data.tables import error_text, execution, execution_data, execution_label, search_text, task_run
from data.texts import label_pairs
from data.times import to_us, to_us_or_none
from data.upserts import among, as_ids, fetch, insert_new, run_many, upsert
from engine.model import Execution, TaskRun
from engine.states import TERMINAL
from streaming.messages import ExecutionRow, Metric
from streaming.rows import row_of

T = TypeVar("T")
_CHUNK = 500  # values in one IN list

_label_delete = sa.delete(execution_label).where(
    execution_label.c.key == sa.bindparam("k"),
    execution_label.c.value == sa.bindparam("v"),
    execution_label.c.start_at == sa.bindparam("at"),
    execution_label.c.seq == sa.bindparam("of"),
)


class _Reads(msgspec.Struct, frozen=True):
    """Statements that look up executions by ``ids``. Made once: building one costs as much as running it."""

    bodies: sa.Select[Any]
    runs: sa.Select[Any]
    rows: sa.Select[Any]
    seqs: sa.Select[Any]


@cache
def _reads(dialect: str) -> _Reads:
    of, data = execution.c, execution_data.c
    whole = execution.join(execution_data, of.seq == data.seq)
    wanted = among(dialect, of.id)
    return _Reads(
        bodies=sa.select(of.id, data.body).select_from(whole).where(wanted),
        runs=sa.select(task_run.c.execution_id, task_run.c.data).where(among(dialect, task_run.c.execution_id)),
        rows=sa.select(of.id, of.seq, of.version, of.text_key, data.row).select_from(whole).where(wanted),
        seqs=sa.select(of.id, of.seq).where(wanted),
    )


class Stored(msgspec.Struct, gc=False):
    """What the store holds of an execution before a commit."""

    seq: int
    version: int
    text_key: int
    row: ExecutionRow


class Change(msgspec.Struct, gc=False):
    """An execution to be written, beside what is stored of it."""

    execution: Execution
    row: ExecutionRow
    signature: dict[str, Any] | None  # ``None``: the stored one
    text_key: int
    error: str
    before: Stored | None


def chunks(values: Sequence[T], size: int = _CHUNK) -> Iterator[Sequence[T]]:
    """``values`` in pieces of ``size``."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


# -- reading


def load_executions(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Execution]:
    reads, dialect = _reads(connection.dialect.name), connection.dialect.name
    bodies = dict(fetch(connection, reads.bodies, ids=as_ids(dialect, ids)))
    if not bodies:
        return {}
    runs: dict[str, list[TaskRun]] = {execution_id: [] for execution_id in bodies}
    for execution_id, data in fetch(connection, reads.runs, ids=as_ids(dialect, list(bodies))):
        runs[execution_id].append(blobs.decode_task_run(data))
    return {execution_id: blobs.execution_of(body, runs[execution_id]) for execution_id, body in bodies.items()}


def stored_of(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Stored]:
    dialect = connection.dialect.name
    return {
        execution_id: Stored(seq, version, text_key, blobs.decode_row(row))
        for some in chunks(ids)
        for execution_id, seq, version, text_key, row in fetch(
            connection, _reads(dialect).rows, ids=as_ids(dialect, some)
        )
    }


# -- writing


def change_of(item: Execution, before: Stored | None) -> Change:
    row = row_of(item)
    if before is not None and same(before.row, row):
        return Change(item, row, None, before.text_key, error_of(row), before)
    signature = signature_of(row)
    return Change(item, row, signature, signature["key"], error_of(row), before)


def write_changes(connection: sa.Connection, dialect: str, changes: Sequence[Change]) -> dict[str, int]:
    """Rows, records, labels, texts and counts of changed executions; their keys in the tables."""
    if not changes:
        return {}
    signatures = {c.text_key: c.signature for c in changes if c.signature is not None}
    run_many(connection, insert_new(dialect, search_text), [signatures[key] for key in sorted(signatures)])
    errors = {
        error_key(c.error): c.error
        for c in changes
        if c.error and (c.before is None or c.before.row.error != c.row.error)
    }
    new_errors = [{"key": key, "text": text} for key, text in sorted(errors.items())]
    run_many(connection, insert_new(dialect, error_text), new_errors)
    _write_index(connection, dialect, changes)
    seqs = _seqs(connection, changes)
    data = [_data_row(c, seqs[c.execution.id]) for c in changes]
    run_many(connection, upsert(dialect, execution_data), data)
    _write_labels(connection, dialect, changes, seqs)
    tally = Tally()
    for c in changes:
        before = c.before
        tally.move(before.row if before else None, c.row, before.text_key if before else 0, c.text_key)
    tally.write(connection)
    return seqs


# Of a row: what is seldom another later on, and what else is in which columns.
FIXED = ("namespace", "flow_id", "revision", "kind", "parent_id", "original_id", "start_date", "triggered_by")
CHANGING = {
    "state": ("state",),
    "end_date": ("end_at", "duration"),
    "last_task": ("last_task",),
    "error": ("error_key",),
}
_ALWAYS = ("version", "changed_at")


def _write_index(connection: sa.Connection, dialect: str, changes: Sequence[Change]) -> None:
    """Rows that lists filter by. An update names only what differs: SQLite writes the index of each column named."""
    whole, some = [], defaultdict(list)
    for c in changes:
        columns = changed_columns(c)
        if columns is None:
            whole.append(index_row(c))
        else:
            some[columns].append(index_row(c))
    run_many(connection, upsert(dialect, execution, key=("id",), guard="version"), whole)
    for columns, rows in some.items():
        used = (*columns, "id")
        run_many(connection, _index_update(columns), [{f"new_{name}": row[name] for name in used} for row in rows])


def changed_columns(change: Change) -> tuple[str, ...] | None:
    """Columns of ``execution`` in which it differs from what is stored; ``None``: it may be in any."""
    before, row = change.before, change.row
    if before is None or any(getattr(before.row, name) != getattr(row, name) for name in FIXED):
        return None
    differ = [columns for name, columns in CHANGING.items() if getattr(before.row, name) != getattr(row, name)]
    text = () if before.text_key == change.text_key else ("text_key",)
    return (*_ALWAYS, *chain.from_iterable(differ), *text)


@cache
def _index_update(columns: tuple[str, ...]) -> Any:
    new = {name: sa.bindparam(f"new_{name}") for name in columns}
    wanted = sa.and_(execution.c.id == sa.bindparam("new_id"), execution.c.version <= new["version"])
    return sa.update(execution).where(wanted).values(new)


def _seqs(connection: sa.Connection, changes: Sequence[Change]) -> dict[str, int]:
    seqs = {c.execution.id: c.before.seq for c in changes if c.before is not None}
    new = [c.execution.id for c in changes if c.before is None]
    dialect = connection.dialect.name
    for some in chunks(new):
        seqs.update(fetch(connection, _reads(dialect).seqs, ids=as_ids(dialect, some)))
    return seqs


def index_row(change: Change) -> dict[str, Any]:
    """Columns of ``execution``."""
    item = change.execution
    start, end = to_us(item.start_date), to_us_or_none(item.end_date)
    return {
        "id": item.id,
        "version": item.version,
        "namespace": item.namespace,
        "flow_id": item.flow_id,
        "revision": item.revision,
        "state": item.state.value,
        "kind": item.kind.value,
        "child": int(change.row.triggered_by is not None),
        "start_at": start,
        "end_at": end,
        "duration": None if end is None else end - start,
        "changed_at": to_us(change.row.changed_at),
        "parent_id": item.parent_id,
        "text_key": change.text_key,
        "id_reversed": item.id[::-1],
        "original_id": item.original_id,
        "last_task": item.last_task,
        "error_key": error_key(change.error),
        "triggered_by": change.row.triggered_by,
    }


def _data_row(change: Change, seq: int) -> dict[str, Any]:
    return {"seq": seq, "row": blobs.encode(change.row), "body": blobs.execution_bytes(change.execution)}


def _write_labels(connection: sa.Connection, dialect: str, changes: Sequence[Change], seqs: dict[str, int]) -> None:
    gone, new = [], []
    for c in changes:
        old = {} if c.before is None else _label_keys(c.before.row)
        now = _label_keys(c.row)
        seq = seqs[c.execution.id]
        gone += [{"k": k, "v": v, "at": at, "of": seq} for k, v, at in old if (k, v, at) not in now]
        new += [{"key": k, "value": v, "start_at": at, "seq": seq} for k, v, at in now if (k, v, at) not in old]
    run_many(connection, _label_delete, gone)
    run_many(connection, insert_new(dialect, execution_label), new)


def _label_keys(row: ExecutionRow) -> dict[tuple[str, str, int], None]:
    start = to_us(row.start_date)
    return {(key, value, start): None for key, value in label_pairs(row.labels)}


def task_run_row(execution_id: str, run: TaskRun, version: int) -> dict[str, Any]:
    """Columns of a task run; ``version`` is the execution's."""
    return {
        "execution_id": execution_id,
        "id": run.id,
        "version": version,
        "task_id": run.task_id,
        "state": run.state.value,
        "start_at": to_us(run.history[0].date),
        "end_at": to_us(run.history[-1].date) if run.state in TERMINAL else None,
        "data": blobs.encode(run),
    }


def metric_row(execution_id: str, run: TaskRun | None, run_id: str, given: Metric) -> dict[str, Any]:
    return {
        "execution_id": execution_id,
        "task_run_id": run_id,
        "task_id": run.task_id if run else "",
        "attempt": len(run.attempts) if run else 1,
        "name": given.name,
        "type": given.type,
        "value": float(given.value),
        "tags": blobs.json_text(given.tags),
        "date": to_us(run.history[-1].date) if run else 0,
    }
