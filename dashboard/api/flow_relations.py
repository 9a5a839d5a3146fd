"""Flows beside each other: texts looked for in their sources, and which lead to which."""

from __future__ import annotations

from typing import Any

import flask

from dashboard.api import shapes
from dashboard.api.context import Api, parsed
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import PAGE, SIZE, Endpoint, Parameter
from data.namespaces import inside
from data.records import StoredFlow
from engine.dependencies import Dependency, around, dependencies_of
from engine.flow import Flow, FlowError

FRAGMENTS_MAX = 20  # lines given of one source


def source(api: Api) -> flask.Response:
    """One page of the flows in whose source a text is, with the lines it is in."""
    number, size = api.page()
    text, namespace, allowed = (api.text("q") or "").lower(), api.text("namespace"), api.allowed()
    if not text:
        raise ApiError(400, "q: expected a text to look for in sources.", [("expected a text", "q")])
    flows = (one for one in api.read(lambda: api.store.flows(namespace)) if inside(one.namespace, allowed))
    found = [one for one in flows if text in one.source.lower()]
    shown = found[(number - 1) * size : number * size]
    return answer(shapes.page([_hit(one, text) for one in shown], len(found)))


def _hit(one: StoredFlow, text: str) -> dict[str, Any]:
    lines = [line.strip() for line in one.source.splitlines() if text in line.lower()]
    return {"model": shapes.flow(one), "fragments": lines[:FRAGMENTS_MAX]}


def dependencies(api: Api, namespace: str, id: str) -> flask.Response:
    """The flows that lead to a flow, and those it leads to."""
    api.flow(namespace, id)
    found = around(
        (namespace, id),
        all_dependencies(api),
        destination_only=api.boolean("destinationOnly", False),
        expand_all=api.boolean("expandAll", False),
    )
    names = dict.fromkeys([(namespace, id), *(end for one in found for end in (one.source, one.target))])
    nodes = [{"uid": ".".join(name), "namespace": name[0], "id": name[1]} for name in names]
    edges = [{"source": ".".join(one.source), "target": ".".join(one.target), "relation": one.relation}
             for one in found]  # fmt: skip
    return answer({"nodes": nodes, "edges": edges})


def all_dependencies(api: Api) -> list[Dependency]:
    """Those among the flows that the person may look at."""
    allowed = api.allowed()
    stored = (one for one in api.read(api.store.flows) if inside(one.namespace, allowed))
    return dependencies_of(flow for one in stored if (flow := _read(one)) is not None)


def _read(one: StoredFlow) -> Flow | None:
    try:
        return parsed(one.source)
    except FlowError:
        return None  # kept by an older version that took it


ENDPOINTS = (
    Endpoint(
        "GET", "/flows/source", source, "Search texts in sources.", "PagedResults<FlowSearchResult>",
        (
            Parameter("q", "string", "The text, letter case aside.", required=True),
            Parameter("namespace", "string", "Of this namespace and those under it."), PAGE, SIZE,
        ),
        narrows=True,
    ),
    Endpoint(
        "GET", "/flows/{namespace}/{id}/dependencies", dependencies, "Flows that lead to it, and that it leads to.",
        "FlowDependencies",
        (
            Parameter("destinationOnly", "boolean", "Only those it leads to.", "false"),
            Parameter("expandAll", "boolean", "And so on from there.", "false"),
        ),
    ),
)  # fmt: skip
