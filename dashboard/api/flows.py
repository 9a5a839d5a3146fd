"""Flows: create, update, read, search, validate, revisions, graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import flask

from dashboard.api import shapes
from dashboard.api.context import Api, parsed
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import FILTERS, PAGE, REASON, REVISION, SIZE, SORT, YAML_BODY, Endpoint, Parameter
from dashboard.permissions import Verb
from data.errors import FilterError
from data.fields import needle
from data.filters import Filters, plain, wanted
from data.filters import parse as parse_filters
from data.namespaces import inside
from data.operators import OPERATORS
from data.records import StoredFlow
from engine.flow import Flow, FlowError, parse
from engine.graph import Graph, graph_of
from engine.subgraph import flow_at, with_subflow

SUBFLOWS_MAX = 50  # drawn in one graph
SUBFLOWS = Parameter("subflows", "[string]", "Nodes of Subflow tasks whose flows are drawn in it.")
_DOCUMENTS = re.compile(r"^---[ \t]*(?:#.*)?$", re.MULTILINE)


def documents(text: str) -> list[str]:
    """The flows of a text, parted by ``---``."""
    return [part for part in _DOCUMENTS.split(text) if part.strip()]


def source_of_request(api: Api, most: int | None = None) -> str:
    """The YAML that was sent; 413 when it is too long, 422 when it is no text. ``most`` bytes: by default those of two
    flow files, so that one that is too large is refused with the setting's name."""
    flask.request.max_content_length = most or 2 * api.settings.flow_max_bytes
    try:
        source = flask.request.get_data().decode()
    except UnicodeDecodeError as error:
        raise ApiError(422, f"Expected YAML in UTF-8: {error.reason} at byte {error.start}.") from error
    if not source.strip():
        raise ApiError(422, "Expected a flow as YAML in the body, got nothing.")
    return source


def create(api: Api) -> flask.Response:
    """Keep a new flow."""
    source = source_of_request(api)
    flow = parse(source, api.settings.flow_size)
    api.demand(Verb.EDIT_FLOWS, flow.namespace)
    if api.read(lambda: api.store.flow(flow.namespace, flow.id)) is not None:
        message = f"There is a flow {flow.namespace}.{flow.id} already; update it with PUT."
        raise ApiError(422, message, [(message, "id")])
    return _save(api, source)


def update(api: Api, namespace: str, id: str) -> flask.Response:
    """Keep a new revision of a flow."""
    source = source_of_request(api)
    flow = parse(source, api.settings.flow_size)
    api.flow(namespace, id)
    given = {"namespace": (flow.namespace, namespace), "id": (flow.id, id)}
    wrong = [(f"expected {want!r} as in the address, got {got!r}", name) for name, (got, want) in given.items()
             if got != want]  # fmt: skip
    if wrong:
        raise ApiError(422, f"The flow in the body is {flow.namespace}.{flow.id}, not {namespace}.{id}.", wrong)
    return _save(api, source)


def _save(api: Api, source: str) -> flask.Response:
    flow, revision = api.services.flows.save(source, actor=api.actor, origin="api")
    return answer(shapes.flow(api.flow(flow.namespace, flow.id, revision), source=True))


def read(api: Api, namespace: str, id: str) -> flask.Response:
    """A flow."""
    deleted = api.boolean("allowDeleted", False)
    stored = api.flow(namespace, id, api.integer("revision", least=1), deleted=deleted)
    return answer(shapes.flow(stored, source=api.boolean("source", False)))


def delete(api: Api, namespace: str, id: str) -> flask.Response:
    """Delete a flow: what runs goes on, nothing starts it any more."""
    api.services.flows.delete([(namespace, id)], actor=api.actor, reason=api.text("reason"), origin="api")
    return flask.Response(status=204)


def delete_revisions(api: Api, namespace: str, id: str) -> flask.Response:
    """Remove revisions but the newest."""
    api.flow(namespace, id)
    given = [one for text in flask.request.args.getlist("revisions") for one in text.split(",")]
    if not given or not all(one.isascii() and one.isdigit() for one in given):
        message = f"expected numbers of revisions, got {','.join(given) or 'none'}"
        raise ApiError(400, f"revisions: {message}", [(message, "revisions")])
    for number in sorted(set(map(int, given))):
        api.flow(namespace, id, number)
    api.services.flows.drop_revisions(
        namespace, id, sorted(set(map(int, given))), actor=api.actor, reason=api.text("reason"), origin="api"
    )
    return flask.Response(status=204)


