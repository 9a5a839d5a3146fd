"""Retention on real servers: what is too old goes with everything of it, nothing else does, whatever is killed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from threading import Event as Stop
from typing import Any

import immutables
import pytest
import sqlalchemy as sa
from rich.console import Console

from data import Store, tables
from data.files import Files
from data.records import Commit, ExecutionQuery, LogQuery
from engine.model import Attempt, Execution, Kind, StateChange, TaskRun, Trigger
from engine.retention import parse_rules
from engine.states import State
from streaming import codec, keys, logwriter, retention
from streaming.bus import Bus
from streaming.executor import Executor, environment
from streaming.executor import main as execute
from streaming.messages import Job, LogBatch, LogLine, Metric
from streaming.retention import Chooser, Sweeper
from streaming.rows import row_of
from tests.threads import in_thread
from tests.waiting import until
from watchfloor.prune import prune as prune_command
from watchfloor.settings import Settings

NOW = datetime.now(UTC).replace(microsecond=0)
LINES = 1_203


class Crash(BaseException):
    """Stands for kill -9: nothing catches it."""


class NoWorkers:
    """Nothing is given out."""

    def submit(self, job: Job) -> None:
        raise AssertionError(f"nothing runs here, got {job.task_run_id}")


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str, database_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path, redis_url=valkey_url, database_url=database_url, flows_dir=tmp_path, schedules=False
    )


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_REST_MAX", 0.01)
    monkeypatch.setattr(retention, "_REFUSED", 0.5)


def made(
    number: int, days_ago: float, state: State = State.SUCCESS, namespace: str = "company.team", **fields: Any
) -> Execution:
    """An execution that took a second; the same number gives the same one."""
    start = NOW - timedelta(days=days_ago) + timedelta(seconds=number)
    history = (StateChange(State.CREATED, start), StateChange(state, start + timedelta(seconds=1)))
    run = TaskRun(f"tr-{number}", "work", State.SUCCESS, history, attempts=(Attempt(1, State.SUCCESS, history),))
    fields = {"labels": {"env": "prod", "correlation": f"c-{number}"}, "kind": Kind.NORMAL} | fields
    return Execution(
        f"e-{number:05}", namespace, f"flow-{number % 3}", 1, state, history, 2, history[-1].date,
        task_runs=immutables.Map({run.id: run}), trigger=Trigger("manual", "manual"), **fields,
    )  # fmt: skip


def commit(store: Store, *executions: Execution) -> None:
    """Write them as the executor does, a metric for each."""
    runs = [(e.id, run) for e in executions for run in e.task_runs.values()]
    metrics = [(of, run.id, Metric("rows", "counter", 1)) for of, run in runs]
    store.commit(Commit(stream="seed", position="1-1", executions=executions, task_runs=runs, metrics=metrics))


def speak(store: Store, execution: Execution, lines: int) -> None:
    given = tuple(LogLine(n, NOW, "INFO", f"line {n}") for n in range(1, lines + 1))
    run = next(iter(execution.task_runs.values()))
    batch = LogBatch(execution.id, execution.namespace, execution.flow_id, run.task_id, run.id, 1, given)
    store.append_logs("1-1", [batch])


@contextmanager
def executing(settings: Settings, store: Store, bus: Bus) -> Iterator[Executor]:
    made = Executor(settings, store, bus, NoWorkers(), environment(settings))
    with in_thread(made.run):
        yield made


def chooser(store: Store, bus: Bus, rules: dict[str, Any], step: int = 7) -> Chooser:
    return Chooser(store, bus, parse_rules(rules), step)


def sweeper(settings: Settings, store: Store, bus: Bus) -> Sweeper:
    return Sweeper(store, bus, settings.resolved_files_url)


def prune(settings: Settings, store: Store, bus: Bus, rules: dict[str, Any]) -> int:
    with executing(settings, store, bus):
        gone = chooser(store, bus, rules).round(Stop())
    sweeper(settings, store, bus).sweep(Stop())
    return gone


def ids(store: Store) -> list[str]:
    return sorted(row.id for row in store.search(ExecutionQuery(size=500)).rows)


def dump(store: Store) -> dict[str, list[Any]]:
    """Everything the store keeps of executions, keys that only number rows left out."""
    found: dict[str, list[Any]] = {}
    wanted = [tables.execution, tables.task_run, tables.metric, tables.execution_label, tables.search_text]
    wanted += [tables.flow_count, tables.label_count, tables.text_count, tables.execution_data, tables.pruned]
    with store._read() as connection:
        for table in wanted:
            columns = [column for column in table.columns if column.name not in ("seq", "removed_at")]
            rows = connection.execute(sa.select(*columns)).all()
            found[table.name] = sorted(tuple(row) for row in rows if getattr(row, "n", 1))
    with store._read_logs() as connection:
        for table in (tables.log_line, tables.log_run, tables.log_source, tables.log_chunk):
            found[table.name] = [connection.scalar(sa.select(sa.func.count()).select_from(table))]
    return found


def test_what_is_left_is_as_if_the_others_had_never_been(
    settings: Settings, store: Store, bus: Bus, homes: Any, home: str, tmp_path: Path
) -> None:
    old = [made(n, 40, State.FAILED if n % 4 else State.SUCCESS, error=f"boom {n}") for n in range(40)]
    new = [made(n, 10, parent_id=old[0].id if n % 2 else None) for n in range(40, 60)]
    alive = [made(60, 90, State.RUNNING), made(61, 90, State.PAUSED)]
    (tmp_path / "other").mkdir()
    with homes.fresh(home, tmp_path / "other") as url:
        other = Store(url)
        commit(store, *old, *new, *alive)
        commit(other, *new, *alive)
        for execution in (old[0], new[0]):
            speak(store, execution, LINES)
        speak(other, new[0], LINES)
        assert prune(settings, store, bus, {"*": {"days": 30}}) == 40
        assert dump(store) == dump(other)
        other.close()


def test_the_newest_of_each_namespace_are_kept_and_overrides_hold(settings: Settings, store: Store, bus: Bus) -> None:
    names = ("a", "a.child", "b")
    all_of = [made(n, 10, namespace=names[n % 3]) for n in range(30)]
    commit(store, *all_of, made(30, 50, namespace="b"))
    rules = {"*": {"days": 30}, "a": {"count": 4}}
    due = {one.namespace: (one.ended, one.expired) for one in chooser(store, bus, rules).due()}
    assert due == {"a": (10, 6), "a.child": (10, 6), "b": (11, 1)}
    assert prune(settings, store, bus, rules) == 13
    kept = [e.id for e in all_of if e.namespace == "b"] + [
        e.id for name in ("a", "a.child") for e in [e for e in all_of if e.namespace == name][-4:]
    ]
    assert ids(store) == sorted(kept)
    assert [one.expired for one in chooser(store, bus, rules).due()] == [0, 0, 0]


def test_files_claims_and_logs_go_and_the_audit_stays(settings: Settings, store: Store, bus: Bus) -> None:
    files, base = Files(settings.resolved_files_url), settings.resolved_files_url
    inputs = {
        "file": f"{base}/inputs/up-1/data.csv",
        "nested": {"other": [f"{base}/inputs/up-2/x", "file:///etc/passwd"]},
    }
    old, new = made(1, 40, inputs=inputs), made(2, 1)
    commit(store, old, new)
    paths = {
        "inputs/up-1/data.csv",
        "inputs/up-2/x",
        *(f"company.team/{e.flow_id}/{e.id}/tr/1/out" for e in (old, new)),
    }
    for path in (*paths, "inputs/up-3/theirs"):
        files.write(path, b"x")
    for execution in (old, new):
        speak(store, execution, LINES)
        store.audit("ada", "restart", execution.id, None)
        bus.redis.set(keys.claim(f"tr-{int(execution.id[2:])}", 1), "w")
    assert prune(settings, store, bus, {"*": {"days": 30}}) == 1
    left = {info.path for folder in ("inputs", "company.team") for info in files.list(folder)}
    assert left == {"inputs/up-3/theirs", f"company.team/{new.flow_id}/{new.id}/tr/1/out"}
    assert bus.redis.keys("wf:claim:*") == [keys.claim("tr-2", 1).encode()]
    assert store.log_window(LogQuery(old.id)).total == 0
    assert store.log_window(LogQuery(new.id)).total == LINES
    assert len(store.audits(old.id)) == 1


def test_a_log_number_is_never_given_out_twice(settings: Settings, store: Store, bus: Bus) -> None:
    old = made(1, 40)
    commit(store, old)
    speak(store, old, 5)
    prune(settings, store, bus, {"*": {"days": 30}})
    assert store.last_log_seq() == 5
    speak(store, made(2, 1), 1)
    assert store.last_log_seq() == 6


def test_who_looks_is_told_with_the_last_rows(settings: Settings, store: Store, bus: Bus) -> None:
    old = made(1, 40)
    commit(store, old)
    prune(settings, store, bus, {"*": {"days": 30}})
    said = [codec.decode_live(entry.payload) for entry in bus.read(keys.DELTAS, "0-0", count=10, block_ms=None)]
    assert [deltas.removed for deltas in said] == [(row_of(old),)]
    assert said[0].position == bus.last_id(keys.EVENTS)


def test_an_executor_that_dies_before_it_told_tells_it_again(
    settings: Settings, store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(store, made(1, 40))
    bus.append(retention.ExecutionExpired("x", "e-00001", NOW, NOW))
    first = Executor(settings, store, bus, NoWorkers(), environment(settings))
    first._recover()

    def dies(*_: Any) -> None:
        raise Crash

    monkeypatch.setattr(first._performer, "perform", dies)
    with pytest.raises(Crash):
        first.step()
    assert ids(store) == []
    with executing(settings, store, bus):
        assert until(lambda: bus.length(keys.DELTAS))
    (entry,) = bus.read(keys.DELTAS, "0-0", count=10, block_ms=None)
    assert [row.id for row in codec.decode_live(entry.payload).removed] == ["e-00001"]


def test_an_execution_that_is_reported_again_keeps_its_new_parts(settings: Settings, store: Store, bus: Bus) -> None:
    old = made(1, 40)
    commit(store, old)
    with executing(settings, store, bus):
        assert chooser(store, bus, {"*": {"days": 30}}).round(Stop()) == 1
    again = made(1, 1)
    commit(store, again)
    sweeper(settings, store, bus).sweep(Stop())
    assert store.load(old.id) == again
    assert store.pruned_waiting() == 0


def test_an_executor_that_is_away_is_not_given_more_and_more(
    store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(store, *(made(n, 40) for n in range(20)))
    monkeypatch.setattr(retention, "_GIVE_UP", 0.1)
    asks = chooser(store, bus, {"*": {"days": 30}})
    assert [asks.round(Stop()) for _ in range(3)] == [0, 0, 0]
    assert bus.length(keys.EVENTS) == 7


def test_a_sweep_that_dies_at_any_point_is_finished_by_the_next(
    settings: Settings, store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(store, *(made(n, 40) for n in range(5)))
    speak(store, made(2, 40), LINES)
    with executing(settings, store, bus):
        chooser(store, bus, {"*": {"days": 30}}).round(Stop())
    died = 0
    for step in range(100):
        left = step

        def dies(took: float, stop: Stop) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash

        monkeypatch.setattr(Sweeper, "_rest", staticmethod(dies))
        try:
            sweeper(settings, store, bus).sweep(Stop())
            break
        except Crash:
            died += 1
    assert died > 5
    assert not any(any(rows) for rows in dump(store).values())


def test_killed_at_random_everything_old_goes_and_nothing_else(settings: Settings, store: Store, bus: Bus) -> None:
    """The executor and the log writer as processes, killed -9 again and again in the midst of it."""
    chance, context = random.Random(5), get_context("spawn")
    old, new = [made(n, 40) for n in range(300)], [made(n, 1) for n in range(300, 330)]
    commit(store, *old, *new)
    for execution in (*old[::10], *new[:3]):
        speak(store, execution, 700)
    with_rules = settings.model_copy(update={"retention": parse_rules({"*": {"days": 30}}), "retention_every": 0.1})

    def is_done() -> bool:
        return store.ended_by_namespace() == {"company.team": 30} and not store.pruned_waiting()

    for turn in range(3):
        processes = [context.Process(target=run, args=(with_rules,)) for run in (execute, logwriter.main)]
        for process in processes:
            process.start()
        before = (store.ended_by_namespace(), store.pruned_waiting())
        until(lambda before=before: (store.ended_by_namespace(), store.pruned_waiting()) != before)
        if turn == 2:
            until(is_done)
        else:
            assert not is_done()
            Stop().wait(chance.uniform(0, 0.1))
        for process in chance.sample(processes, 2):
            process.kill()
            process.join()
    assert ids(store) == [e.id for e in new]
    assert {table: len(rows) for table, rows in dump(store).items() if table in ("task_run", "metric", "pruned")} == {
        "task_run": 30, "metric": 30, "pruned": 0,
    }  # fmt: skip
    assert dump(store)["log_line"] == [2_100]


def test_the_command_shows_what_would_go_and_removes_it(settings: Settings, store: Store, bus: Bus) -> None:
    commit(store, *(made(n, 40) for n in range(9)), made(9, 1))
    ruled = settings.model_copy(update={"retention": parse_rules({"*": {"days": 30}})})
    console = Console(record=True, width=100)
    assert prune_command(ruled, console, dry_run=True) == 0
    said = console.export_text()
    assert "9 of 10 ended executions would go" in said
    assert "30 days" in said
    assert len(ids(store)) == 10
    with executing(settings, store, bus):
        assert prune_command(ruled, console, dry_run=False) == 0
    assert "9 executions are removed" in console.export_text()
    assert ids(store) == ["e-00009"]
    assert prune_command(settings, console, dry_run=True) == 0
    assert "All executions are kept" in console.export_text()
