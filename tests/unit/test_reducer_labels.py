"""Labels that a task sets on its running execution."""

from __future__ import annotations

from engine.flow import parse_stored
from engine.model import evolve
from engine.states import State
from streaming.rows import row_of
from tests.unit.reducer_world import ENV, World, flow_of

FLOW = flow_of("labels: {team: a, of: flow}\ntasks: [{id: a, !Log}, {id: b, !Log}]")


def ended(world: World, **fields: object) -> None:
    """The silent worker of the newest job answers."""
    world.queue.append(evolve(world.ended_event(world.submitted[-1], State.SUCCESS), **fields))
    world.run()


def test_labels_are_set_beside_and_over_those_there_are() -> None:
    world = World(FLOW, answers={"a": None, "b": None}).execute(labels={"mine": "1"})
    ended(world, labels={"team": "b", "new": "x"})
    assert world.execution.labels == {"team": "b", "of": "flow", "mine": "1", "new": "x"}
    assert row_of(world.execution).labels["new"] == "x"
    assert world.execution.state is State.RUNNING


def test_a_later_task_sees_them() -> None:
    flow = flow_of("tasks: [{id: a, !Log}, {id: b, !Log, runIf: \"{{ labels.go == 'yes' }}\"}]")
    world = World(flow, answers={"a": None}).execute()
    ended(world, labels={"go": "yes"})
    assert world["b"].state is State.SUCCESS


def test_a_failed_task_sets_them_too_and_an_old_end_doesnt() -> None:
    world = World(FLOW, answers={"a": None}).execute()
    late = world.ended_event(world.submitted[-1], State.SUCCESS)
    ended(world, state=State.FAILED, labels={"left": "here"})
    world.queue.append(evolve(late, event_id="late", labels={"late": "x"}))
    world.run()
    assert world.execution.labels["left"] == "here"
    assert "late" not in world.execution.labels


def test_system_labels_are_never_set_by_a_task() -> None:
    world = World(FLOW, answers={"a": None}).execute()
    ended(world, labels={"system.restarted": "true", "fine": "yes"})
    assert "system.restarted" not in world.execution.labels
    assert world.execution.labels["fine"] == "yes"


def test_system_labels_of_a_flow_that_was_stored_before_are_never_set() -> None:
    source = """
        id: flow
        namespace: test
        labels: {system.restarted: "true", team: a}
        sla: [{id: s, type: MAX_DURATION, duration: PT1S, behavior: NONE, labels: {system.sla: x, late: "yes"}}]
        tasks:
          - {id: a, type: io.kestra.plugin.core.log.Log, message: hi}
          - id: sub
            type: io.kestra.plugin.core.flow.Subflow
            namespace: test
            flowId: child
            labels: {system.replay: "true", by: parent}
    """
    world = World(parse_stored(source), flow_of("tasks: [{id: c, !Log}]", "child"), answers={"a": None}).execute()
    world.pass_time(2)
    ended(world)
    assert world.execution.labels == {"team": "a", "late": "yes"}
    assert [one.labels for one in world.executions.values() if one.flow_id == "child"] == [{"by": "parent"}]


def test_too_many_labels_fail_the_task_and_name_the_setting() -> None:
    world = World(FLOW, answers={"a": None}, env=evolve(ENV, max_labels=3)).execute()
    ended(world, labels={"x": "1", "y": "2"})
    assert world["a"].state is State.FAILED
    assert world.execution.error == (
        "an execution may have 3 labels, this would have 4 (WATCHFLOOR_EXECUTION_MAX_LABELS)"
    )
    assert world.execution.labels == {"team": "a", "of": "flow"}
