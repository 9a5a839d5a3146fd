"""The dialogs that any page may open: act on executions, execute a flow, backfill a trigger."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.forms import fields
from dashboard.ids import Act, Backfill, Execute


def act() -> Component:
    """The dialog of every action; what is in it is made when it opens. The reason is kept in the audit."""
    reason = dmc.TextInput(
        id=Act.REASON, label="Reason", placeholder="optional, kept in the audit", inputProps={"maxLength": 500}
    )
    parts = [
        html.P(id=Act.TEXT, className="wf-dialog-text"),
        html.Div(id=Act.PREVIEW),
        fields(id=Act.FORM),
        fields(id=Act.INPUTS),
        html.Div(reason, className="wf-act-reason"),
        html.Div(id=Act.ERROR, className="wf-form-error", role="alert"),
        _buttons(dmc.Button("Cancel", id=Act.CANCEL, variant="default"), dmc.Button(id=Act.GO)),
    ]
    return dmc.Modal(
        id=Act.MODAL,
        title=html.Span(id=Act.TITLE),
        size="lg",
        children=[dcc.Store(id=Act.PENDING), html.Div(parts, id=Act.STEP, className="wf-act")],
    )


def execute() -> Component:
    """The form that starts an execution; its fields are made from the flow's inputs."""
    return dmc.Modal(
        id=Execute.MODAL,
        title="Execute",
        size="lg",
        children=[
            dcc.Store(id=Execute.FLOW),
            dcc.Store(id=Execute.AGAIN),
            fields(id=Execute.FORM),
            html.Div(id=Execute.ERROR, className="wf-form-error", role="alert"),
            _buttons(
                dmc.Button("Cancel", id=Execute.CANCEL, variant="default"),
                dmc.Button("Execute", id=Execute.GO),
            ),
        ],
    )


def backfill() -> Component:
    """The form that makes up for dates of the past; its fields are made from the trigger and the flow's inputs."""
    return dmc.Modal(
        id=Backfill.MODAL,
        title="Backfill",
        size="lg",
        children=[
            dcc.Store(id=Backfill.TRIGGER),
            fields(id=Backfill.FORM),
            html.Div(id=Backfill.ERROR, className="wf-form-error", role="alert"),
            _buttons(
                dmc.Button("Cancel", id=Backfill.CANCEL, variant="default"),
                dmc.Button("Backfill", id=Backfill.GO),
            ),
        ],
    )


def _buttons(*buttons: Component) -> Component:
    return html.Div(list(buttons), className="wf-dialog-buttons")
