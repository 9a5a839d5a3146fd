"""What tasks gave: metrics and outputs."""

from __future__ import annotations

from typing import Any

import flask

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import PAGE, SIZE, SORT, Endpoint, Parameter
from engine.model import TaskRun

_SORTS = ("timestamp", "name", "value", "taskId", "type")


def metrics(api: Api, executionId: str) -> flask.Response:
    """One page of an execution's metrics."""
    item = api.execution(executionId)
    number, size = api.page()
    found = [shapes.metric_entry(item, one) for one in api.read(lambda: api.store.metrics(executionId))]
    for name in ("taskRunId", "taskId"):
        if wanted := api.text(name):
            found = [one for one in found if one[name] == wanted]
    if api.sort_text():
        field, descending = api.sort("timestamp", _SORTS)
        found.sort(key=lambda one: one[field], reverse=descending)
    return answer(shapes.page(found[(number - 1) * size : number * size], len(found)))


def outputs(api: Api, executionId: str) -> flask.Response:
    """Which task runs gave outputs."""
    item = api.execution(executionId)
    runs = sorted(item.task_runs.values(), key=lambda run: (run.history[0].date, run.id))
    return answer([_information(executionId, run) for run in runs if run.outputs])


def _information(execution_id: str, run: TaskRun) -> dict[str, Any]:
    return shapes.present(
        executionId=execution_id,
        taskRunId=run.id,
        taskId=run.task_id,
        parentTaskRunId=run.parent_id,
        value=run.value,
        iteration=run.iteration,
        state=run.state,
        keys=list(run.outputs),
    )


def outputs_of_task_run(api: Api, executionId: str, taskRunId: str) -> flask.Response:
    """The outputs of one task run."""
    item = api.execution(executionId)
    run = item.task_runs.get(taskRunId)
    if run is None:
        raise ApiError(404, f"Execution {executionId} has no task run {taskRunId}.")
    return answer(run.outputs)


ENDPOINTS = (
    Endpoint(
        "GET", "/metrics/{executionId}", metrics, "The metrics of an execution.", "PagedResults<MetricEntry>",
        (
            PAGE, SIZE, SORT,
            Parameter("taskRunId", "string", "Of one task run."),
            Parameter("taskId", "string", "Of one task."),
        ),
    ),
    Endpoint(
        "GET", "/outputs/{executionId}", outputs, "The task runs that gave outputs, and the outputs' names.",
        "[TaskOutputInformation]",
    ),
    Endpoint(
        "GET", "/outputs/{executionId}/{taskRunId}", outputs_of_task_run, "The outputs of a task run.", "object"
    ),
)  # fmt: skip
