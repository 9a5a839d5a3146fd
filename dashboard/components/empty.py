"""Empty states: what would be here, and how to get it."""

from __future__ import annotations

import json

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.icons import icon


def empty(
    title: str,
    text: str | list[Component],
    *,
    icon_name: str = "executions",
    action: tuple[str, str] | None = None,
    again: str | None = None,
) -> Component:
    """A quiet box in the middle; ``action`` is (words, address).

    With ``again`` the page is asked for once more by itself: when all behind it is live, and an execution matches these
    filters in the wire form; empty: whatever there is.
    """
    link = [dcc.Link(action[0], href=action[1], className="wf-button")] if action else []
    parts = [icon(icon_name), html.H2(title), html.P(text), *link]
    if again is None:
        return html.Div(parts, className="wf-empty")
    view = {"data-wf-view": "again", "data-wf-params": json.dumps({"filters": again})}
    return html.Div(parts, className="wf-empty", role="status", **view)
