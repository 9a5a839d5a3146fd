"""Debug expression: what an expression gives in an execution, or in one of its task runs."""

from __future__ import annotations

from datetime import UTC, datetime

import flask

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import Endpoint, Parameter
from dashboard.permissions import Verb
from engine.debug import evaluate_in
from engine.expressions import Options

EXPRESSION_MAX_BYTES = 65_536


def evaluate(api: Api, executionId: str) -> flask.Response:
    """In the context of the execution."""
    return _evaluate(api, executionId, None)


def evaluate_in_task_run(api: Api, executionId: str, taskRunId: str) -> flask.Response:
    """In the context of a task run."""
    return _evaluate(api, executionId, taskRunId)


def _evaluate(api: Api, execution_id: str, task_run_id: str | None) -> flask.Response:
    expression = _expression()
    item = api.execution(execution_id)
    flow = api.flow_of(item)
    run = item.task_runs.get(task_run_id) if task_run_id else None
    if task_run_id and run is None:
        raise ApiError(404, f"Execution {execution_id} has no task run {task_run_id}.")
    options = Options(api.settings.expression_timeout, api.settings.expression_max_bytes)
    found = api.read(lambda: evaluate_in(item, flow, run, expression, datetime.now(UTC), options))
    if found.error is not None:
        place = f" (line {found.line}, column {found.column})" if found.line else ""
        return answer(
            shapes.present(
                error=found.error, stackTrace=f"{found.error}{place}", line=found.line or None,
                column=found.column or None,
            )
        )  # fmt: skip
    return answer({"result": found.text, "value": found.value})


def _expression() -> str:
    flask.request.max_content_length = EXPRESSION_MAX_BYTES
    try:
        text = flask.request.get_data().decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, f"Expected an expression in UTF-8: {error.reason} at byte {error.start}.") from error
    if not text.strip():
        raise ApiError(400, "Expected an expression such as {{ outputs.first.value }} in the body, got nothing.")
    return text


_BODY = Parameter("body", "text/plain", "An expression.", required=True, where="body")
_PATH = "/executions/{executionId}/actions/eval"
ENDPOINTS = (
    Endpoint(
        "POST", _PATH, evaluate, "Evaluate an expression in an execution.", "EvalResult", (_BODY,), verb=Verb.EXECUTE
    ),
    Endpoint(
        "POST", f"{_PATH}/{{taskRunId}}", evaluate_in_task_run, "Evaluate an expression in a task run.", "EvalResult",
        (_BODY,), verb=Verb.EXECUTE,
    ),
)  # fmt: skip
