"""The executor's side of the store: what it starts from, and one transaction a batch of events."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from data.audit import add_all
from data.changes import Stored, change_of, chunks, load_executions, metric_row, stored_of, task_run_row, write_changes
from data.database import Database
from data.errors import PositionMoved
from data.operation_results import write_answers
from data.records import Commit, OutboxRow, Timer
from data.retention import Gone, remove
from data.slots import write_slots
from data.tables import (
    execution,
    log_position,
    metric,
    outbox,
    stream_position,
    task_run,
    timer,
)
from data.times import from_us, to_us
from data.triggers import write_triggers
from data.upserts import fetch, insert, insert_new, run_many, upsert
from engine.model import Execution, Kind
from engine.states import NON_TERMINAL_EXECUTION
from streaming import keys

NOWHERE = "0-0"  # the position of a stream of which nothing is stored
_REMEMBERED = 20_000  # executions written last, of which the row is remembered

_run_delete = sa.delete(task_run).where(
    task_run.c.execution_id == sa.bindparam("of"), task_run.c.id == sa.bindparam("which")
)
_timer_delete = sa.delete(timer).where(timer.c.execution_id == sa.bindparam("of"), timer.c.key == sa.bindparam("which"))


_outbox_delete = sa.delete(outbox).where(outbox.c.id == sa.bindparam("which"))
_position_move = (
    sa.update(stream_position)
    .where(stream_position.c.stream == sa.bindparam("of"), stream_position.c.position == sa.bindparam("after"))
    .values(position=sa.bindparam("position"))
    .returning(stream_position.c.stream)
)
_position_move_of = _position_move.where(stream_position.c.partitions == sa.bindparam("of_partitions"))
_outbox_insert = sa.insert(outbox).returning(outbox.c.id)


class Commits(Database):
    """Written by the executor alone (and by ``seed``), read by whoever needs whole executions.

    Each execution has one writer, so what it wrote last is what is stored: that is remembered, not asked for again.
    """

    def __init__(self, database_url: str, **pool: Any) -> None:
        super().__init__(database_url, **pool)
        self._written: OrderedDict[str, Stored] = OrderedDict()
        self._absent: frozenset[str] = frozenset()  # looked for last, and not there

    # -- what an executor starts from

    def position(self, stream: str) -> str:
        """Stream id up to which ``stream`` is in the store; ``NOWHERE`` when nothing is."""
        logs = stream == keys.LOGS
        table = log_position if logs else stream_position
        with self._read_logs() if logs else self._read() as connection:
            found = connection.scalar(sa.select(table.c.position).where(table.c.stream == stream))
        return found or NOWHERE

    def load(self, execution_id: str) -> Execution | None:
        """The execution with all its task runs; ``None`` when there is none."""
        return self.load_many([execution_id]).get(execution_id)

    def execution(self, execution_id: str) -> Execution | None:
        """The same as ``load``, as readers call it."""
        return self.load(execution_id)

    def load_many(self, ids: Iterable[str]) -> dict[str, Execution]:
        """The executions that exist, by id, with all their task runs."""
        found: dict[str, Execution] = {}
        wanted = list(ids)
        with self._read() as connection:
            for some in chunks(wanted):
                found |= load_executions(connection, some)
        self._absent = frozenset(wanted) - found.keys()
        return found

    def unfinished(self, kind: Kind | None = None) -> list[str]:
        """Ids of all executions that are not terminal, oldest first."""
        states = sorted(state.value for state in NON_TERMINAL_EXECUTION)
        query = sa.select(execution.c.id).where(execution.c.state.in_(states)).order_by(execution.c.start_at)
        if kind is not None:
            query = query.where(execution.c.kind == kind.value)
        with self._read() as connection:
            return list(connection.scalars(query))

    def timers(self) -> list[Timer]:
        """All timers, the next one due first."""
        with self._read() as connection:
            rows = connection.execute(sa.select(timer).order_by(timer.c.due)).all()
        return [Timer(row.execution_id, row.key, from_us(row.due), row.task_run_id) for row in rows]

    def outbox(self, stream: str | None = None) -> list[OutboxRow]:
        """What commits (of one stream, or of all) left to be carried out, oldest first."""
        query = sa.select(outbox).order_by(outbox.c.id)
        with self._read() as connection:
            rows = connection.execute(query if stream is None else query.where(outbox.c.stream == stream)).all()
        return [OutboxRow(row.id, row.payload) for row in rows]

    # -- one batch

    def commit(self, commit: Commit) -> int | None:
        """Write a batch: all of it or nothing. The id of its outbox row, ``None`` when it has none.

        Raises ``PositionMoved`` when the stored position is not ``commit.after``, or the partitions are others.
        """
        with self._write() as connection:
            self._move_position(connection, commit)
            if commit.removed:
                self._remove(connection, commit.removed, commit.keeps)
            written = self._write_executions(connection, commit)
            self._write_timers(connection, commit)
            write_triggers(connection, self.dialect, commit.triggers)
            if commit.gates:
                write_slots(connection, self.dialect, commit.gates, commit.slots)
            if commit.answered:
                write_answers(connection, self.dialect, commit.answered)
            add_all(connection, commit.audited)
            run_many(connection, _outbox_delete, [{"which": done} for done in commit.outbox_done])
            outbox_id = None
            if commit.outbox is not None:
                outbox_id = fetch(connection, _outbox_insert, payload=commit.outbox, stream=commit.stream)[0][0]
        self._remember(written)
        return outbox_id

    def forget(self) -> None:
        """Somebody else may have written, or a commit whose end is not known: ask the database from now on."""
        self._written.clear()
        self._absent = frozenset()

    def _remember(self, written: dict[str, Stored]) -> None:
        self._absent -= written.keys()
        for execution_id, stored in written.items():
            self._written[execution_id] = stored
            self._written.move_to_end(execution_id)
        while len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)

    def _move_position(self, connection: sa.Connection, commit: Commit) -> None:
        """First of all: whoever else commits from the same position waits here, and then finds it moved."""
        row = {"stream": commit.stream, "position": commit.position}
        if commit.after is None:
            run_many(connection, upsert(self.dialect, stream_position), [row | {"partitions": commit.partitions or 1}])
            return
        if commit.after == NOWHERE:
            run_many(connection, insert_new(self.dialect, stream_position), [row | {"position": NOWHERE}])
        move = {"of": commit.stream, "after": commit.after, "position": commit.position}
        if commit.partitions is None:
            moved = fetch(connection, _position_move, **move)
        else:
            moved = fetch(connection, _position_move_of, **move, of_partitions=commit.partitions)
        if not moved:
            raise PositionMoved(f"somebody else has gone on from position {commit.after} of {commit.stream}")

    def _before(self, connection: sa.Connection, ids: Sequence[str]) -> dict[str, Stored]:
        known = {i: stored for i in ids if (stored := self._written.get(i)) is not None}
        missing = [i for i in ids if i not in known and i not in self._absent]
        return known | stored_of(connection, missing) if missing else known

    def _remove(
        self, connection: sa.Connection, executions: Sequence[Execution], keeps: Mapping[str, tuple[str, ...]]
    ) -> None:
        stored = self._before(connection, [item.id for item in executions])
        known = [(item, s) for item in executions if (s := stored.get(item.id))]
        gone = [Gone(s.seq, s.text_key, s.row, item, keeps.get(item.id, ())) for item, s in known]
        remove(connection, self.dialect, gone)
        for one in gone:
            self._written.pop(one.row.id, None)

    def add_new(self, executions: Sequence[Execution]) -> int:
        """Write executions that nothing reads from a stream (a synthetic past); those known already are left alone."""
        with self._write() as connection:
            known = stored_of(connection, [item.id for item in executions])
            new = [item for item in executions if item.id not in known]
            write_changes(connection, self.dialect, [change_of(item, None) for item in new])
            runs = [task_run_row(item.id, run, item.version) for item in new for run in item.task_runs.values()]
            run_many(connection, upsert(self.dialect, task_run), runs)
        return len(new)

    def _write_executions(self, connection: sa.Connection, commit: Commit) -> dict[str, Stored]:
        """Rows, task runs and metrics; what is stored of the executions now."""
        stored = self._before(connection, [execution.id for execution in commit.executions])
        changes = [change_of(item, stored.get(item.id)) for item in commit.executions]
        fresh = [c for c in changes if c.before is None or c.execution.version >= c.before.version]
        stale = {c.execution.id for c in changes} - {c.execution.id for c in fresh}
        seqs = write_changes(connection, self.dialect, fresh)
        versions = {item.id: item.version for item in commit.executions}
        dropped = [{"of": of, "which": which} for of, which in commit.dropped if of not in stale]
        run_many(connection, _run_delete, dropped)
        runs = [task_run_row(of, run, versions.get(of, 0)) for of, run in commit.task_runs if of not in stale]
        run_many(connection, upsert(self.dialect, task_run, guard="version"), runs)
        known = {(of, run.id): run for of, run in commit.task_runs}
        rows = [metric_row(of, known.get((of, run)), run, given) for of, run, given in commit.metrics]
        run_many(connection, insert(metric), rows)
        return {c.execution.id: Stored(seqs[c.execution.id], c.execution.version, c.text_key, c.row) for c in fresh}

    def _write_timers(self, connection: sa.Connection, commit: Commit) -> None:
        gone = [{"of": of, "which": key} for of, key in commit.timers_cancelled]
        run_many(connection, _timer_delete, gone)
        rows = [
            {"execution_id": t.execution_id, "key": t.key, "due": to_us(t.due), "task_run_id": t.task_run_id}
            for t in commit.timers_set
        ]
        run_many(connection, upsert(self.dialect, timer), rows)