def revisions(api: Api, namespace: str, id: str) -> flask.Response:
    """All revisions, oldest first."""
    api.flow(namespace, id)
    return answer([shapes.flow(one, source=True) for one in api.read(lambda: api.store.revisions(namespace, id))])


def of_namespace(api: Api, namespace: str) -> flask.Response:
    """The flows of one namespace."""
    found = api.read(lambda: api.store.flows(namespace))
    return answer([shapes.flow(one) for one in found if one.namespace == namespace])


def distinct_namespaces(api: Api) -> flask.Response:
    """Names of namespaces."""
    q = api.text("q")
    found = api.read(lambda: api.store.distinct_namespaces(q))
    return answer([one for one in found if inside(one, api.allowed())])


_FIELDS: dict[str, Callable[[StoredFlow], str]] = {"namespace": lambda one: one.namespace, "flowId": lambda one: one.id}
_SORTS: dict[str, Callable[[StoredFlow], Any]] = {
    "id": lambda one: (one.id, one.namespace),
    "namespace": lambda one: (one.namespace, one.id),
    "updated": lambda one: (one.updated_at, one.namespace, one.id),
}


def search(api: Api) -> flask.Response:
    """One page of the flows that match."""
    number, size = api.page()
    found = matching(api, parse_filters(flask.request.args))
    field, descending = api.sort("namespace:asc", _SORTS)
    found.sort(key=_SORTS[field], reverse=descending)
    shown = found[(number - 1) * size : number * size]
    return answer(shapes.page([shapes.flow(one) for one in shown], len(found)))


def matching(api: Api, filters: Filters, verb: Verb = Verb.READ) -> list[StoredFlow]:
    """The flows that match, of those with which the person may do that; by name."""
    found, allowed = api.read(api.store.flows), api.allowed(verb)
    return [one for one in found if inside(one.namespace, allowed) and _matches(filters, one)]


def _matches(filters: Filters, one: StoredFlow) -> bool:
    for condition in plain(filters):
        test, values = OPERATORS[condition.op].test, wanted(condition)
        if condition.field == "q":
            text = f"{one.namespace}.{one.id} {one.description or ''}".lower()
            matched = needle(condition.values[0]) in text
        elif condition.field == "labels":
            matched = test(one.labels.get(condition.key or ""), values)
        elif condition.field in _FIELDS:
            matched = test(_FIELDS[condition.field](one), values)
        else:
            fields = ", ".join(("q", "labels", *_FIELDS))
            raise FilterError(condition.field, f"flows have no such field; the fields are {fields}")
        if not matched:
            return False
    return True


# -- validation


def validate(api: Api) -> flask.Response:
    """What is wrong with each flow of the body (several are parted by ``---``)."""
    return answer([_validated(api, index, one) for index, one in enumerate(documents(source_of_request(api)))])


def _validated(api: Api, index: int, source: str) -> dict[str, Any]:
    try:
        flow = parse(source, api.settings.flow_size)
    except FlowError as error:
        violations = [{name: getattr(one, name) for name in ("line", "column", "path", "message")}
                      for one in error.violations]  # fmt: skip
        return {**_result(index), "constraints": str(error), "violations": violations}
    known = api.read(lambda: api.store.flow(flow.namespace, flow.id)) if inside(flow.namespace, api.allowed()) else None
    unchanged = known is not None and known.source == source
    return {
        **_result(index),
        "flow": flow.id,
        "namespace": flow.namespace,
        "warnings": [str(one) for one in flow.warnings],
        "infos": ["The flow is as it is kept already."] if unchanged else [],
    }


def _result(index: int) -> dict[str, Any]:
    empty: dict[str, Any] = {"deprecationPaths": [], "warnings": [], "infos": [], "violations": []}
    return {"index": index, "flow": None, "namespace": None, "constraints": None, "outdated": False, **empty}


# -- graphs


