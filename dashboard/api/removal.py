"""Deleting: an execution with what is left of it, or its log alone."""

from __future__ import annotations

import flask
from msgspec import structs

from dashboard.api.actions import answered, refuse
from dashboard.api.context import Api
from dashboard.api.errors import ApiError
from dashboard.api.logqueries import is_of_lines, of_execution
from dashboard.api.logs import LINES
from dashboard.api.spec import REASON, Endpoint, Parameter
from data.records import LogQuery
from engine.states import TERMINAL, Action

_ROWS = 2_000  # log lines removed in one transaction
PART_MAX = 200_000  # lines of a log of which a part is removed, which holds up the log writer
_ALL = LogQuery("")
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
    """Remove the lines of an execution that has ended: all, or those that are chosen."""
    row = api.row(executionId)
    if row.state not in TERMINAL:
        message = f"The execution is {row.state}: its log is removed when it has ended."
        raise ApiError(409, message, [(message, "state")], {"state": row.state})
    unknown = [name for name in flask.request.args if name != "reason" and not is_of_lines(name)]
    if unknown:
        message = f"there is no parameter {unknown[0]!r} here: it would remove more than is meant"
        raise ApiError(400, f"{unknown[0]}: {message}.", [(message, unknown[0])])
    query = of_execution(executionId)
    if query != LogQuery(executionId):
        return _part(api, query)
    api.store.audit(api.actor, "delete-logs", executionId, api.text("reason"), origin="api")
    while api.read(lambda: api.store.drop_log_lines(executionId, _ROWS)) == _ROWS:
        pass
    return flask.Response(status=204)


def _part(api: Api, query: LogQuery) -> flask.Response:
    total = api.read(lambda: api.store.log_window(LogQuery(query.execution_id), 0, 0)).total
    if total > PART_MAX:
        message = f"of a log of more than {PART_MAX:,} lines no part is removed; this one has {total:,}"
        raise ApiError(400, f"filters: {message}.", [(message, "filters")])
    removed = api.read(lambda: api.store.drop_log_part(query))
    chosen = {name: value for name, value in structs.asdict(query).items() if value != getattr(_ALL, name)}
    after = {"removed": removed, "lines": {name: chosen[name] for name in chosen if name != "execution_id"}}
    api.store.audit(api.actor, "delete-logs", query.execution_id, api.text("reason"), after=after, origin="api")
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
        "DELETE", "/logs/{executionId}", logs, "Remove the log of an execution that has ended.", "204",
        (REASON, *LINES),
        verb=Action.DELETE,
    ),
)  # fmt: skip
