"""What the frame does in the browser: which link of the rail and which tab is lit, whether the address is another
page's, the title, the keyboard sheet."""

from __future__ import annotations

import dash
from dash import ALL, ClientsideFunction, Input, Output, State

from dashboard.ids import Frame, rail_link, tab_link

_NAMESPACE = "watchfloor"


def register(app: dash.Dash) -> None:
    """Clientside callbacks; their functions are in ``assets/js/clientside``."""
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
        ClientsideFunction(_NAMESPACE, "visit"),
        Output(Frame.VISIT, "data"),
        Input(Frame.URL, "pathname"),
        State(Frame.VISIT, "data"),
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
