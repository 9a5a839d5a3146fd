"""The executor against a real Valkey and a real database: nothing lost, nothing twice, whatever ends it."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from threading import Event as Stop
from threading import Thread

import pytest
from msgspec import structs

from data import Store
from engine.flow import parse
from engine.states import Action, State
from streaming import codec, keys
from streaming.bus import Bus, split_live
from streaming.executor import main as execute
from streaming.load import Synthetic
from streaming.messages import (
    ActionRequested,
    Deltas,
    ExecutionCreated,
    ExecutionReported,
    Heartbeat,
)
from tests.integration.executor_world import Crash, Worker, crashing, executor, running, state_of
from tests.integration.homes import only
from tests.waiting import until
from watchfloor.settings import Settings

FLOW = """
id: two-steps
namespace: company.team
tasks:
  - id: first
    type: io.kestra.plugin.core.log.Log
    message: one
  - id: second
    type: io.kestra.plugin.core.log.Log
    message: two
"""
WAITING = """
id: waits
namespace: company.team
tasks:
  - id: pause
    type: io.kestra.plugin.core.flow.Pause
    pauseDuration: PT0.3S
"""


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str, database_url: str) -> Settings:
    return Settings(data_dir=tmp_path, redis_url=valkey_url, database_url=database_url, flows_dir=tmp_path / "flows")


@pytest.fixture
def flows(store: Store) -> None:
    store.save_flow(parse(FLOW))
    store.save_flow(parse(WAITING))


def created(execution_id: str, flow_id: str = "two-steps") -> ExecutionCreated:
    return ExecutionCreated(f"c-{execution_id}", execution_id, datetime.now(UTC), "company.team", flow_id, 1)


@pytest.mark.usefixtures("flows")
def test_a_flow_runs_to_its_end(settings: Settings, store: Store, bus: Bus) -> None:
    worker = Worker(bus)
    bus.append(created("x"))
    with running(executor(settings, store, bus, worker)):
        until(lambda: state_of(store, "x") is State.SUCCESS, "the end")
    execution = store.load("x")
    assert execution is not None
    assert {run.task_id: run.state for run in execution.task_runs.values()} == {
        "first": State.SUCCESS,
        "second": State.SUCCESS,
    }
    assert len(worker.attempts) == 2


@pytest.mark.usefixtures("flows")
def test_every_commit_is_announced_with_a_version_that_only_rises(settings: Settings, store: Store, bus: Bus) -> None:
    bus.append(created("x"))
    with running(executor(settings, store, bus)):
        until(lambda: state_of(store, "x") is State.SUCCESS, "the end")
    versions = []
    for entry in bus.read(keys.DELTAS, "0-0", count=1000, block_ms=None):
        deltas = codec.decode_live(entry.payload)
        assert isinstance(deltas, Deltas)
        for item in deltas.items:
            assert (item.before.version if item.before else 0) == (versions[-1] if versions else 0)
            versions.append(item.row.version)
    row = store.row("x")
    assert row is not None
    assert versions[-1] == row.version


@pytest.mark.usefixtures("flows")
@pytest.mark.parametrize("seed", range(4))
def test_crashes_at_any_point_leave_what_an_undisturbed_run_leaves(
    settings: Settings, store: Store, bus: Bus, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    ids = [f"x{n}" for n in range(10)]
    worker = Worker(bus)

    for target, name, chance in ((store, "commit", 0.15), (bus, "publish_deltas", 0.15), (worker, "submit", 0.1)):
        monkeypatch.setattr(target, name, crashing(getattr(target, name), chance, dice))
    bus.append_all(created(i) for i in ids)
    crashes, deadline = 0, time.monotonic() + 60
    while not all(state_of(store, i) is State.SUCCESS for i in ids):
        assert time.monotonic() < deadline
        try:
            alive = executor(settings, store, bus, worker)
            alive._recover()
            while not all(state_of(store, i) is State.SUCCESS for i in ids):
                alive.step()
        except Crash:
            crashes += 1
    assert crashes > 3
    for execution_id in ids:
        execution = store.load(execution_id)
        assert execution is not None
        assert [change.state for change in execution.history] == [State.CREATED, State.RUNNING, State.SUCCESS]
        assert [len(run.attempts) for run in execution.task_runs.values()] == [1, 1]
    assert len(worker.attempts) == len(set(worker.attempts)) == 2 * len(ids)


def test_kill_9_of_the_process_loses_no_event(settings: Settings, store: Store, bus: Bus, tmp_path: Path) -> None:
    source = Synthetic(seed=7, alive=50)
    events = [source.next_event() for _ in range(6_000)]
    expected: dict[str, State] = {e.execution_id: e.state for e in events if isinstance(e, ExecutionReported)}
    counted: dict[str, int] = {}
    for event in events:
        counted[event.execution_id] = counted.get(event.execution_id, 0) + 1
    context = get_context("forkserver")  # real processes, but the modules are imported once for all of them
    context.set_forkserver_preload(["streaming.executor"])
    sent = 0
    for share in (1_500, 3_000, 4_500, 6_000):
        process = context.Process(target=execute, args=(settings.model_copy(update={"executor_batch": 50}),))
        process.start()
        bus.append_all(events[sent:share])
        sent = share
        try:
            at = store.position(keys.EVENTS)
            until(lambda at=at: store.position(keys.EVENTS) != at, "some progress")
            if share == len(events):
                until(lambda: store.position(keys.EVENTS) == bus.last_id(keys.EVENTS), "the end")
        finally:
            process.kill()
            process.join()
        assert process.exitcode == -signal.SIGKILL
    stored = store.load_many(expected)
    assert {i: e.state for i, e in stored.items()} == expected
    assert {i: e.version for i, e in stored.items()} == counted


def test_a_malformed_event_is_kept_with_its_reason_and_stops_nothing(
    settings: Settings, store: Store, bus: Bus
) -> None:
    source = Synthetic(seed=1, alive=1)
    bus.redis.xadd(keys.EVENTS, {"d": b"\xc1 not an event"})
    bus.redis.xadd(keys.EVENTS, {"other": b"field"})
    good = source.next_event()
    bus.append(good)
    with running(executor(settings, store, bus)) as alive:
        until(lambda: state_of(store, good.execution_id) is State.CREATED, "the good one")
        assert alive.pulse.heartbeat().dead_letters == 2
    first, second = (fields for _, fields in bus.redis.xrange(keys.DEAD_LETTERS))
    assert first[b"d"] == b"\xc1 not an event"
    assert first[b"reason"]
    assert second[b"d"] == b""


def test_an_event_that_breaks_the_reducer_is_kept_and_stops_nothing(
    settings: Settings, store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streaming.executor import loop

    good = Synthetic(seed=1, alive=1).next_event()
    real = loop.apply

    def breaking(execution: object, event: object, *rest: object) -> object:
        if getattr(event, "execution_id", None) == "bad":
            raise ZeroDivisionError("a bug")
        return real(execution, event, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "apply", breaking)
    bus.append(created("bad"))
    bus.append(good)
    with running(executor(settings, store, bus)):
        until(lambda: state_of(store, good.execution_id) is State.CREATED, "the good one")
    ((_, fields),) = bus.redis.xrange(keys.DEAD_LETTERS)
    assert fields[b"reason"] == b"ZeroDivisionError: a bug"
    assert codec.decode_event(fields[b"d"]).execution_id == "bad"


@pytest.mark.usefixtures("flows")
def test_a_timer_survives_the_executor(settings: Settings, store: Store, bus: Bus) -> None:
    bus.append(created("x", "waits"))
    with running(executor(settings, store, bus)):
        until(lambda: state_of(store, "x") is State.PAUSED, "the pause")
    assert len(store.timers()) == 1
    with running(executor(settings, store, bus)):
        until(lambda: state_of(store, "x") is State.SUCCESS, "the end")
    assert store.timers() == []


@pytest.mark.usefixtures("flows")
def test_what_waits_for_its_date_begins_after_a_restart(settings: Settings, store: Store, bus: Bus) -> None:
    date = datetime.now(UTC) + timedelta(seconds=1)
    bus.append(structs.replace(created("x"), schedule_date=date))
    with running(executor(settings, store, bus)):
        until(lambda: state_of(store, "x") is State.CREATED, "it is there")
    assert [one.key for one in store.timers()] == ["start"]
    with running(executor(settings, store, bus)):
        until(lambda: state_of(store, "x") is State.SUCCESS, "the end")
    item = store.load("x")
    assert item is not None
    assert item.history[1].date >= date
    assert store.timers() == []


@pytest.mark.usefixtures("flows")
def test_an_action_is_answered_in_the_delta(settings: Settings, store: Store, bus: Bus) -> None:
    bus.append(created("x", "waits"))
    bus.append(ActionRequested("kill-1", "x", datetime.now(UTC), Action.KILL, "ada"))
    bus.append(ActionRequested("kill-2", "x", datetime.now(UTC) + timedelta(seconds=1), Action.RESUME, "ada"))
    with running(executor(settings, store, bus)):
        until(lambda: state_of(store, "x") is State.KILLED, "the end")
    answers = {}
    for entry in bus.read(keys.DELTAS, "0-0", count=1000, block_ms=None):
        for item in codec.decode_live(entry.payload).items:
            answers.update({answer.event_id: answer.refused for answer in item.answers})
    assert answers["kill-1"] is None
    assert "KILL" in answers["kill-2"]


@only("sqlite")
def test_while_the_database_is_locked_the_heartbeat_says_so_and_nothing_is_lost(
    settings: Settings, store: Store, bus: Bus, tmp_path: Path
) -> None:
    event = Synthetic(seed=1, alive=1).next_event()
    lock = sqlite3.connect(tmp_path / "watchfloor.db", isolation_level=None)
    with running(executor(settings, store, bus)) as alive:
        lock.execute("BEGIN IMMEDIATE")
        bus.append(event)
        until(lambda: alive.pulse.heartbeat().database is not None, "the heartbeat")
        assert state_of(store, event.execution_id) is None
        lock.execute("ROLLBACK")
        until(lambda: state_of(store, event.execution_id) is State.CREATED, "the event")
        until(lambda: alive.pulse.heartbeat().database is None, "a good heartbeat")
    lock.close()


def test_heartbeats_go_out_each_second_with_the_lag(settings: Settings, store: Store, bus: Bus) -> None:
    made = executor(settings, store, bus)
    bus.append(Synthetic(seed=1, alive=1).next_event())
    until(lambda: made.pulse.heartbeat().lag_ms > 20, "some age")
    stop = Stop()
    with bus.subscription(keys.LIVE) as live:
        thread = Thread(target=made.pulse.beat_until, args=(stop, 0.05))
        thread.start()
        beats: list[Heartbeat] = []
        until(lambda: _take(live.get(0.2), beats) >= 2, "two heartbeats")
        stop.set()
        thread.join(5)
    assert beats[0].executor_id == made.id
    assert beats[0].lag_ms > 20


def _take(message: tuple[str, bytes] | None, beats: list[Heartbeat]) -> int:
    if message is not None:
        decoded = codec.decode_live(split_live(message[1])[1])
        assert isinstance(decoded, Heartbeat)
        beats.append(decoded)
    return len(beats)
