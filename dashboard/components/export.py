"""The button that exports what the list shows; progress and cancel are drawn by the view ``executions-export``."""

from __future__ import annotations

import json

from dash import html
from dash.development.base_component import Component

from dashboard.components.icons import icon
from dashboard.ids import Executions


def export_button(fixed: str = "") -> Component:
    """The button with the place of its progress; ``fixed``: filters in the wire form that always hold."""
    button = html.Button(
        [icon("download"), "Export", icon("chevron-down")],
        className="wf-button",
        type="button",
        title="Everything that matches, as a file",
        **{"aria-haspopup": "menu"},
    )
    return html.Div(
        button,
        id=Executions.EXPORT,
        className="wf-export",
        **{"data-wf-view": "executions-export", "data-wf-params": json.dumps({"fixed": fixed})},
    )
