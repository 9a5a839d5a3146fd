"""Values for inputs, looked at without anything being started or resumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import flask

from dashboard.api.context import Api, parsed
from dashboard.api.errors import answer, not_allowed
from dashboard.api.spec import INPUTS_BODY, REVISION, Endpoint
from dashboard.api.start import LABELS, inputs_of_request, labels_of_request
from dashboard.permissions import Verb
from engine.expressions import HIDDEN
from engine.flow import Input, Pause
from engine.inputs import InputError, read_inputs
from engine.model import Execution
from engine.secrecy import is_secret
from engine.states import ACTIONS, Action, State, refusal
from streaming.details import refuse_system_labels


def looked_at(inputs: Iterable[Input], given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each input with its value and what is wrong with it."""
    known = list(inputs)
    errors: dict[str, str] = {}
    try:
        values = read_inputs(known, given)
    except InputError as error:
        values, errors = given, error.errors
    return [_one(item, values, given, errors.get(item.id)) for item in known]


def _one(item: Input, values: Mapping[str, Any], given: Mapping[str, Any], error: str | None) -> dict[str, Any]:
    value = _at(values, item.id)
    return {
        "input": {"id": item.id, "type": item.type, "required": item.required},
        "value": HIDDEN if is_secret(item) and value is not None else value,
        "enabled": True,
        "isDefault": _at(given, item.id) is None,
        "errors": [{"message": error}] if error is not None else [],
    }


def _at(values: Any, name: str) -> Any:
    if isinstance(values, Mapping) and name in values:
        return values[name]
    for step in name.split("."):
        values = values.get(step) if isinstance(values, Mapping) else None
    return values


def paused_inputs(api: Api, item: Execution) -> tuple[Input, ...]:
    """What the Pause task asks for before the execution goes on."""
    if item.paused_by_hand:
        return ()
    tasks = api.flow_of(item).tasks_by_id
    paused = (tasks.get(run.task_id) for run in item.task_runs.values() if run.state is State.PAUSED)
    return next((task.onResume for task in paused if isinstance(task, Pause) and task.onResume), ())


def validate_resume(api: Api, executionId: str) -> flask.Response:
    """What a resume would say to these inputs."""
    item = api.execution(executionId)
    if (why := refusal(Action.RESUME, item.state)) is not None:
        raise not_allowed(Action.RESUME.value, item.state, ACTIONS[Action.RESUME].allowed, why)
    inputs = looked_at(paused_inputs(api, item), inputs_of_request(api))
    return answer({"id": item.flow_id, "namespace": item.namespace, "inputs": inputs, "checks": []})


def validate_start(api: Api, namespace: str, id: str) -> flask.Response:
    """What a start would say to these inputs and labels."""
    flow = parsed(api.flow(namespace, id, api.integer("revision", least=1)).source)
    refuse_system_labels(labels_of_request())
    inputs = looked_at(flow.inputs, inputs_of_request(api))
    return answer({"id": id, "namespace": namespace, "inputs": inputs, "checks": []})


ENDPOINTS = (
    Endpoint(
        "POST", "/executions/{namespace}/{id}/validate", validate_start, "Check the inputs and labels of a start.",
        "ValidatedInputs", (LABELS, REVISION, INPUTS_BODY), verb=Verb.EXECUTE,
    ),
    Endpoint(
        "POST", "/executions/{executionId}/actions/resume/validate", validate_resume,
        "Check the inputs of a resume.", "ValidatedInputs", (INPUTS_BODY,), verb=Action.RESUME,
    ),
)  # fmt: skip
