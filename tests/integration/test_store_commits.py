"""What the executor writes is what it reads back."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import immutables
import pytest
import sqlalchemy as sa

from data import Store, StoreUnavailable, tables
from data.changes import change_of, index_row
from data.records import Commit, Timer, TriggerState
from engine.ids import new_id
from engine.model import FLOW_TRIGGER, Attempt, Execution, Kind, StateChange, TaskRun, Trigger, evolve
from engine.states import State
from streaming import keys
from streaming.messages import Metric
from streaming.rows import row_of
from tests.integration.homes import only

BACKWARDS = {"ix_execution_end", "ix_execution_duration"}  # declared otherwise for PostgreSQL by a migration
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def run(task_id: str, state: State = State.RUNNING, **fields: object) -> TaskRun:
    return TaskRun(
        f"tr-{task_id}", task_id, state, (StateChange(State.CREATED, NOW), StateChange(state, NOW)), **fields
    )


def made(state: State = State.RUNNING, **fields: object) -> Execution:
    history = (StateChange(State.CREATED, NOW), StateChange(state, NOW + timedelta(seconds=1)))
    fields = {"id": new_id(), "namespace": "company.team", "flow_id": "hello", "revision": 1, "version": 1} | fields
    return Execution(state=state, history=history, changed_at=NOW, **fields)  # type: ignore[arg-type]


def write(store: Store, *executions: Execution, **fields: object) -> int | None:
    runs = [(e.id, r) for e in executions for r in e.task_runs.values()]
    fields = {"stream": keys.EVENTS, "position": "1-1", "executions": executions, "task_runs": runs} | fields
    return store.commit(Commit(**fields))  # type: ignore[arg-type]


def test_an_execution_comes_back_whole(store: Store) -> None:
    ends = run("b", State.FAILED, error="boom", attempts=(Attempt(1, State.FAILED, error="boom"),), outputs={"n": [1]})
    given = made(
        labels={"env": "prod"},
        inputs={"n": 1, "at": "2026"},
        error="boom",
        task_runs=immutables.Map({"tr-a": run("a"), "tr-b": ends}),
    )
    write(store, given)
    assert store.load(given.id) == given
    assert store.row(given.id) == row_of(given)
    assert store.load("nothing") is None
    assert store.load_many([given.id, "nothing"]) == {given.id: given}


def test_a_lower_version_never_replaces_a_higher_one(store: Store) -> None:
    given = made(version=5, task_runs=immutables.Map({"tr-a": run("a", State.SUCCESS)}))
    write(store, given)
    old = evolve(given, version=4, state=State.CREATED, task_runs=immutables.Map({"tr-a": run("a")}))
    write(store, old, dropped=[(given.id, "tr-a")])
    assert store.load(given.id) == given
    newer = evolve(given, version=6, state=State.FAILED)
    write(store, newer)
    assert store.load(given.id) == newer


def test_an_update_leaves_every_column_as_an_insert_would(store: Store) -> None:
    """An update names only the columns that differ: none may be forgotten."""
    later = NOW + timedelta(minutes=1)
    ended = (*made().history, StateChange(State.FAILED, later))
    steps: list[dict[str, object]] = [
        {},
        {"last_task": "a"},
        {"state": State.PAUSED},
        {"state": State.FAILED, "history": ended, "error": "boom", "labels": {"env": "prod"}},
        {"changed_at": later},
        {"state": State.RESTARTED, "history": made().history, "error": None},
        {"history": (StateChange(State.CREATED, later),), "flow_id": "other", "kind": Kind.SYNTHETIC, "parent_id": "p"},
        {"namespace": "elsewhere", "revision": 2},
        {"trigger": Trigger("t", FLOW_TRIGGER, {"executionId": "upstream"})},
    ]
    item = made()
    for version, step in enumerate(steps, 1):
        item = evolve(item, version=version, **step)
        write(store, item, position=f"{version}-1")
        with store._engine.connect() as connection:
            row = connection.execute(sa.select(tables.execution).where(tables.execution.c.id == item.id)).one()
        expected = index_row(change_of(item, None))
        assert row._asdict() == expected | {"seq": row.seq}, step
        assert expected.keys() | {"seq"} == set(tables.execution.columns.keys())


def test_dropped_task_runs_are_gone(store: Store) -> None:
    given = made(task_runs=immutables.Map({"tr-a": run("a"), "tr-b": run("b")}))
    write(store, given)
    after = evolve(given, version=2, task_runs=given.task_runs.delete("tr-a"))
    store.commit(Commit(stream=keys.EVENTS, position="2-1", executions=[after], dropped=[(given.id, "tr-a")]))
    assert store.load(given.id) == after


def test_the_position_moves_with_the_commit(store: Store) -> None:
    assert store.position(keys.EVENTS) == "0-0"
    write(store, position="7-3")
    assert store.position(keys.EVENTS) == "7-3"
    assert store.position(keys.LOGS) == "0-0"


def test_the_outbox_holds_what_is_not_done(store: Store) -> None:
    first = write(store, outbox=b"one")
    second = write(store, outbox=b"two")
    assert [(r.id, r.payload) for r in store.outbox()] == [(first, b"one"), (second, b"two")]
    assert write(store, outbox_done=[first]) is None
    assert [r.payload for r in store.outbox()] == [b"two"]


def test_a_timer_is_replaced_by_one_of_the_same_key_and_cancelled(store: Store) -> None:
    early, late = Timer("e", "retry", NOW, "tr"), Timer("e", "retry", NOW + timedelta(hours=1))
    other = Timer("e", "pause", NOW + timedelta(minutes=1))
    write(store, timers_set=[early, other])
    write(store, timers_set=[late])
    assert store.timers() == [other, late]
    write(store, timers_cancelled=[("e", "pause"), ("e", "never set")])
    assert store.timers() == [late]


def test_trigger_states_are_replaced(store: Store) -> None:
    first = TriggerState("ns", "flow", "every", NOW)
    after = TriggerState("ns", "flow", "every", NOW + timedelta(minutes=1), NOW)
    write(store, triggers=[first])
    write(store, triggers=[after])
    assert store.trigger_states() == [after]


def test_metrics_know_their_task_and_attempt(store: Store) -> None:
    ended = run("load", State.SUCCESS, attempts=(Attempt(1, State.FAILED), Attempt(2, State.SUCCESS)))
    given = made(task_runs=immutables.Map({ended.id: ended}))
    write(store, given, metrics=[(given.id, ended.id, Metric("rows", "counter", 3, {"table": "t"}))])
    (row,) = store.metrics(given.id)
    assert (row.task_id, row.attempt, row.name, row.value, row.tags) == ("load", 2, "rows", 3.0, {"table": "t"})
    assert row.date == NOW


def test_unfinished_are_those_not_terminal(store: Store) -> None:
    live, done, synthetic = made(), made(State.SUCCESS), made(kind=Kind.SYNTHETIC)
    write(store, live, done, synthetic)
    assert set(store.unfinished()) == {live.id, synthetic.id}
    assert store.unfinished(Kind.NORMAL) == [live.id]


def test_a_commit_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(AttributeError):
        write(store, made(), position="9-9", timers_set=[object()])
    assert store.position(keys.EVENTS) == "0-0"
    assert store.unfinished() == []


@only("sqlite")
def test_a_locked_database_is_unavailable(store: Store) -> None:
    with store._engine.connect() as holder:
        holder.execution_options(writes=True).begin()
        other = Store(str(store._url))
        with other._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=1")
        with pytest.raises(StoreUnavailable, match="locked"):
            write(other, made())
        other.close()


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(StoreUnavailable, match="unable to open"):
        store.ping()


def test_migrating_twice_changes_nothing_and_the_tables_are_those_declared(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    store.migrate()  # the second time

    def compared(_: object, name: str | None, kind: str, *rest: object) -> bool:
        return not (kind == "index" and store.dialect == "postgresql" and name in BACKWARDS)

    apart = [(store._engine, [tables.STATE]), (store._logs_engine, [tables.LOGS])]
    together = [(store._engine, [tables.STATE, tables.LOGS])]
    for engine, metadata in apart if store.dialect == "sqlite" else together:
        with engine.connect() as connection:
            assert (
                compare_metadata(MigrationContext.configure(connection, opts={"include_object": compared}), metadata)
                == []
            )


@only("sqlite")
def test_narrow_tables_of_sqlite_are_their_own_index(store: Store) -> None:
    with store._engine.connect() as connection:
        sql = connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'task_run'"))
    assert "WITHOUT ROWID" in sql


def test_a_killed_writer_leaves_only_whole_commits(database_url: str) -> None:
    """A process that is killed while it commits: each commit is there with its position, or not at all."""
    script = textwrap.dedent(f"""
        import sys
        from tests.integration.test_store_commits import *
        store = Store({database_url!r})
        for n in range(10_000):
            write(store, made(), made(), position=f"{{n}}-0", outbox=b"x")
            if n == 20:
                print("on the way", flush=True)
    """)
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "on the way\n"
    child.kill()
    child.wait()
    child.stdout.close()
    store = Store(database_url)
    commits = int(store.position(keys.EVENTS).split("-")[0]) + 1
    assert commits > 20
    assert len(store.unfinished()) == 2 * commits
    assert len(store.outbox()) == commits
    store.close()
