"""Flows as those who execute them need them: what there is, what it asks for, how it went last."""

from __future__ import annotations

from typing import Any

import flask

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import REVISION, Endpoint, Parameter
from dashboard.permissions import Verb
from data.namespaces import inside
from streaming.messages import ExecutionRow

FLOWS_MAX = 500  # flows of one question for their last executions


def flow_of_execution(api: Api, executionId: str) -> flask.Response:
    """The flow in the revision that an execution runs."""
    item = api.row(executionId)
    return answer(shapes.flow(api.flow(item.namespace, item.flow_id, item.revision, deleted=True)))


def flow(api: Api, namespace: str, flowId: str) -> flask.Response:
    """A flow with what it asks for."""
    return answer(shapes.flow(api.flow(namespace, flowId, api.integer("revision", least=1))))


def namespaces(api: Api) -> flask.Response:
    """Namespaces that have flows."""
    allowed = api.allowed()
    return answer(sorted({one.namespace for one in api.read(api.store.flows) if inside(one.namespace, allowed)}))


def flows_of_namespace(api: Api, namespace: str) -> flask.Response:
    """The flows of a namespace that can be executed."""
    found = api.read(lambda: api.store.flows(namespace))
    return answer([shapes.flow(one) for one in found if one.namespace == namespace and not one.disabled])


def latest(api: Api) -> flask.Response:
    """The last execution of each of some flows; those that never ran are left out."""
    asked = [(str(one["namespace"]), str(one["id"])) for one in _flow_filters()]
    keys = [key for key in asked if inside(key[0], api.allowed())]
    found = api.read(lambda: api.store.last_of_flows(keys, 1))
    return answer([_last(rows[0]) for key in keys if (rows := found[key])])


def _flow_filters() -> list[dict[str, Any]]:
    given = flask.request.get_json()
    good = isinstance(given, list) and all(isinstance(one, dict) and {"namespace", "id"} <= set(one) for one in given)
    if not good or len(given) > FLOWS_MAX:
        raise ApiError(400, f"Expected a list of up to {FLOWS_MAX} {{namespace, id}}.", [("expected a list", "body")])
    return given


def _last(row: ExecutionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "flowId": row.flow_id,
        "namespace": row.namespace,
        "startDate": row.start_date,
        "status": row.state,
    }


ENDPOINTS = (
    Endpoint(
        "GET", "/executions/{executionId}/flow", flow_of_execution, "The flow as this execution runs it.", "Flow"
    ),
    Endpoint("GET", "/executions/flows/{namespace}/{flowId}", flow, "A flow to execute.", "Flow", (REVISION,)),
    Endpoint("GET", "/executions/namespaces", namespaces, "Namespaces that have flows.", "[string]", narrows=True),
    Endpoint(
        "GET", "/executions/namespaces/{namespace}/flows", flows_of_namespace, "Flows to execute, of a namespace.",
        "[Flow]",
    ),
    Endpoint(
        "POST", "/executions/latest", latest, "The last execution of each of some flows.", "[LastExecution]",
        (Parameter("body", "application/json", "`[{namespace, id}]`.", required=True, where="body"),),
        verb=Verb.READ, narrows=True,
    ),
)  # fmt: skip
