"""Flows that limit their executions, against a real Valkey and a real store: no slot leaks, none is given twice."""

from __future__ import annotations

import random
import signal
import time
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest

from data import Store
from engine.flow import parse
from engine.model import Execution
from engine.slots import gate_id
from engine.states import TERMINAL, Action, State
from streaming.bus import Bus
from streaming.executor import main as execute
from streaming.messages import ActionRequested, ExecutionCreated, FlowsChanged
from tests.integration.executor_world import Crash, Worker, crashing, executor, running, state_of
from tests.waiting import until
from watchfloor.settings import Settings

GATE = gate_id("company.team", "narrow")
LOG = "type: io.kestra.plugin.core.log.Log, message: hi"
PAUSE = "type: io.kestra.plugin.core.flow.Pause"


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str, database_url: str) -> Settings:
    return Settings(data_dir=tmp_path, redis_url=valkey_url, database_url=database_url, flows_dir=tmp_path / "flows")


def save(store: Store, limit: int, task: str = LOG, behavior: str = "QUEUE") -> None:
    store.save_flow(
        parse(
            f"id: narrow\nnamespace: company.team\nconcurrency: {{limit: {limit}, behavior: {behavior}}}\n"
            f"tasks: [{{id: a, {task}}}]\n"
        )
    )


def created(execution_id: str, revision: int = 1) -> ExecutionCreated:
    return ExecutionCreated(f"c-{execution_id}", execution_id, datetime.now(UTC), "company.team", "narrow", revision)


def asked(action: Action, execution_id: str) -> ActionRequested:
    return ActionRequested(f"{action}-{execution_id}", execution_id, datetime.now(UTC), action, "ada")


def most_at_once(executions: list[Execution]) -> int:
    """How many of them ran at the same moment."""
    changes = []
    for execution in executions:
        begun = [change.date for change in execution.history if change.state is State.RUNNING]
        changes += [(begun[0], 1), (execution.history[-1].date, -1)] if begun else []
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


@pytest.mark.parametrize("seed", range(4))
def test_crashes_at_any_point_leak_no_slot_and_give_none_twice(
    settings: Settings, store: Store, bus: Bus, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, 3)
    dice = random.Random(seed)
    ids = [f"x{n:02}" for n in range(20)]
    worker = Worker(bus)
    for target, name, chance in (
        (store, "commit", 0.15), (bus, "append_all", 0.15), (bus, "publish_deltas", 0.1), (worker, "submit", 0.1),
    ):  # fmt: skip
        monkeypatch.setattr(target, name, crashing(getattr(target, name), chance, dice))
    for execution_id in ids:
        bus.append(created(execution_id))
    bus.append(asked(Action.KILL, ids[9]))
    crashes, deadline = 0, time.monotonic() + 60
    while not all(state_of(store, i) in TERMINAL for i in ids):
        assert time.monotonic() < deadline
        try:
            alive = executor(settings, store, bus, worker)
            alive._recover()
            while not all(state_of(store, i) in TERMINAL for i in ids):
                alive.step()
        except Crash:
            crashes += 1
    monkeypatch.undo()
    with running(executor(settings, store, bus, worker)):
        until(lambda: not store.gate(GATE).slots, "the last slot to come back")
    assert crashes > 5
    executions = list(store.load_many(ids).values())
    assert {e.id: e.state for e in executions} == {i: State.KILLED if i == ids[9] else State.SUCCESS for i in ids}
    assert most_at_once(executions) <= 3
    assert len(worker.attempts) == len(set(worker.attempts))
    begun = sorted((e for e in executions if e.id != ids[9]), key=lambda e: (e.history[-2].date, e.id))
    assert [e.id for e in begun] == [i for i in ids if i != ids[9]]


def test_kill_9_of_the_process_leaves_slots_and_queue_as_they_were(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, 2, PAUSE)
    context = get_context("forkserver")
    context.set_forkserver_preload(["streaming.executor"])
    ids = [f"x{n}" for n in range(5)]
    bus.append_all(created(i) for i in ids)
    expected = [State.PAUSED, State.PAUSED, State.QUEUED, State.QUEUED, State.QUEUED]
    for turn in range(3):
        process = context.Process(target=execute, args=(settings,))
        process.start()
        try:
            wanted = expected
            until(lambda wanted=wanted: [state_of(store, i) for i in ids] == wanted, "its states")
            until(lambda: store.gate(GATE).held == 2, "the gate")
        finally:
            process.kill()
            process.join()
        assert process.exitcode == -signal.SIGKILL
        bus.append(asked(Action.KILL, ids[turn]))
        expected = [*[State.KILLED] * (turn + 1), *[State.PAUSED] * 2, *[State.QUEUED] * 3][:5]


