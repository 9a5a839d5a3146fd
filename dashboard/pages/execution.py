"""Execution: one run in four tabs."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.pages.router import Page, Visit

TABS = ("overview", "gantt", "logs", "topology")


def layout(visit: Visit) -> Component:
    """One execution."""
    return html.Div(className="wf-page", children=html.H1(visit.params["id"]))


PAGE = Page("execution", "/executions/<id>", "Execution {id}", layout, tabs=TABS)
