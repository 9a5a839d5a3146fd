"""Execution: one run. Header, tabs, and the tab's panel; all of it drawn live by the views named here."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, quote

import dash_cytoscape as cyto
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components import graph, theme
from dashboard.components.empty import empty
from dashboard.components.tabs import tabs
from dashboard.ids import Execution
from dashboard.pages.router import Page, Visit
from data.errors import FilterError
from data.filters import Filters
from data.filters import parse as parse_filters
from data.pages import parse_sort
from data.records import DEFAULT_SORT
from engine.flow import Flow, FlowError, parse_stored
from engine.graph import graph_of
from engine.layout import layout as lay_out
from streaming import codec
from streaming.messages import ExecutionRow

TABS = (("overview", "Overview"), ("gantt", "Gantt"), ("logs", "Logs"), ("topology", "Topology"))
FIRST = "overview"
STRIP = 30


def layout(visit: Visit) -> Component:
    """One execution; a page that says so when there is none."""
    execution_id = visit.params["id"]
    row = visit.services.store.row(execution_id)
    if row is None:
        return missing(execution_id)
    tab = visit.params.get("tab", FIRST)
    base = f"/executions/{quote(execution_id, safe='')}"
    return html.Div(
        className="wf-page full wf-execution",
        children=[
            dcc.Store(id=Execution.ID, data=execution_id),
            _view("execution-header", header_params(visit, row), Execution.HEADER, "wf-execution-head"),
            tabs("execution", base, TABS, tab),
            html.Div(panel(visit, row, tab), id=Execution.PANEL, className="wf-panel-area"),
        ],
    )


def title(visit: Visit) -> str:
    """The flow's name: what tells tabs of a browser apart."""
    row = visit.services.store.row(visit.params["id"])
    return f"{row.flow_id} {row.id[-8:]}" if row else "Not found"


def missing(execution_id: str) -> Component:
    """There is no such execution, or not yet: one that was just asked for takes a moment."""
    return empty(
        "There is no such execution",
        f"{execution_id} is not in the store. One that was started this moment appears here by itself as soon as it "
        "is accepted. Old ones may have been deleted.",
        action=("Go to Executions", "/executions"),
        again=f"filters[id][EQUALS]={quote(execution_id, safe='')}",
    )


def panel(visit: Visit, row: ExecutionRow, tab: str) -> Component:
    """The panel of a tab."""
    return _PANELS.get(tab, _overview)(visit, row)


def header_params(visit: Visit, row: ExecutionRow) -> dict[str, Any]:
    """What the header can't know from the live topic: the usual duration and the neighbours."""
    listed, origin = _came_from(visit)
    neighbours = visit.services.store.neighbours(row.id, *listed)
    return {
        "id": row.id,
        "namespace": row.namespace,
        "flow_id": row.flow_id,
        "usual": usual(visit, row)["execution"],
        "neighbours": {"previous": neighbours.previous, "next": neighbours.next},
        "from": origin,
    }


def _came_from(visit: Visit) -> tuple[tuple[Filters, str] | tuple[()], str]:
    """The list one came from: its filters and sort, and both in the wire form; nothing when there is none to read."""
    origin = dict(parse_qsl(visit.search.removeprefix("?"))).get("from", "")
    given = parse_qsl(origin, keep_blank_values=True)
    if not origin:
        return (), ""
    try:
        sort = dict(given).get("sort", DEFAULT_SORT)
        parse_sort(sort)
        return (parse_filters(given), sort), origin
    except FilterError:
        return (), ""


def usual(visit: Visit, row: ExecutionRow) -> dict[str, Any]:
    """Usual durations in seconds: of the execution (``None``: no good run yet) and of its tasks."""
    known = visit.services.store.durations(row.namespace, row.flow_id)
    return codec.to_builtins({"execution": known.execution, "tasks": known.tasks})


def _view(name: str, params: dict[str, Any], element_id: str, classes: str, *children: Component) -> Component:
    """An element that the browser's view ``name`` fills."""
    data = {"data-wf-view": name, "data-wf-params": json.dumps(params, ensure_ascii=False, default=str)}
    return html.Div(list(children), id=element_id, className=classes, **data)


