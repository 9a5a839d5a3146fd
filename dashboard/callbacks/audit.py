"""The audit page: filters, what is newer, what is older."""

from __future__ import annotations

from typing import Any

import dash
from dash import ALL, Input, Output, State, no_update

from dashboard.callbacks.asking import asks
from dashboard.callbacks.routing import away_or
from dashboard.ids import Audit, audit_field
from dashboard.pages import audit as page
from dashboard.permissions import Verb
from dashboard.services import Services


def register(app: dash.Dash, services: Services) -> None:
    """One callback makes the table anew."""

    @app.callback(
        Output(Audit.BODY, "children"),
        Output(Audit.EXPORT, "children"),
        Output(Audit.AGAIN, "disabled"),
        Input(audit_field(ALL), "value"),
        Input(Audit.REFRESH, "n_clicks"),
        Input(Audit.OLDER, "n_clicks"),
        Input(Audit.AGAIN, "n_intervals"),
        State(audit_field(ALL), "id"),
        State(Audit.LAST, "data"),
        prevent_initial_call=True,
    )
    @asks(Verb.READ_AUDIT)
    def show(values: list[Any], _refresh: Any, older: Any, _again: Any, ids: list[Any], last: Any) -> Any:
        who = dash.ctx.triggered_id
        if who is None or (who == Audit.OLDER and not older):
            return no_update, no_update, no_update
        given = {one["field"]: str(value) for one, value in zip(ids, values, strict=True) if value}
        links = page.exports(given)
        if who == Audit.OLDER:
            given["before"] = str(last)
        return away_or(lambda: page.body(services, given)), links, who == Audit.OLDER
