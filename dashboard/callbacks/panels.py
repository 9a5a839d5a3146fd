"""Tabs: the address names the tab, the panel follows. The page around it stays as it is."""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, no_update

from dashboard.callbacks.asking import asks
from dashboard.callbacks.routing import away_or
from dashboard.ids import Execution, Flow, Flows
from dashboard.ids import Frame as FrameIds
from dashboard.pages import execution as execution_page
from dashboard.pages import flow as flow_page
from dashboard.pages import flows as flows_page
from dashboard.pages.router import Visit
from dashboard.permissions import Verb
from dashboard.seen import seen
from dashboard.services import Services


def register(app: dash.Dash, services: Services) -> None:
    """One callback a page with tabs."""

    @app.callback(
        Output(Execution.PANEL, "children"),
        Input(FrameIds.URL, "pathname"),
        State(Execution.ID, "data"),
        prevent_initial_call=True,
    )
    @asks(Verb.READ)
    def execution_tab(path: str, execution_id: str) -> Any:
        params = execution_page.PAGE.match(path or "")
        if params is None or params["id"] != execution_id:
            return no_update
        visit, tab = Visit(seen(services), path, params), params.get("tab", execution_page.FIRST)
        return away_or(lambda: _panel(visit, execution_id, tab))

    @app.callback(
        Output(Flow.TOP, "children"),
        Output(Flow.PANEL, "children"),
        Input(FrameIds.URL, "pathname"),
        Input(Flow.STAMP, "data"),
        State(Flow.REF, "data"),
        prevent_initial_call=True,
    )
    @asks(Verb.READ)
    def flow_tab(path: str, _stamp: Any, reference: str) -> Any:
        params = flow_page.PAGE.match(path or "")
        if params is None or flow_page.reference(params) != reference:
            return no_update, no_update
        visit = Visit(seen(services), path, params)
        changed = dash.ctx.triggered_id == Flow.STAMP
        top = away_or(lambda: flow_page.top(visit)) if changed else no_update
        drawn = not changed or flow_page.shows_source(visit)
        return top, away_or(lambda: flow_page.panel(visit)) if drawn else no_update

    @app.callback(
        Output(Flows.BODY, "children"),
        Input(Flows.STAMP, "data"),
        State(FrameIds.URL, "pathname"),
        prevent_initial_call=True,
    )
    @asks(Verb.READ)
    def flows_changed(_stamp: str, path: str) -> Any:
        return away_or(lambda: flows_page.body(Visit(seen(services), path, {})))


def _panel(visit: Visit, execution_id: str, tab: str) -> Any:
    row = visit.services.store.row(execution_id)
    return execution_page.panel(visit, row, tab) if row else no_update