def _overview(visit: Visit, row: ExecutionRow) -> Component:
    execution = visit.services.store.execution(row.id)
    known = {
        "inputs": execution.inputs,
        "outputs": execution.outputs,
        "variables": execution.variables,
        "trigger": codec.to_builtins(execution.trigger) if execution.trigger else None,
    } if execution else {}  # fmt: skip
    params = {"id": row.id, "usual": usual(visit, row)["execution"], "execution": known}
    return html.Div(
        [_view("overview", params, Execution.OVERVIEW, "wf-overview"), _strip(visit, row)], className="wf-scroll"
    )


def _strip(visit: Visit, row: ExecutionRow) -> Component:
    """The flow's last executions, this one marked."""
    last = visit.services.store.last_of_flow(row.namespace, row.flow_id, STRIP)
    params = {
        "rows": codec.to_builtins(last),
        "flows": [[row.namespace, row.flow_id]],
        "current": row.id,
        "size": STRIP,
    }
    bars = html.Div(className="wf-strip", **{"data-wf-strip": f"{row.namespace}/{row.flow_id}"})
    title = html.H2(f"Last executions of {row.flow_id}")
    return _view("flow-strips", params, Execution.STRIP, "wfx-panel wf-strip-panel", title, bars)


def _gantt(visit: Visit, row: ExecutionRow) -> Component:
    known = usual(visit, row)
    flow = flow_of(visit, row.namespace, row.flow_id, row.revision)
    params = {
        "id": row.id,
        "graph": Execution.GANTT,
        "tasks": list(flow.tasks_by_id) if flow else [],
        "usual": known["execution"],
        "usual_tasks": {name: one["p50"] for name, one in known["tasks"].items()},
    }
    return _view("gantt", params, f"{Execution.GANTT}-view", "wf-gantt", _gantt_graph())


def _gantt_graph() -> Component:
    """An empty figure: the live view draws the bars of the rows in sight."""
    return dcc.Graph(
        id=Execution.GANTT,
        figure={"data": [], "layout": {"template": theme.plotly_template("dark")}},
        config={"displayModeBar": False, "scrollZoom": False, "displaylogo": False},
        responsive=False,
        className="wf-gantt-graph",
    )


def _logs(visit: Visit, row: ExecutionRow) -> Component:
    return _view("logs", {"id": row.id}, Execution.LOGS, "wf-logs")


def _topology(visit: Visit, row: ExecutionRow) -> Component:
    flow = flow_of(visit, row.namespace, row.flow_id, row.revision)
    if flow is None:
        return empty(
            "No topology",
            "The flow's source is not stored: this run was reported from elsewhere or is synthetic.",
            icon_name="flows",
        )
    return topology(flow, {"id": row.id}, Execution.TOPOLOGY)


def flow_of(visit: Visit, namespace: str, flow_id: str, revision: int | None = None) -> Flow | None:
    """The parsed flow, ``None`` when there is none or its stored source can't be read any more."""
    stored = visit.services.store.flow(namespace, flow_id, revision)
    if stored is None:
        return None
    try:
        return parse_stored(stored.source)
    except FlowError:
        return None


def topology(flow: Flow, params: dict[str, Any], graph_id: str) -> Component:
    """The flow's graph in both orientations' positions; the live view recolours it."""
    shape = graph_of(flow)
    across, down = lay_out(shape, "LR"), lay_out(shape, "TB")
    component = cyto.Cytoscape(
        id=graph_id,
        elements=graph.elements(shape, across),
        stylesheet=graph.stylesheet("dark"),
        layout={"name": "preset", "fit": True, "padding": 24},
        minZoom=0.05,
        maxZoom=2.5,
        boxSelectionEnabled=False,
        autoungrabify=True,
        responsive=True,
        style={"width": "100%", "height": "100%"},
        className="wf-cytoscape",
    )
    more = {
        "graph": graph_id,
        "flow_id": flow.id,
        "down": {uid: [rect.x, rect.y, rect.width, rect.height] for uid, rect in (down.nodes | down.clusters).items()},
        "stylesheets": {name: graph.stylesheet(name) for name in ("dark", "light")},
    }
    return _view("topology", params | more, f"{graph_id}-view", "wf-topology", component)


_PANELS = {"overview": _overview, "gantt": _gantt, "logs": _logs, "topology": _topology}

PAGE = Page("execution", "/executions/<id>", title, layout, tabs=tuple(name for name, _ in TABS))
