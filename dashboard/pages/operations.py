"""Operations: actions on many executions, how far they are and what became of each. The live views draw all of it."""

from __future__ import annotations

import json
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.ids import Operations
from dashboard.pages.router import Page, Visit


def layout(visit: Visit) -> Component:
    """The list, the newest first."""
    return _view(Operations.LIST, "operations", {"page": 1, "size": 25})


def detail(visit: Visit) -> Component:
    """One operation with its results."""
    return _view(Operations.DETAIL, "operation", {"id": visit.params["id"]})


def _view(element: str, name: str, params: dict[str, Any]) -> Component:
    body = html.Div(id=element, className="wf-ops", **{"data-wf-view": name, "data-wf-params": json.dumps(params)})
    return html.Div(body, className="wf-page full")


PAGE = Page("operations", "/operations", lambda visit: "Operations", layout, icon="operations", rail="Operations")
DETAIL = Page("operation", "/operations/<id>", lambda visit: "Operation", detail)
