"""Runs that something else executes: what is reported last is what they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.effects import StopTasks
from engine.model import Execution, Kind
from engine.reducer import Applied, apply
from engine.states import Action, State
from streaming.messages import ActionRequested, ExecutionReported, TaskReported
from tests.unit.reducer_world import ENV, START, World, flow_of


def reported(state: State, second: float = 0, **fields: Any) -> ExecutionReported:
    fields = {"kind": Kind.SYNTHETIC, "execution_id": "r", **fields}
    return ExecutionReported(
        "e", at=START + timedelta(seconds=second), namespace="n", flow_id="f", state=state, **fields
    )


def task(state: State, second: float = 0, **fields: Any) -> TaskReported:
    return TaskReported("e", "r", START + timedelta(seconds=second), "t1", "load", state, **fields)


def after(*events: ExecutionReported | TaskReported) -> Execution:
    execution = None
    for event in events:
        execution = apply(execution, event, None, ENV).execution
    assert execution is not None
    return execution


def test_reports_make_and_move_an_execution() -> None:
    execution = after(
        reported(State.CREATED, labels={"a": "b"}),
        reported(State.RUNNING, 1),
        task(State.RUNNING, 2),
        task(State.FAILED, 3, error="boom"),
        reported(State.FAILED, 4, error="boom"),
    )
    assert [change.state for change in execution.history] == [State.CREATED, State.RUNNING, State.FAILED]
    assert (execution.version, execution.error, execution.last_task) == (5, "boom", "load")
    assert execution.changed_at == START + timedelta(seconds=4)
    (run,) = execution.task_runs.values()
    assert ([change.state for change in run.history], run.error) == ([State.RUNNING, State.FAILED], "boom")


@pytest.mark.parametrize(
    "event",
    [
        reported(State.RUNNING, 1),  # older
        reported(State.FAILED, 2),  # known
        reported(State.RUNNING, 3),  # after the end
        task(State.RUNNING, 0.5),
        task(State.SUCCESS, 9),
        task(State.QUEUED, 9),
    ],
)
def test_what_is_no_news_is_dropped(event: ExecutionReported | TaskReported) -> None:
    execution = after(reported(State.CREATED), task(State.SUCCESS, 1), reported(State.FAILED, 2))
    applied = apply(execution, event, None, ENV)
    assert applied == Applied(execution)
    assert applied.execution is execution


def test_a_restart_reported_leaves_the_end() -> None:
    execution = after(reported(State.FAILED), reported(State.RESTARTED, 1), reported(State.RUNNING, 2))
    assert execution.state is State.RUNNING


def test_a_task_of_an_unknown_execution_is_dropped() -> None:
    assert apply(None, task(State.RUNNING), None, ENV) == Applied(None)


def test_nobody_reports_what_watchfloor_runs() -> None:
    world = World(flow_of("tasks: [{id: a, !Log}]"), answers={"a": None}).execute()
    before = world.execution
    for event in (reported(State.FAILED, 9, execution_id="e"), TaskReported("x", "e", START, "t", "a", State.FAILED)):
        assert apply(before, event, None, ENV).execution is before


def test_kill_of_a_synthetic_one_ends_what_is_shown() -> None:
    execution = after(reported(State.RUNNING), task(State.RUNNING, 1))
    applied = apply(execution, ActionRequested("k", "r", START + timedelta(seconds=2), Action.KILL, "ada"), None, ENV)
    killed = applied.execution
    assert killed is not None
    assert [change.state for change in killed.history] == [State.RUNNING, State.KILLING, State.KILLED]
    assert killed.task_runs["t1"].state is State.KILLED
    assert (applied.changed, applied.answers[0].refused) == (("t1",), None)
    assert not any(isinstance(effect, StopTasks) for effect in applied.effects)
    assert after(reported(State.RUNNING)).state is State.RUNNING
    assert apply(killed, reported(State.SUCCESS, 1), None, ENV).execution is killed


@pytest.mark.parametrize(
    ("execution_id", "action"), [("r", Action.PAUSE), ("airflow:42", Action.KILL), ("airflow:42", Action.PAUSE)]
)
def test_other_actions_are_refused(execution_id: str, action: Action) -> None:
    execution = after(reported(State.RUNNING, execution_id=execution_id, kind=Kind.NORMAL))
    if execution_id == "r":
        execution = after(reported(State.RUNNING))
    applied = apply(execution, ActionRequested("k", execution.id, START, action, "ada"), None, ENV)
    assert applied.execution is execution
    assert "reported by something else" in (applied.answers[0].refused or "")
