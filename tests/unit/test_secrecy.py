"""SECRET inputs: expressions get them, nothing shows them."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.api import shapes
from data.blobs import execution_bytes, execution_of
from engine.flow import parse
from engine.inputs import InputError, validate_inputs
from engine.model import NOTHING_HIDDEN, Execution, evolve
from engine.secrecy import inputs_of, part, reveal, secrets_of
from engine.states import Action, State
from streaming import codec
from streaming.gateway.snapshots import of_execution
from streaming.messages import ExecutionCreated
from tests.unit.reducer_world import ENV, World, flow_of, from_store

SECRET = "hunter-2"
INPUTS = (
    "inputs: [{id: token, type: SECRET}, {id: db.password, type: SECRET, required: false}, {id: who, type: STRING}]\n"
)
GIVEN = {"token": SECRET, "who": "Ann"}


def shown(execution: Execution) -> bytes:
    """Everything that pages, the API and browsers get of an execution."""
    return codec.to_json([of_execution(execution), shapes.execution(execution), shapes.present(row=execution.labels)])


def told(world: World) -> str:
    """Everything said about it: lines, and the deltas' records."""
    return " ".join(world.lines) + repr([applied.changed for applied in world.applied])


def test_an_input_is_hidden_where_it_is_shown_and_there_for_its_tasks() -> None:
    flow = flow_of(INPUTS + "tasks: [{id: a, !Log, description: '{{ inputs.token }}'}]")
    world = World(flow).execute(inputs=GIVEN)
    assert world.execution.inputs == {"token": "******", "db": {"password": None}, "who": "Ann"}
    assert SECRET.encode() not in shown(world.execution)
    (job,) = world.submitted
    assert job.context["inputs"]["token"] == SECRET
    assert job.secrets == (SECRET,)


def test_it_comes_back_from_the_store() -> None:
    world = World(flow_of(INPUTS + "tasks: [{id: a, !Log}]"), answers={"a": None}).execute(inputs=GIVEN)
    again = execution_of(execution_bytes(world.execution), list(world.execution.task_runs.values()))
    assert again == from_store(world.execution)
    assert inputs_of(again)["token"] == SECRET


def test_variables_outputs_labels_and_conditions_see_it_and_do_not_show_it() -> None:
    flow = flow_of(
        INPUTS
        + "variables: {header: 'Bearer {{ inputs.token }}', plain: x}\n"
        + "labels: {mine: '{{ inputs.token }}'}\n"
        + "outputs: [{id: out, type: STRING, value: 'it is {{ vars.header }}'}]\n"
        + "tasks:\n"
        + "  - {id: choice, type: ~Switch, value: '{{ inputs.token }}', defaults: [{id: right, !Log}]}\n"
        + "  - {id: a, !Log, description: '{{ vars.header }}'}\n"
    )
    world = World(flow).execute(inputs=GIVEN)
    assert world["right"].state is State.SUCCESS
    assert world.execution.variables == {"header": "Bearer ******", "plain": "x"}
    assert world.execution.labels == {"mine": "******"}
    assert world.execution.outputs == {"out": "it is Bearer ******"}
    assert world["choice"].outputs["value"] == "******"
    assert world.submitted[-1].context["vars"] == {"header": f"Bearer {SECRET}", "plain": "x"}
    assert SECRET.encode() not in shown(world.execution)


def test_errors_and_lines_of_the_engine_do_not_show_it() -> None:
    flow = flow_of(INPUTS + "tasks: [{id: each, type: ~ForEach, values: '{{ inputs.token }}', tasks: [{id: a, !Log}]}]")
    world = World(flow).execute(inputs=GIVEN)
    assert world.execution.state is State.FAILED
    assert "******" in (world["each"].error or "")
    assert SECRET.encode() not in shown(world.execution)
    assert SECRET not in told(world)


def test_secrets_of_the_environment_are_hidden_by_the_engine_too() -> None:
    env = evolve(
        ENV, secrets=("env-secret",), evaluate=lambda template, context, *_: template.replace("{{ x }}", "env-secret")
    )
    flow = flow_of(
        "outputs: [{id: out, type: STRING, value: '{{ x }}!'}]\nvariables: {v: '{{ x }}'}\ntasks: [{id: a, !Log}]"
    )
    world = World(flow, env=env).execute()
    assert world.execution.outputs == {"out": "******!"}
    assert world.execution.variables == {"v": "******"}
    assert world.execution.hidden.variables == {"v": "env-secret"}


