"""Subflow tasks: the child execution, its end, and kills that reach it."""

from __future__ import annotations

import pytest

from engine.flow import Flow
from engine.model import Execution, evolve
from engine.states import Action, State
from tests.unit.reducer_world import ENV, World, flow_of

CHILD = flow_of(
    """
inputs:
  - {id: n, type: INT}
  - {id: twice, type: INT, defaults: "{{ 2 * 21 }}"}
tasks: [{id: work, !Log}]
outputs: [{id: answer, type: INT, value: "{{ inputs.n + 1 }}"}]
""",
    "child",
)


def parent(extra: str = "", n: str = '"{{ inputs.n }}"') -> Flow:
    return flow_of(
        f"""
inputs: [{{id: n, type: INT, defaults: 1}}]
labels: {{team: blue}}
tasks:
  - {{id: sub, type: ~Subflow, namespace: test, flowId: child, inputs: {{n: {n}}}{extra}}}
  - {{id: after, type: io.kestra.plugin.core.log.Log, message: "{{{{ outputs.sub.outputs.answer }}}}"}}
"""
    )


def child_of(world: World) -> Execution:
    (child,) = [execution for execution in world.executions.values() if execution.parent_id == "e"]
    return child


def test_a_subflow_runs_and_gives_its_outputs() -> None:
    world = World(parent(), CHILD).execute(inputs={"n": 5})
    child = child_of(world)
    assert (child.parent_task_run_id, child.inputs) == (world["sub"].id, {"n": 5, "twice": 42})
    assert child.outputs == {"answer": 6}
    assert world["sub"].outputs == {"executionId": child.id, "state": "SUCCESS", "outputs": {"answer": 6}}
    assert world["sub"].subflow_execution_id == child.id
    assert world.submitted[-1].context["outputs"] == {"sub": world["sub"].outputs}
    assert (world.state, world.history("sub")) == (State.SUCCESS, "CREATED RUNNING SUCCESS")


@pytest.mark.parametrize(
    ("inherit", "labels"), [("", {"a": "1"}), (", inheritLabels: true", {"a": "1", "team": "blue"})]
)
def test_labels(inherit: str, labels: dict[str, str]) -> None:
    world = World(parent(f", labels: {{a: 1}}{inherit}"), CHILD).execute(labels={"system.x": "y"})
    assert world.execution.labels == {"team": "blue", "system.x": "y"}
    assert child_of(world).labels == labels


def test_without_wait_the_task_is_done_at_once() -> None:
    world = World(parent(", wait: false"), CHILD, answers={"work": None}).execute()
    assert world.states["sub"] == "SUCCESS"
    assert child_of(world).state is State.RUNNING


@pytest.mark.parametrize(
    ("extra", "answer", "state"),
    [("", "boom", "FAILED"), (", transmitFailed: false", "boom", "SUCCESS"), ("", State.WARNING, "WARNING")],
)
def test_how_a_bad_end_is_transmitted(extra: str, answer: State | str, state: str) -> None:
    world = World(parent(extra), CHILD, answers={"work": answer}).execute()
    assert world.states["sub"] == state


def test_a_retry_makes_another_child() -> None:
    world = World(parent(", retry: {type: constant, interval: PT1S}"), CHILD, answers={"work": ["boom"]}).execute()
    assert world.state is State.RETRYING
    world.pass_time(1)
    assert world.state is State.SUCCESS
    assert len(world.executions) == 3
    assert [attempt.state for attempt in world["sub"].attempts] == [State.FAILED, State.SUCCESS]


@pytest.mark.parametrize(
    ("flows", "n", "why"),
    [
        ((), "1", "there is no flow test.child"),
        ((CHILD,), "many", "inputs: n"),
        ((CHILD.model_copy(update={"disabled": True}),), "1", "flow test.child is disabled"),
    ],
)
def test_a_child_that_can_not_begin_fails_its_parent(flows: tuple, n: str, why: str) -> None:
    world = World(parent(n=n), *flows).execute()
    assert why in (child_of(world).error or "")
    assert world.state is State.FAILED


def test_kill_reaches_the_child_and_waits_for_its_end() -> None:
    world = World(parent(), CHILD, answers={"work": None}).execute()
    world.act(Action.KILL)
    assert (world.state, child_of(world).state) == (State.KILLING, State.KILLING)
    world.queue.append(world.ended_event(world.submitted[0], State.KILLED))
    world.run()
    assert (world.state, child_of(world).state, world.states["sub"]) == (State.KILLED, State.KILLED, "KILLED")


def test_kill_without_cascade_leaves_the_child() -> None:
    world = World(parent(), CHILD, answers={"work": None}).execute()
    world.act(Action.KILL, cascade=False)
    assert (world.state, child_of(world).state) == (State.KILLED, State.RUNNING)


def test_a_killed_child_kills_what_waits_for_it() -> None:
    world = World(parent(), CHILD, answers={"work": None}).execute()
    world.act(Action.KILL, child_of(world).id)
    world.pass_time(60)
    assert (world.state, world.states) == (State.KILLED, {"sub": "KILLED"})


def test_subflows_nest_only_so_deep() -> None:
    flow = flow_of("tasks: [{id: again, type: ~Subflow, namespace: test, flowId: flow}]")
    world = World(flow, env=evolve(ENV, subflow_max_depth=3)).execute()
    assert len(world.executions) == 4
    assert world.state is State.FAILED
    assert any("WATCHFLOOR_SUBFLOW_MAX_DEPTH" in line for line in world.lines)


def test_an_end_told_twice_or_by_a_stranger_is_dropped() -> None:
    world = World(parent(", retry: {type: constant, interval: PT1S}"), CHILD, answers={"work": ["boom"]}).execute()
    (ended,) = [event for event in world.events if type(event).__name__ == "SubflowEnded"]
    before = world.execution
    world.apply(ended)
    assert world.execution is before
    world.pass_time(1)
    done = world.execution
    world.apply(ended)
    assert world.execution is done