def drawn(api: Api, flow: Flow) -> Graph:
    """The graph of a flow, with the flows of the tasks that ``subflows`` names drawn in it, from outside to inside."""
    graph = graph_of(flow)
    given = (uid for text in flask.request.args.getlist("subflows") for uid in text.split(",") if uid)
    for uid in list(dict.fromkeys(given))[:SUBFLOWS_MAX]:
        name = flow_at(graph, uid)
        if name is None or not inside(name[0], api.allowed()):
            message = f"expected the node of a Subflow task whose flow is named, got {uid!r}"
            raise ApiError(400, f"subflows: {message}.", [(message, "subflows")])
        graph = with_subflow(graph, uid, graph_of(parsed(api.flow(*name).source)))
    return graph


def graph(api: Api, namespace: str, id: str) -> flask.Response:
    """Nodes, edges and clusters of a flow."""
    return answer(drawn(api, parsed(api.flow(namespace, id, api.integer("revision", least=1)).source)))


def graph_of_source(api: Api) -> flask.Response:
    """The same of a flow that is not kept."""
    return answer(graph_of(parse(source_of_request(api), api.settings.flow_size)))


def task(api: Api, namespace: str, id: str, taskId: str) -> flask.Response:
    """One task as it is written."""
    flow: Flow = parsed(api.flow(namespace, id, api.integer("revision", least=1)).source)
    if taskId not in flow.tasks_by_id:
        known: Iterable[str] = list(flow.tasks_by_id)[:20]
        raise ApiError(404, f"Flow {namespace}.{id} has no task {taskId!r}; it has {', '.join(known)}.")
    return answer(flow.task(taskId).raw)


ENDPOINTS = (
    Endpoint(
        "POST", "/flows", create, "Create a flow.", "FlowWithSource", (YAML_BODY,), verb=Verb.EDIT_FLOWS, narrows=True
    ),
    Endpoint(
        "PUT", "/flows/{namespace}/{id}", update, "Give a flow a new revision.", "FlowWithSource", (YAML_BODY,),
        verb=Verb.EDIT_FLOWS,
    ),
    Endpoint(
        "GET", "/flows/{namespace}/{id}", read, "Read a flow.", "Flow",
        (
            REVISION,
            Parameter("source", "boolean", "With the text as it was given.", "false"),
            Parameter("allowDeleted", "boolean", "One that was deleted, too.", "false"),
        ),
    ),
    Endpoint(
        "DELETE", "/flows/{namespace}/{id}", delete, "Delete a flow.", "204", (REASON,), verb=Verb.EDIT_FLOWS
    ),
    Endpoint(
        "DELETE", "/flows/{namespace}/{id}/revisions", delete_revisions, "Remove revisions but the newest.", "204",
        (Parameter("revisions", "[integer]", "Their numbers.", required=True), REASON), verb=Verb.EDIT_FLOWS,
    ),
    Endpoint("GET", "/flows/{namespace}/{id}/revisions", revisions, "All revisions, oldest first.", "[FlowWithSource]"),
    Endpoint("GET", "/flows/{namespace}/{id}/graph", graph, "The graph of a flow.", "FlowGraph",
             (REVISION, SUBFLOWS)),
    Endpoint(
        "GET", "/flows/{namespace}/{id}/tasks/{taskId}", task, "One task as it is written.", "Task", (REVISION,)
    ),
    Endpoint("GET", "/flows/{namespace}", of_namespace, "The flows of a namespace.", "[Flow]"),
    Endpoint(
        "GET", "/flows/search", search, "Search flows by `q`, `namespace`, `flowId`, `labels`.", "PagedResults<Flow>",
        (PAGE, SIZE, SORT, FILTERS), narrows=True,
    ),
    Endpoint(
        "GET", "/flows/distinct-namespaces", distinct_namespaces, "Names of namespaces.", "[string]",
        (Parameter("q", "string", "Only those that contain it."),), narrows=True,
    ),
    Endpoint(
        "POST", "/flows/validate", validate, "Check flows without keeping them.", "[ValidateConstraintViolation]",
        (YAML_BODY,), verb=Verb.READ, narrows=True,
    ),
    Endpoint(
        "POST", "/flows/graph", graph_of_source, "The graph of a source.", "FlowGraph", (YAML_BODY,), verb=Verb.READ,
        narrows=True,
    ),
)  # fmt: skip
