"""Old executions: which there are, how their rows go, and what is left of them to clear away.

An execution goes in two steps. The executor's commit removes its rows, so that no list has it any more, and writes
down in ``pruned`` what else there is of it. Its task runs, metrics, log lines and files then go piece by piece, each
piece a short transaction; ``pruned`` forgets it when nothing is left. Every step may be done twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from data import blobs
from data.counters import Tally, zero_keys
from data.database import Database
from data.log_append import keep_seq
from data.signatures import error_key, error_of
from data.tables import (
    error_text,
    execution,
    execution_data,
    execution_label,
    flow_count,
    label_count,
    log_chunk,
    log_line,
    log_run,
    log_source,
    metric,
    pruned,
    search_text,
    task_count,
    task_run,
    text_count,
    timer,
)
from data.texts import label_pairs
from data.times import now_us, to_us
from data.upserts import run_many, upsert
from engine.model import Execution, Kind, TaskRun, evolve
from engine.states import TERMINAL
from streaming.messages import ExecutionRow

_TERMINAL = [state.value for state in TERMINAL]
_KINDS = [kind.value for kind in Kind]
_EVERYTHING = 0  # the grain of ``flow_count`` that has no bucket

_ids = sa.bindparam("ids", expanding=True)
_seqs = sa.bindparam("seqs", expanding=True)
_data_delete = sa.delete(execution_data).where(execution_data.c.seq.in_(_seqs))
_execution_delete = sa.delete(execution).where(execution.c.seq.in_(_seqs))
_timer_delete = sa.delete(timer).where(timer.c.execution_id.in_(_ids))


_zeros = {
    table: sa.delete(table).where(
        *(table.c[name] == sa.bindparam(name) for name in names), table.c.n == sa.literal_column("0")
    )
    for table, names in {
        flow_count: ("grain", "bucket", "namespace", "flow_id"),
        label_count: ("key", "value"),
        text_count: ("text_key",),
        task_count: ("namespace", "flow_id"),
    }.items()
}


class Gone(msgspec.Struct, frozen=True):
    """An execution that is to be removed: its key and row as stored, the execution itself, and what stays of it."""

    seq: int
    text_key: int
    row: ExecutionRow
    execution: Execution
    keeps: tuple[str, ...] = ()


class Remains(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a removed execution: its last row, the key of its search text, addresses among its inputs.

    ``keeps`` names what stays of it: logs, metrics, files. ``swept``: once; what came late goes the second time.
    """

    row: ExecutionRow
    text_key: int
    files: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    swept: bool = False


_remains = msgspec.msgpack.Decoder(Remains)


def remove(connection: sa.Connection, dialect: str, gone: Sequence[Gone]) -> None:
    """Take executions out of every list and count; what else there is of them is noted in ``pruned``."""
    if not gone:
        return
    seqs = {"seqs": [one.seq for one in gone]}
    connection.execute(_data_delete, seqs)
    connection.execute(_execution_delete, seqs)
    connection.execute(_timer_delete, {"ids": [one.row.id for one in gone]})
    run_many(connection, _label_delete, [keys for one in gone for keys in _label_keys(one)])
    tally, at = Tally(), now_us()
    for one in gone:
        tally.leave(one.row, one.text_key)
    tally.write(connection)
    rows = [{"execution_id": one.row.id, "removed_at": at, "remains": _noted(one)} for one in gone]
    run_many(connection, upsert(dialect, pruned), rows)


def _noted(gone: Gone) -> bytes:
    files = tuple(dict.fromkeys(_addresses(gone.execution.inputs)))
    return blobs.encode(Remains(gone.row, gone.text_key, files, gone.keeps))


def _addresses(value: Any) -> Iterator[str]:
    """Texts that look like the address of a file, anywhere in ``value``."""
    if isinstance(value, str):
        if "://" in value:
            yield value
    elif isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _addresses(part)


_label_delete = sa.delete(execution_label).where(
    execution_label.c.key == sa.bindparam("k"),
    execution_label.c.value == sa.bindparam("v"),
    execution_label.c.start_at == sa.bindparam("at"),
    execution_label.c.seq == sa.bindparam("of"),
)


def _label_keys(gone: Gone) -> list[dict[str, Any]]:
    at = to_us(gone.row.start_date)
    return [{"k": key, "v": value, "at": at, "of": gone.seq} for key, value in label_pairs(gone.row.labels)]


