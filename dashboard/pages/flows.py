"""Flows: what can run, how it went lately, when it runs next; and the files that can't be used."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.empty import empty
from dashboard.components.icons import icon
from dashboard.components.times import moment
from dashboard.ids import Flows, execute_button
from dashboard.pages.router import Page, Visit
from data.records import FlowProblem, StoredFlow
from engine.ids import derived_id
from engine.trigger_state import TriggerState
from streaming import codec

STRIP = 20


def flow_path(namespace: str, flow_id: str) -> str:
    """Address of a flow's page."""
    return f"/flows/{quote(namespace, safe='')}/{quote(flow_id, safe='')}"


def layout(visit: Visit) -> Component:
    """All flows, by namespace. The page asks now and then whether its stamp is still the newest (flowstate.js)."""
    return html.Div(
        className="wf-page",
        children=[dcc.Store(id=Flows.STAMP), html.Div(body(visit), id=Flows.BODY, className="wf-flows-body")],
    )


def body(visit: Visit) -> list[Component]:
    """What changes when a flow or a broken file does."""
    store = visit.services.store
    flows, problems = store.flows(), store.flow_problems()
    head = html.Div(
        [html.H1("Flows"), html.Span(_count(flows), className="wf-muted")],
        className="wf-page-head",
        **{"data-wf-stamp": stamp(flows, problems)},
    )
    return [head, *map(problem_box, problems), _body(visit, flows)]


def stamp(flows: Iterable[StoredFlow], problems: Iterable[FlowProblem]) -> str:
    """Another one for another list of flows, revisions or problems."""
    known = [(flow.namespace, flow.id, flow.revision) for flow in flows]
    return derived_id(*known, *((problem.file, problem.seen_at) for problem in problems))


def _count(flows: list[StoredFlow]) -> str:
    namespaces = len({flow.namespace for flow in flows})
    return f"{len(flows)} in {namespaces} namespace{'s' * (namespaces != 1)}" if flows else ""


def _body(visit: Visit, flows: list[StoredFlow]) -> Component:
    if not flows:
        folder = str(visit.services.settings.flows_dir)
        return empty(
            "No flows yet",
            [html.Span("Put a flow file (YAML) into "), html.Code(folder), html.Span(": it is read at once.")],
            icon_name="flows",
        )
    triggers: dict[tuple[str, str], list[TriggerState]] = {}
    for state in visit.services.store.trigger_states():
        triggers.setdefault((state.namespace, state.flow_id), []).append(state)
    return html.Div(
        _table(flows, next_runs(visit), triggers),
        id=Flows.VIEW,
        className="wf-flows",
        **{"data-wf-view": "flow-strips", "data-wf-params": json.dumps(strip_params(visit, flows))},
    )


def strip_params(visit: Visit, flows: Iterable[StoredFlow], size: int = STRIP) -> dict[str, Any]:
    """The last executions of each flow, oldest first; the live view goes on from there."""
    store = visit.services.store
    last = store.last_of_flows([(flow.namespace, flow.id) for flow in flows], size)
    return {"rows": codec.to_builtins([row for rows in last.values() for row in rows]), "size": size}


def trigger_chips(states: Iterable[TriggerState], path: str) -> Component:
    """The triggers of a flow, each a link to what is known of it."""
    chips = []
    for state in states:
        kind = "clock" if state.rule else "bolt"
        off = "switched off" if state.disabled else None
        href, css = f"{path}/triggers", "off" if off else ""
        chips.append(dcc.Link([icon(kind), state.trigger_id], href=href, className=css, title=off or "Triggers"))
    return html.Span(chips, className="wf-trigger-chips")


def next_runs(visit: Visit) -> dict[tuple[str, str], Any]:
    """When each flow with a schedule runs next."""
    found: dict[tuple[str, str], Any] = {}
    for state in visit.services.store.trigger_states():
        key = (state.namespace, state.flow_id)
        if state.next_at is not None and (key not in found or state.next_at < found[key]):
            found[key] = state.next_at
    return found


def _table(
    flows: list[StoredFlow],
    due: dict[tuple[str, str], Any],
    triggers: dict[tuple[str, str], list[TriggerState]],
) -> Component:
    heads = ("Flow", "Namespace", "Last executions", "Next run", "")
    rows = [_row(flow, due.get(key), triggers.get(key, [])) for flow in flows if (key := (flow.namespace, flow.id))]
    return html.Table(
        [html.Thead(html.Tr([html.Th(word) for word in heads])), html.Tbody(rows)], className="wf-plain-table"
    )


def _row(flow: StoredFlow, due: Any, triggers: list[TriggerState]) -> Component:
    path = flow_path(flow.namespace, flow.id)
    off = [html.Span("disabled", className="wf-tag")] if flow.disabled else []
    name = [dcc.Link(flow.id, href=path, className="wf-strong-link"), *off]
    about = [html.Div(flow.description.strip().split("\n")[0], className="wf-sub")] if flow.description else []
    strip = html.Div(className="wf-strip", **{"data-wf-strip": f"{flow.namespace}/{flow.id}"})
    return html.Tr(
        [
            html.Td([html.Div(name, className="wf-flow-name"), *about]),
            html.Td(flow.namespace, className="wf-muted"),
            html.Td(strip),
            html.Td(_next(flow, due, triggers), className="wf-next"),
            html.Td(execute(flow.namespace, flow.id, flow.disabled), className="wf-row-actions"),
        ]
    )


def _next(flow: StoredFlow, due: Any, triggers: list[TriggerState]) -> list[Component]:
    if not triggers:
        return [next_run(flow.namespace, flow.id, due)]
    when = [html.Div(next_run(flow.namespace, flow.id, due))] if due is not None else []
    return [*when, trigger_chips(triggers, flow_path(flow.namespace, flow.id))]


def next_run(namespace: str, flow_id: str, due: Any) -> Component:
    """When a flow runs next; the browser asks again once that has passed."""
    return html.Span(moment(due, "no schedule"), **{"data-wf-next": f"{namespace}/{flow_id}"})


def execute(namespace: str, flow_id: str, disabled: bool, *, primary: bool = False) -> Component:
    """The button that opens the form."""
    return html.Button(
        [icon("bolt"), "Execute"],
        id=execute_button(f"{namespace}/{flow_id}"),
        className="wf-button primary" if primary else "wf-button",
        disabled=disabled,
        title="Disabled in its source: nothing starts it." if disabled else f"Start {flow_id}",
    )


def problem_box(problem: FlowProblem) -> Component:
    """A file that can't be used: each violation with its line and column. The last good revision keeps running."""
    lines = [
        html.Li([html.Code(f"{one.get('line')}:{one.get('column')}"), html.Span(one.get("path") or ""), one["message"]])
        for one in problem.violations
    ]
    title = f"{problem.file} can't be used"
    hint = "If an earlier revision was good, it keeps running. The file is read again when it is saved."
    return html.Section(
        [html.H2([icon("alert"), title]), html.Ul(lines), html.P(hint, className="wf-muted")],
        className="wf-problem",
        role="alert",
    )


PAGE = Page("flows", "/flows", lambda visit: "Flows", layout, icon="flows", rail="Flows")
