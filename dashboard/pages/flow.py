"""Flow: its executions, its topology, its source; and *Execute*.

The page asks now and then whether its stamp is still the newest (flowstate.js): then what is above the tabs is drawn
anew, and the panel where it shows the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.empty import empty
from dashboard.components.tabs import tabs
from dashboard.components.times import moment, seconds
from dashboard.components.yamlview import yaml_view
from dashboard.ids import Flow
from dashboard.pages import execution as execution_page
from dashboard.pages import flow_triggers
from dashboard.pages.executions import live_list
from dashboard.pages.flows import execute, flow_path, next_run, next_runs, problem_box
from dashboard.pages.flows import stamp as stamp_of
from dashboard.pages.router import Page, Visit
from data import Store
from data.records import FlowProblem, StoredFlow

TABS = (("executions", "Executions"), ("triggers", "Triggers"), ("topology", "Topology"), ("source", "Source"))
FIRST = "executions"


def reference(params: Mapping[str, str]) -> str:
    """The flow's name in one word."""
    return f"{params['namespace']}/{params['flow']}"


def layout(visit: Visit) -> Component:
    """One flow."""
    namespace, flow_id = visit.params["namespace"], visit.params["flow"]
    stored = visit.services.store.flow(namespace, flow_id)
    if stored is None:
        nothing = empty(
            "There is no such flow",
            f"{namespace} has no flow {flow_id}. It appears here by itself once its file is read.",
            icon_name="flows",
            action=("Go to Flows", "/flows"),
        )
        return html.Div(nothing, **_stamped(visit))
    return html.Div(
        className="wf-page full",
        children=[
            dcc.Store(id=Flow.REF, data=reference(visit.params)),
            dcc.Store(id=Flow.STAMP),
            html.Div(top(visit), id=Flow.TOP),
            tabs("flow", flow_path(namespace, flow_id), TABS, visit.params.get("tab", FIRST)),
            html.Div(panel(visit), id=Flow.PANEL, className="wf-panel-area"),
        ],
    )


def top(visit: Visit) -> Component:
    """What stands above the tabs: who the flow is, and what is wrong with its file."""
    stored, problems = _known(visit.services.store, reference(visit.params))
    head = [_head(visit, stored)] if stored else []
    return html.Div([*head, *map(problem_box, problems)], className="wf-flow-top", **_stamped(visit))


def stamp(store: Store, name: str) -> str:
    """Another one for another revision of the flow ``name`` or other problems of its file; empty when there is none."""
    stored, problems = _known(store, name)
    return stamp_of([stored], problems) if stored else ""


def _stamped(visit: Visit) -> dict[str, str]:
    name = reference(visit.params)
    return {"data-wf-flow": name, "data-wf-flow-stamp": stamp(visit.services.store, name)}


def _known(store: Store, name: str) -> tuple[StoredFlow | None, list[FlowProblem]]:
    namespace, _, flow_id = name.rpartition("/")
    problems = [problem for problem in store.flow_problems() if _about(problem.file, flow_id)]
    return store.flow(namespace, flow_id), problems


def _about(file: str, flow_id: str) -> bool:
    """A broken file can't say which flow it is: its name can."""
    return file.rpartition("/")[2].rpartition(".")[0].replace("_", "-") == flow_id.replace("_", "-")


def shows_source(visit: Visit) -> bool:
    """Whether the visit's tab is drawn from the source; the list of executions is live by itself."""
    return visit.params.get("tab", FIRST) != FIRST


def _head(visit: Visit, stored: StoredFlow) -> Component:
    usual = visit.services.store.durations(stored.namespace, stored.id).execution
    due = next_runs(visit).get((stored.namespace, stored.id))
    facts = [
        _fact("Revision", str(stored.revision)),
        _fact("Updated", moment(stored.updated_at)),
        _fact("Usually", f"{seconds(usual.p50)} (p95 {seconds(usual.p95)})" if usual else "no good run yet"),
        _fact("Next run", next_run(stored.namespace, stored.id, due)),
        html.Div([_label(key, value) for key, value in sorted(stored.labels.items())], className="wfx-labels"),
    ]
    title = html.H1([html.Span(f"{stored.namespace} / ", className="wf-muted"), stored.id])
    about = [html.P(stored.description.strip(), className="wf-about")] if stored.description else []
    button = execute(stored.namespace, stored.id, stored.disabled, primary=True)
    return html.Header(
        [
            html.Div([title, html.Div(className="wf-spring"), button], className="wf-page-head"),
            *about,
            html.Div(facts, className="wf-facts"),
        ],
        className="wf-flow-head",
    )


def _fact(name: str, value: Component | str) -> Component:
    return html.Dl([html.Dt(name), html.Dd(value)])


def _label(key: str, value: str) -> Component:
    return html.Span([html.B(key), value], className="wfx-label")


def panel(visit: Visit) -> Component:
    """The panel of the visit's tab."""
    return _PANELS.get(visit.params.get("tab", FIRST), _executions)(visit)


def _executions(visit: Visit) -> Component:
    namespace, flow_id = visit.params["namespace"], visit.params["flow"]
    fixed = f"filters[namespace][IN]={quote(namespace)}&filters[flowId][EQUALS]={quote(flow_id)}"
    return html.Div(live_list(fixed), className="wf-fill")


def _topology(visit: Visit) -> Component:
    flow = execution_page.flow_of(visit, visit.params["namespace"], visit.params["flow"])
    if flow is None:
        return empty("No topology", "The stored source can't be read any more; save the flow again.", icon_name="flows")
    return execution_page.topology(flow, {"id": None}, Flow.TOPOLOGY)


def _source(visit: Visit) -> Component:
    stored = visit.services.store.flow(visit.params["namespace"], visit.params["flow"])
    return yaml_view(stored.source if stored else "", Flow.SOURCE)


_PANELS = {"executions": _executions, "triggers": flow_triggers.panel, "topology": _topology, "source": _source}

PAGE = Page(
    "flow",
    "/flows/<namespace>/<flow>",
    lambda visit: visit.params["flow"],
    layout,
    tabs=tuple(name for name, _ in TABS),
)
