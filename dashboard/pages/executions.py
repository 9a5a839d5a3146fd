"""Executions: the live list."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.pages.router import Page, Visit


def layout(visit: Visit) -> Component:
    """The list."""
    return html.Div(className="wf-page", children=html.H1("Executions"))


PAGE = Page("executions", "/executions", "Executions", layout, icon="executions", rail="Executions")
