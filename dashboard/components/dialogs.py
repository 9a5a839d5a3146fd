"""The dialogs that any page may open: confirm an action, resume with inputs, execute a flow."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.ids import Backfill, Confirm, Execute, Resume


def confirm() -> Component:
    """Asks before an action that destroys; the reason is kept in the audit."""
    return dmc.Modal(
        id=Confirm.MODAL,
        title=html.Span(id=Confirm.TITLE),
        size="md",
        centered=True,
        children=[
            dcc.Store(id=Confirm.PENDING),
            html.Div(id=Confirm.TEXT, className="wf-dialog-text"),
            dmc.TextInput(
                id=Confirm.REASON,
                label="Reason",
                placeholder="optional, kept in the audit",
                inputProps={"maxLength": 500},
            ),
            _buttons(
                dmc.Button("Cancel", id=Confirm.CANCEL, variant="default"),
                dmc.Button("Kill", id=Confirm.GO, className="wf-danger"),
            ),
        ],
    )


def resume() -> Component:
    """The form of an execution that waits for inputs."""
    return dmc.Modal(
        id=Resume.MODAL,
        title="Resume",
        size="md",
        centered=True,
        children=[
            dcc.Store(id=Resume.PENDING),
            html.Div(id=Resume.FORM, className="wf-form"),
            html.Div(id=Resume.ERROR, className="wf-form-error", role="alert"),
            _buttons(dmc.Button("Resume", id=Resume.GO)),
        ],
    )


def execute() -> Component:
    """The form that starts an execution; its fields are made from the flow's inputs."""
    return dmc.Modal(
        id=Execute.MODAL,
        title="Execute",
        size="lg",
        children=[
            dcc.Store(id=Execute.FLOW),
            html.Div(id=Execute.FORM, className="wf-form"),
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
            html.Div(id=Backfill.FORM, className="wf-form"),
            html.Div(id=Backfill.ERROR, className="wf-form-error", role="alert"),
            _buttons(
                dmc.Button("Cancel", id=Backfill.CANCEL, variant="default"),
                dmc.Button("Backfill", id=Backfill.GO),
            ),
        ],
    )


def _buttons(*buttons: Component) -> Component:
    return html.Div(list(buttons), className="wf-dialog-buttons")
