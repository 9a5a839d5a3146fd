"""The executions list: address ⇄ controls, all in the browser. Also which link of the rail and which tab is lit."""

from __future__ import annotations

import dash
from dash import ALL, ClientsideFunction, Input, Output, State

from dashboard.ids import Executions, Frame, other_filter, rail_link, state_chip, tab_link

_NAMESPACE = "watchfloor"


def register(app: dash.Dash) -> None:
    """Clientside callbacks; their functions are in ``assets/js/clientside``."""
    app.clientside_callback(
        ClientsideFunction(_NAMESPACE, "list"),
        Output(Executions.URL, "search"),
        Output(Executions.FILTER_STATE, "value"),
        Output(Executions.FILTER_NAMESPACE, "value"),
        Output(Executions.FILTER_FLOW, "value"),
        Output(Executions.FILTER_TEXT, "value"),
        Output(Executions.FILTER_RANGE, "value"),
        Output(Executions.VIEW, "data-wf-params"),
        Output(Executions.FILTER_OTHER, "children"),
        Output(Executions.FILTER_CLEAR, "style"),
        Input(Executions.URL, "search"),
        Input(Executions.FILTER_STATE, "value"),
        Input(Executions.FILTER_NAMESPACE, "value"),
        Input(Executions.FILTER_FLOW, "value"),
        Input(Executions.FILTER_TEXT, "value"),
        Input(Executions.FILTER_RANGE, "value"),
        Input(Executions.FILTER_CLEAR, "n_clicks"),
        Input(state_chip(ALL), "n_clicks"),
        Input(other_filter(ALL), "n_clicks"),
    )
    app.clientside_callback(
        ClientsideFunction(_NAMESPACE, "rail"),
        Output(rail_link(ALL), "className"),
        Input(Frame.URL, "pathname"),
        State(rail_link(ALL), "id"),
    )
    app.clientside_callback(
        ClientsideFunction(_NAMESPACE, "tabs"),
        Output(tab_link(ALL, ALL), "className"),
        Input(Frame.URL, "pathname"),
        State(tab_link(ALL, ALL), "id"),
    )
    app.clientside_callback(
        ClientsideFunction(_NAMESPACE, "sheet"),
        Output(Frame.KEYS_SHEET, "opened"),
        Input(Frame.KEYS_BUTTON, "n_clicks"),
        State(Frame.KEYS_SHEET, "opened"),
    )
    app.clientside_callback(
        ClientsideFunction(_NAMESPACE, "title"),
        Output(Frame.PAGE, "data-title"),
        Input(Frame.PAGE_KEY, "data"),
    )
