"""Executions: the live list. Rows, counts and pager are drawn by the view ``executions-table``; here is their place."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.export import export_button
from dashboard.components.filter_bar import filter_bar, state_chips
from dashboard.components.icons import icon
from dashboard.components.tables import choices, executions_grid, sort_names
from dashboard.ids import Executions
from dashboard.pages.router import Page, Visit

OF_A_FLOW = ("flow", "namespace")  # columns that a flow's own list need not show
PAGE_SIZES = (25, 50, 100, 200, 500)


def layout(visit: Visit) -> Component:
    """The list; which rows, in which order, is said by the address and read in the browser."""
    head = html.Div(
        [
            html.H1("Executions"),
            _view_menu(),
            html.Span(id=Executions.TOTAL, className="wf-muted wf-num"),
            export_button(),
        ],
        className="wf-page-head",
    )
    return html.Div(className="wf-page full", children=[head, *live_list()])


def _view_menu() -> Component:
    """The place of the saved views' menu."""
    return html.Div(
        id=Executions.VIEWS, className="wf-view-menu", **{"data-wf-view": "view-menu", "data-wf-params": "{}"}
    )


def live_list(fixed: str = "") -> list[Component]:
    """Filter bar, chips, grid, bulk bar and pager; ``fixed``: filters that always hold (a flow's own list)."""
    hidden = OF_A_FLOW if fixed else ()
    known = choices(hidden)
    parts = [state_chips(), _table(hidden), _pager()]
    table = html.Div(
        parts,
        id=Executions.VIEW,
        className="wf-list",
        **{"data-wf-view": "executions-table", "data-wf-params": json.dumps(view_params(fixed, known))},
    )
    error = html.Div(id=Executions.FILTER_ERROR, className="wf-form-error", role="alert")
    return [filter_bar(fixed, known), error, table]


def view_params(fixed: str, columns: list[dict[str, Any]]) -> dict[str, Any]:
    """What the live view is told: the elements it fills, which filters always hold, which columns there are."""
    return {
        "grid": Executions.GRID,
        "counts": Executions.COUNTS,
        "total": Executions.TOTAL,
        "pager": Executions.PAGER,
        "bulk": Executions.BULK,
        "newChip": Executions.CHIP_NEW,
        "empty": Executions.EMPTY,
        "error": Executions.FILTER_ERROR,
        "sorts": sort_names(),
        "sizes": PAGE_SIZES,
        "columns": columns,
        "fixed": fixed,
    }


def _table(hidden: Collection[str]) -> Component:
    return html.Div(
        className="wf-table",
        children=[
            executions_grid(Executions.GRID, hidden),
            html.Button(id=Executions.CHIP_NEW, className="wf-new-chip", hidden=True),
            html.Div(_empty(), id=Executions.EMPTY, className="wf-table-empty", hidden=True),
            _bulk_bar(),
        ],
    )


def _empty() -> list[Component]:
    """Two texts; the live view says which holds by ``data-kind``."""
    return [
        html.Div(
            className="wf-empty nothing",
            children=[
                icon("executions"),
                html.H2("Nothing has run yet"),
                html.P("Open a flow and press Execute, give it a schedule, or start it by the REST API."),
                dcc.Link("Go to Flows", href="/flows", className="wf-button primary"),
            ],
        ),
        html.Div(
            className="wf-empty filtered",
            children=[
                icon("search"),
                html.H2("Nothing matches these filters"),
                html.P("There may be executions that they leave out: take away a chip, or all of them."),
                html.Button("Clear filters", type="button", className="wf-button", **{"data-wf-clear-filters": ""}),
            ],
        ),
    ]


def _bulk_bar() -> Component:
    """Shown while executions are selected; the live view fills it from the table of actions."""
    label = {"aria-label": "Selected executions"}
    return html.Div(id=Executions.BULK, className="wf-bulk", hidden=True, role="toolbar", **label)


def _pager() -> Component:
    return html.Div(id=Executions.PAGER, className="wf-pager")


PAGE = Page("executions", "/executions", lambda visit: "Executions", layout, icon="executions", rail="Executions")
