"""Flows run as their files say: a flow, what the workers answer, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from engine.flow import parse
from engine.states import TERMINAL, State
from tests.unit.reducer_world import START, World, flow_of

EXAMPLES = Path(__file__).parents[2] / "flows"

SEQUENCE = """
tasks:
  - {id: a, !Log}
  - {id: b, !Log}
  - {id: c, !Log}
"""
HANDLED = """
tasks:
  - {id: a, !Log}
  - {id: b, !Log}
errors:
  - {id: alert, !Log}
  - {id: ticket, !Log}
finally:
  - {id: clean, !Log}
afterExecution:
  - {id: report, !Log}
"""
PARALLEL = """
tasks:
  - id: p
    type: ~Parallel
    concurrent: 2
    tasks: [{id: a, !Log}, {id: b, !Log}, {id: c, !Log}, {id: d, !Log}]
  - {id: after, !Log}
"""
CHOICE = """
inputs:
  - {id: way, type: STRING, required: false}
tasks:
  - id: if
    type: ~If
    condition: "{{ inputs.way == 'then' }}"
    then: [{id: a, !Log}]
    else: [{id: b, !Log}]
  - id: switch
    type: ~Switch
    value: "{{ inputs.way }}"
    cases: {then: [{id: c, !Log}], other: [{id: d, !Log}]}
    defaults: [{id: e, !Log}]
"""
ALLOWED = """
tasks:
  - {id: a, !Log, allowFailure: true}
  - {id: b, !Log, allowFailure: true, allowWarning: true}
  - {id: c, !Log, allowWarning: true}
  - {id: d, !Log}
"""


def test_each_way_of_a_choice() -> None:
    world = World(flow_of(CHOICE)).execute(inputs={"way": "then"})
    assert world.order == ["a", "c"]
    assert world["if"].outputs == {"evaluationResult": True}
    assert world["switch"].outputs == {"value": "then", "defaults": False}


def test_histories() -> None:
    world = World(flow_of(SEQUENCE)).execute()
    assert world.history() == "CREATED RUNNING SUCCESS"
    assert world.history("a") == "CREATED SUBMITTED RUNNING SUCCESS"
    (attempt,) = world["a"].attempts
    assert [change.state for change in attempt.history] == [State.SUBMITTED, State.RUNNING, State.SUCCESS]
    assert (attempt.number, attempt.worker_id) == (1, "w1")


def test_the_first_error_is_the_executions() -> None:
    world = World(flow_of(HANDLED), answers={"b": "boom", "alert": "no mail"}).execute()
    assert (world.execution.error, world.execution.failed_task) == ("boom", "b")
    assert world["alert"].error == "no mail"


def test_an_error_after_the_end_is_not_the_executions() -> None:
    world = World(flow_of(HANDLED), answers={"report": "late"}).execute()
    assert (world.state, world.execution.error, world["report"].error) == (State.SUCCESS, None, "late")


def test_a_success_keeps_no_error_of_an_allowed_failure() -> None:
    world = World(flow_of(ALLOWED), answers={"b": "boom"}).execute()
    assert (world.state, world.execution.error) == (State.SUCCESS, None)


def test_errors_of_the_engine_are_in_the_log() -> None:
    world = World(flow_of(CHOICE.replace("inputs.way == 'then'", "outputs.nothing.x"))).execute()
    assert world["if"].error is not None
    assert "nothing" in world["if"].error
    assert world["if"].error in world.lines


@pytest.mark.parametrize(("limit", "width"), [(0, 4), (1, 1), (3, 3)])
def test_parallel_runs_as_many_as_allowed(limit: int, width: int) -> None:
    flow = flow_of(PARALLEL.replace("concurrent: 2", f"concurrent: {limit}"))
    world = World(flow, answers=dict.fromkeys("abcd")).execute()
    assert len(world.submitted) == width


def test_a_long_sequence_of_skipped_tasks_needs_no_deep_stack() -> None:
    tasks = "\n".join(f"  - {{id: t{i}, !Log, runIf: 'false'}}" for i in range(1500))
    world = World(flow_of(f"tasks:\n{tasks}\n")).execute()
    assert world.state is State.SUCCESS
    assert len(world.states) == 1500


def test_deep_nesting() -> None:
    text = "{id: leaf, !Log}"
    for level in range(40):
        text = f"{{id: s{level}, type: ~Sequential, tasks: [{text}]}}"
    world = World(flow_of(f"tasks: [{text}]")).execute()
    assert world.state is State.SUCCESS
    assert len(world.states) == 41


def test_no_history_goes_back_in_time_when_the_clock_of_a_worker_lags() -> None:
    world = World(flow_of(SEQUENCE), answers={"a": None}, started=False).execute()
    world.now -= timedelta(minutes=5)
    world.queue.append(world.ended_event(world.submitted[0], State.SUCCESS))
    world.run()
    assert world.state is State.SUCCESS
    assert {change.date for run in world.execution.task_runs.values() for change in run.history} == {START}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_example_flows_run_from_their_start_to_an_end_or_a_pause(path: Path) -> None:
    flow = parse(path.read_text())
    world = World(flow, *(parse(other.read_text()) for other in EXAMPLES.glob("*.yaml"))).execute(flow.id)
    assert world.state in TERMINAL | {State.PAUSED}
    assert world.states