def test_a_retry_as_a_new_execution_has_the_secret_too() -> None:
    flow = flow_of(
        INPUTS + "tasks: [{id: a, !Log, retry: {type: constant, interval: PT1S, maxAttempts: 2, "
        "behavior: CREATE_NEW_EXECUTION}}]"
    )
    world = World(flow, answers={"a": ["boom", State.SUCCESS]}).execute(inputs=GIVEN).pass_time(2)
    (other,) = [one for one in world.executions.values() if one.id != "e"]
    assert inputs_of(other)["token"] == SECRET
    assert other.inputs["token"] == "******"


def test_a_subflow_gets_it_and_hides_it() -> None:
    child = flow_of(
        "inputs: [{id: key, type: SECRET}]\ntasks: [{id: b, !Log, description: '{{ inputs.key }}'}]", "child"
    )
    flow = flow_of(
        INPUTS + "tasks: [{id: s, type: ~Subflow, namespace: test, flowId: child, inputs: {key: '{{ inputs.token }}'}}]"
    )
    world = World(flow, child).execute(inputs=GIVEN)
    (other,) = [one for one in world.executions.values() if one.id != "e"]
    assert other.inputs == {"key": "******"}
    assert world.submitted[-1].context["inputs"] == {"key": SECRET}


def test_a_restart_keeps_it() -> None:
    flow = flow_of(INPUTS + "tasks: [{id: a, !Log, description: '{{ inputs.token }}'}]")
    world = World(flow, answers={"a": ["boom", State.SUCCESS]}).execute(inputs=GIVEN)
    world.act(Action.RESTART)
    assert world.execution.state is State.SUCCESS
    assert world.submitted[-1].context["inputs"]["token"] == SECRET


def test_what_is_asked_for_on_resume_is_hidden_too() -> None:
    flow = flow_of(
        "tasks:\n"
        "  - {id: ask, type: ~Pause, onResume: [{id: pin, type: SECRET}, {id: why, type: STRING}]}\n"
        "  - {id: a, !Log, description: '{{ outputs.ask.onResume.pin }}'}\n"
    )
    world = World(flow).execute()
    world.act(Action.RESUME, inputs={"pin": SECRET, "why": "go"})
    assert world["ask"].outputs["onResume"] == {"pin": "******", "why": "go"}
    assert world.submitted[-1].context["outputs"]["ask"]["onResume"] == {"pin": SECRET, "why": "go"}
    assert world.submitted[-1].secrets == (SECRET,)
    assert SECRET.encode() not in shown(world.execution)


def test_an_execution_that_can_not_begin_hides_it() -> None:
    flow = flow_of(INPUTS + "disabled: true\ntasks: [{id: a, !Log}]")
    world = World(flow)
    world.queue.append(ExecutionCreated("1", "e", world.now, "test", "flow", 1, inputs=GIVEN))
    world.run()
    assert world.execution.state is State.FAILED
    assert SECRET.encode() not in shown(world.execution)


@pytest.mark.parametrize(
    ("line", "value", "seen"),
    [
        ("{id: a, type: SECRET}", "x1y2", "******"),
        ("{id: a, type: ARRAY, itemType: SECRET}", ["x1y2", "z3"], ["******", "******"]),
        ("{id: a.b.c, type: SECRET}", "x1y2", "******"),
        ("{id: a, type: STRING}", "x1y2", "x1y2"),
        ("{id: a, type: SECRET, required: false}", None, None),
    ],
)
def test_parts_fit_together_again(line: str, value: Any, seen: Any) -> None:
    flow = parse(
        f"id: f\nnamespace: n\ninputs:\n  - {line}\n"
        "tasks: [{id: t, type: io.kestra.plugin.core.log.Log, message: x}]\n"
    )
    name = flow.inputs[0].id
    values = validate_inputs(flow, {} if value is None else {name: value})
    visible, hidden = part(flow.inputs, values)
    found: Any = visible
    for step in name.split("."):
        found = found[step]
    assert found == seen
    assert reveal(visible, hidden) == values


def test_a_secret_that_does_not_fit_is_not_told_in_the_error() -> None:
    flow = parse(
        "id: f\nnamespace: n\ninputs:\n  - {id: pin, type: SECRET, validator: '\\d+'}\n"
        "tasks: [{id: t, type: io.kestra.plugin.core.log.Log, message: x}]\n"
    )
    with pytest.raises(InputError) as caught:
        validate_inputs(flow, {"pin": SECRET})
    assert caught.value.errors == {"pin": "expected text matching \\d+, came ******"}


def test_without_secrets_nothing_is_kept_or_masked() -> None:
    world = World(flow_of("tasks: [{id: a, !Log}]")).execute()
    assert secrets_of(world.execution) == ()
    assert world.execution.hidden == NOTHING_HIDDEN
    assert world.submitted[0].secrets == ()
