"""Deleting: an execution with what is left of it, or its log alone."""

from __future__ import annotations

import flask

from dashboard.api.actions import answered, refuse
from dashboard.api.context import Api
from dashboard.api.errors import ApiError
from dashboard.api.spec import REASON, Endpoint, Parameter
from engine.states import TERMINAL, Action

_ROWS = 2_000  # log lines removed in one transaction
_PARTS = {"deleteLogs": "logs", "deleteMetrics": "metrics", "deleteStorage": "files"}


def execution(api: Api, executionId: str) -> flask.Response:
    """Remove an execution, with what is not wanted of it any more."""
    removes = tuple(part for name, part in _PARTS.items() if api.boolean(name, True))
    running_too = api.boolean("includeNonTerminated", False)
    details = {"removes": removes, "include_non_terminated": running_too}
    given = answered(api, Action.DELETE, executionId, details)
    if given.refused is not None:
        refuse(Action.DELETE, api.execution(executionId), given)
    return flask.Response(status=204)


def logs(api: Api, executionId: str) -> flask.Response:
    """Remove all lines of an execution that has ended."""
    row = api.row(executionId)
    if row.state not in TERMINAL:
        message = f"The execution is {row.state}: its log is removed when it has ended."
        raise ApiError(409, message, [(message, "state")], {"state": row.state})
    given = [name for name in flask.request.args if name != "reason"]
    if given:
        raise ApiError(400, f"{given[0]}: the whole log is removed, no part of it.", [("not served", given[0])])
    api.store.audit(api.actor, "delete-logs", executionId, api.text("reason"), origin="api")
    while api.read(lambda: api.store.drop_log_lines(executionId, _ROWS)) == _ROWS:
        pass
    return flask.Response(status=204)


ENDPOINTS = (
    Endpoint(
        "DELETE", "/executions/{executionId}", execution, "Delete an execution.", "204",
        (
            Parameter("includeNonTerminated", "boolean", "One that still runs too: it is killed first.", "false"),
            *(Parameter(name, "boolean", f"Its {part} too.", "true") for name, part in _PARTS.items()),
            REASON,
        ),
        verb=Action.DELETE,
    ),
    Endpoint(
        "DELETE", "/logs/{executionId}", logs, "Remove the log of an execution that has ended.", "204", (REASON,),
        verb=Action.DELETE,
    ),
)  # fmt: skip