@pytest.mark.parametrize("behavior", ["CANCEL", "FAIL"])
def test_what_is_refused_ends_at_once(settings: Settings, store: Store, bus: Bus, behavior: str) -> None:
    save(store, 1, PAUSE, behavior)
    bus.append_all(created(i) for i in ("a", "b"))
    with running(executor(settings, store, bus)):
        until(lambda: state_of(store, "b") in TERMINAL, "both")
        assert state_of(store, "a") is State.PAUSED
        assert state_of(store, "b") is {"CANCEL": State.CANCELLED, "FAIL": State.FAILED}[behavior]
        bus.append(asked(Action.RESUME, "a"))
        until(lambda: not store.gate(GATE).slots, "the end")
        bus.append(created("c"))
        until(lambda: state_of(store, "c") is State.PAUSED, "the next")


def test_a_higher_limit_lets_those_begin_that_wait(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, 1, PAUSE)
    bus.append_all(created(i) for i in ("a", "b", "c", "d"))
    made = executor(settings, store, bus)
    with running(made):
        until(lambda: [state_of(store, i) for i in "bcd"] == [State.QUEUED] * 3, "three to wait")
        save(store, 3, PAUSE)
        bus.tell(FlowsChanged((("company.team", "narrow"),)))
        made.flows_changed()
        until(lambda: [state_of(store, i) for i in "bcd"] == [State.PAUSED, State.PAUSED, State.QUEUED], "two more")
    (use,) = store.concurrency()
    assert (use.namespace, use.flow_id, use.limit, use.running, use.queued) == ("company.team", "narrow", 3, 3, 1)


def test_who_waits_for_a_deleted_flow_still_waits_for_its_limit(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, 1, PAUSE)
    bus.append_all(created(i) for i in ("a", "b", "c"))
    made = executor(settings, store, bus)
    with running(made):
        until(lambda: [state_of(store, i) for i in "bc"] == [State.QUEUED] * 2, "two to wait")
        store.delete_flow("company.team", "narrow")
        made.flows_changed()
        bus.append(asked(Action.KILL, "a"))
        until(lambda: state_of(store, "b") is State.PAUSED, "the next")
        assert state_of(store, "c") is State.QUEUED
    assert store.gate(GATE).limit == 1


def test_a_queue_of_thousands_is_killed_and_served_at_the_speed_of_any(
    settings: Settings, store: Store, bus: Bus
) -> None:
    """5,000 wait; an event costs about what it costs when nobody does."""
    save(store, 1, PAUSE)
    bus.append_all(created(f"x{n:05}") for n in range(5_000))
    with running(executor(settings, store, bus)):
        until(lambda: state_of(store, "x04999") is State.QUEUED, "all to wait")
        begun = time.monotonic()
        for n in range(50):
            bus.append(asked(Action.KILL, f"x{n:05}"))
        until(lambda: state_of(store, "x00050") is State.PAUSED, "the fiftieth's successor")
        assert time.monotonic() - begun < 10


def test_who_is_forced_or_taken_out_of_the_queue_leaves_it_and_the_others_wait_on(
    settings: Settings, store: Store, bus: Bus
) -> None:
    save(store, 1, PAUSE)
    ids = ["first", "forced", "let_go", "cancelled", "last"]
    with running(executor(settings, store, bus)):
        for execution_id in ids:
            bus.append(created(execution_id))
        until(lambda: [state_of(store, i) for i in ids] == [State.PAUSED, *[State.QUEUED] * 4], "the queue")
        bus.append(asked(Action.FORCE_RUN, "forced"))
        bus.append(asked(Action.UNQUEUE, "let_go"))
        bus.append(msgspec.structs.replace(asked(Action.UNQUEUE, "cancelled"), state=State.CANCELLED))
        wanted = [State.PAUSED, State.PAUSED, State.PAUSED, State.CANCELLED, State.QUEUED]
        until(lambda: [state_of(store, i) for i in ids] == wanted, "who was let through")
        until(lambda: used(store) == (3, 1), "the gate")
        for execution_id in ids[:2]:
            bus.append(asked(Action.KILL, execution_id))
        until(lambda: used(store) == (1, 1), "two free slots")
        assert state_of(store, "last") is State.QUEUED
        bus.append(asked(Action.KILL, "let_go"))
        until(lambda: state_of(store, "last") is State.PAUSED, "the last")
        until(lambda: used(store) == (1, 0), "its slot")


def used(store: Store) -> tuple[int, int]:
    """How many hold a slot of the one gate, and how many wait."""
    (use,) = store.concurrency()
    return use.running, use.queued
