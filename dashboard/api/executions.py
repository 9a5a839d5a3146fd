"""Executions: search, read, graph."""

from __future__ import annotations

import flask

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.flows import SUBFLOWS, drawn
from dashboard.api.spec import FILTERS, PAGE, SIZE, SORT, Endpoint, Parameter
from data.executions import ExecutionQuery
from data.filters import parse as parse_filters

_SORTS = {
    "state.startDate": "startDate",
    "state.endDate": "endDate",
    "state.duration": "duration",
    "state.current": "state",
}
_REQUIRED = {"namespace": "EQUALS", "flowId": "EQUALS"}


def search(api: Api) -> flask.Response:
    """One page of the executions that match."""
    return _page(api, list(flask.request.args.items(multi=True)))


def of_flow(api: Api) -> flask.Response:
    """One page of a flow's executions."""
    missing = [name for name in _REQUIRED if not api.text(name)]
    if missing:
        parts = [("expected a value, came none", name) for name in missing]
        raise ApiError(400, f"Expected the parameters namespace and flowId, missing: {', '.join(missing)}.", parts)
    return _page(api, [(f"filters[{name}][{op}]", str(api.text(name))) for name, op in _REQUIRED.items()])


def _page(api: Api, conditions: list[tuple[str, str]]) -> flask.Response:
    number, size = api.page()
    query = ExecutionQuery(api.narrowed(parse_filters(conditions)), sort_of(api), number, size)
    found = api.read(lambda: api.store.search(query))
    return answer(shapes.page([shapes.light_execution(row) for row in found.rows], found.total))


def sort_of(api: Api) -> str:
    """The sort that was asked for, by the store's names."""
    field, colon, direction = (api.sort_text() or "startDate:desc").partition(":")
    return f"{_SORTS.get(field, field)}{colon}{direction}"


def read(api: Api, executionId: str) -> flask.Response:
    """An execution with its task runs."""
    item = api.execution(executionId)
    return answer(shapes.execution(item))


def graph(api: Api, executionId: str) -> flask.Response:
    """The graph of the revision the execution runs."""
    return answer(drawn(api, api.flow_of(api.row(executionId))))


ENDPOINTS = (
    Endpoint(
        "GET", "/executions/search", search, "Search executions.", "PagedResults<LightExecution>",
        (PAGE, SIZE, SORT, FILTERS), narrows=True, strict=True,
    ),
    Endpoint(
        "GET", "/executions", of_flow, "The executions of a flow, newest first.", "PagedResults<LightExecution>",
        (
            Parameter("namespace", "string", "The flow's namespace.", required=True),
            Parameter("flowId", "string", "The flow's id.", required=True),
            PAGE,
            SIZE,
        ),
        narrows=True,
    ),
    Endpoint("GET", "/executions/{executionId}", read, "Read an execution with its task runs.", "Execution"),
    Endpoint(
        "GET", "/executions/{executionId}/graph", graph, "The graph of the flow as this execution runs it.",
        "FlowGraph", (SUBFLOWS,),
    ),
)  # fmt: skip
