"""Empty states: what would be here, and how to get it."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.icons import icon


def empty(
    title: str, text: str | list[Component], *, icon_name: str = "executions", action: tuple[str, str] | None = None
) -> Component:
    """A quiet box in the middle; ``action`` is (words, address)."""
    link = [dcc.Link(action[0], href=action[1], className="wf-button")] if action else []
    return html.Div(className="wf-empty", children=[icon(icon_name), html.H2(title), html.P(text), *link])