class Retention(Database):
    """Choosing what is old, and clearing away what is left of what was removed. No rows of living executions change."""

    # -- choosing

    def ended_by_namespace(self) -> dict[str, int]:
        """How many ended executions each namespace has."""
        c = flow_count.c
        query = sa.select(c.namespace, sa.func.sum(c.n)).where(
            c.grain == _EVERYTHING, c.state.in_(_TERMINAL), c.kind.in_(_KINDS)
        )
        with self._read() as connection:
            found = connection.execute(query.group_by(c.namespace)).all()
        return {namespace: int(n) for namespace, n in sorted(found) if n}

    def oldest_ended(self, namespace: str, ended_before: datetime, limit: int) -> list[str]:
        """Ids of the first ``limit`` executions of a namespace, by start, that ended before a moment."""
        c, before = execution.c, to_us(ended_before)
        # Started before it too: the index of namespaces is in the order of starts.
        query = sa.select(c.id).where(c.namespace == namespace, c.start_at < before, c.end_at < before)
        state = c.state + sa.literal_column("''")  # an expression, so that no index of states is taken
        query = query.where(state.in_(_TERMINAL), c.kind.in_(_KINDS)).order_by(c.start_at, c.seq).limit(limit)
        with self._read() as connection:
            return list(connection.scalars(query))

    def count_ended(self, namespace: str, ended_before: datetime) -> int:
        """How many executions of a namespace ended before a moment, counted one by one."""
        c, before = execution.c, to_us(ended_before)
        query = sa.select(sa.func.count()).where(c.namespace == namespace, c.start_at < before, c.end_at < before)
        state = c.state + sa.literal_column("''")
        with self._read() as connection:
            return connection.scalar(query.where(state.in_(_TERMINAL), c.kind.in_(_KINDS))) or 0

    def existing(self, ids: Sequence[str]) -> set[str]:
        """Those of ``ids`` that are in the store."""
        with self._read() as connection:
            return set(connection.scalars(sa.select(execution.c.id).where(execution.c.id.in_(list(ids)))))

    # -- clearing away

    def pruned(self, limit: int) -> list[Remains]:
        """Removed executions of which something may be left, the first removed first, but those that were put off."""
        query = sa.select(pruned.c.remains).where(pruned.c.removed_at <= now_us())
        query = query.order_by(pruned.c.removed_at, pruned.c.execution_id).limit(limit)
        with self._read() as connection:
            return [_remains.decode(remains) for remains in connection.scalars(query)]

    def put_off(self, remains: Sequence[Remains], until: datetime) -> None:
        """These are cleared away, and looked at again at that moment, for something of them may still come."""
        if not remains:
            return
        rows = [
            {"execution_id": one.row.id, "removed_at": to_us(until), "remains": blobs.encode(evolve(one, swept=True))}
            for one in remains
        ]
        with self._write() as connection:
            run_many(connection, upsert(self.dialect, pruned), rows)

    def pruned_waiting(self) -> int:
        """How many removed executions have something left."""
        with self._read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(pruned)) or 0

    def task_runs_of(self, execution_id: str, limit: int) -> list[TaskRun]:
        """The first task runs that are left of an execution."""
        query = sa.select(task_run.c.data).where(task_run.c.execution_id == execution_id).limit(limit)
        with self._read() as connection:
            return [blobs.decode_task_run(data) for data in connection.scalars(query)]

    def drop_task_runs(self, execution_id: str, ids: Sequence[str]) -> None:
        """Remove these task runs."""
        c = task_run.c
        with self._write() as connection:
            connection.execute(sa.delete(task_run).where(c.execution_id == execution_id, c.id.in_(list(ids))))

    def drop_metrics(self, execution_id: str, limit: int) -> int:
        """Remove up to ``limit`` metrics of an execution; how many there were."""
        query = sa.select(metric.c.seq).where(metric.c.execution_id == execution_id).limit(limit)
        with self._read() as connection:
            seqs = list(connection.scalars(query))
        if seqs:
            with self._write() as connection:
                connection.execute(sa.delete(metric).where(metric.c.seq.in_(seqs)))
        return len(seqs)

    def drop_log_lines(self, execution_id: str, limit: int) -> int:
        """Remove up to ``limit`` log lines of an execution, and with the last one its log; how many lines there were.

        To be called by the one writer of logs.
        """
        with self._read_logs() as connection:
            run = connection.scalar(sa.select(log_run.c.key).where(log_run.c.execution_id == execution_id))
            if run is None:
                return 0
            lines = sa.select(log_line.c.seq).where(log_line.c.run == run).limit(limit)
            seqs = list(connection.scalars(lines))
        with self._write_logs() as connection:
            if seqs:
                keep_seq(connection, self.dialect)
                connection.execute(sa.delete(log_line).where(log_line.c.seq.in_(seqs)))
            if len(seqs) < limit:
                for table in (log_source, log_chunk):
                    connection.execute(sa.delete(table).where(table.c.run == run))
                connection.execute(sa.delete(log_run).where(log_run.c.key == run))
        return len(seqs)

    def forget_pruned(self, remains: Sequence[Remains]) -> None:
        """Nothing is left of these: their places in the kept counts and texts go too, where nobody else has them."""
        with self._write() as connection:
            if self.dialect == "postgresql":  # nobody is to count a text anew that is about to go
                connection.execute(sa.text("LOCK TABLE search_text, error_text IN SHARE ROW EXCLUSIVE MODE"))
            for table, keys in zero_keys((one.row, one.text_key) for one in remains).items():
                run_many(connection, _zeros[table], keys)
            self._drop_texts(connection, {one.text_key for one in remains})
            self._drop_errors(connection, [one.row for one in remains])
            ids = [one.row.id for one in remains]
            connection.execute(sa.delete(pruned).where(pruned.c.execution_id.in_(ids)))

    @staticmethod
    def _drop_texts(connection: sa.Connection, keys: Iterable[int]) -> None:
        counted = sa.select(text_count.c.text_key).where(text_count.c.text_key == search_text.c.key)
        connection.execute(sa.delete(search_text).where(search_text.c.key.in_(list(keys)), ~counted.exists()))

    @staticmethod
    def _drop_errors(connection: sa.Connection, rows: Iterable[ExecutionRow]) -> None:
        keys = [key for row in rows if (key := error_key(error_of(row))) is not None]
        used = sa.select(execution.c.seq).where(execution.c.error_key == error_text.c.key)
        connection.execute(sa.delete(error_text).where(error_text.c.key.in_(keys), ~used.exists()))
