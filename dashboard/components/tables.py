"""Columns of the executions table and the grid that shows them. Rows come live; the grid starts empty."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import dash_ag_grid as dag

from dashboard.components import theme

# Fields are those of ExecutionRow; ``sort_name`` is the REST API's. The live view sets renderers by ``colId``. What has
# no field does not travel live: it is asked for when it is in sight (``dashboard.listvalues``).
# ``wide``: by default it stands only where the table has so many pixels; without it, only when it is chosen.
COLUMNS: tuple[dict[str, Any], ...] = (
    {"colId": "state", "field": "state", "headerName": "State", "width": 114, "sort_name": "state.current", "wide": 0},
    {"colId": "flow", "field": "flow_id", "headerName": "Flow", "flex": 3, "minWidth": 130, "sort_name": "flowId",
     "wide": 0},
    {"colId": "namespace", "field": "namespace", "headerName": "Namespace", "flex": 2, "minWidth": 110,
     "sort_name": "namespace", "wide": 0},
    {"colId": "start", "field": "start_date", "headerName": "Started", "width": 118, "sort_name": "startDate",
     "wide": 0},
    {"colId": "end", "field": "end_date", "headerName": "Ended", "width": 118, "sort_name": "endDate", "wide": 1240},
    {"colId": "duration", "field": "duration", "headerName": "Duration", "width": 86, "type": "rightAligned",
     "sort_name": "duration", "wide": 0},
    {"colId": "progress", "headerName": "Progress", "width": 124},
    {"colId": "last_task", "field": "last_task", "headerName": "Last task", "flex": 2, "minWidth": 110},
    {"colId": "trigger", "field": "trigger_id", "headerName": "Trigger", "flex": 2, "minWidth": 120, "wide": 1280},
    {"colId": "labels", "field": "labels", "headerName": "Labels", "flex": 3, "minWidth": 96, "wide": 0},
    {"colId": "error", "field": "error", "headerName": "First error", "flex": 4, "minWidth": 100, "wide": 900},
    {"colId": "inputs", "headerName": "Inputs", "flex": 3, "minWidth": 140},
    {"colId": "outputs", "headerName": "Outputs", "flex": 3, "minWidth": 140},
    {"colId": "revision", "field": "revision", "headerName": "Revision", "width": 86, "type": "rightAligned"},
    {"colId": "attempt", "field": "attempt_number", "headerName": "Attempt", "width": 84, "type": "rightAligned"},
    {"colId": "parent", "field": "parent_id", "headerName": "Parent", "width": 104},
    {"colId": "kind", "field": "kind", "headerName": "Kind", "width": 104},
    {"colId": "id", "field": "id", "headerName": "Id", "width": 104, "sort_name": "id", "wide": 0},
    {"colId": "menu", "headerName": "", "width": 120, "resizable": False},
)  # fmt: skip
_OURS = frozenset({"sort_name", "wide"})


def columns(hidden: Collection[str] = ()) -> list[dict[str, Any]]:
    """AG Grid's column definitions: the server sorts, so the grid never does by itself."""
    return [_column(column) for column in COLUMNS if column["colId"] not in hidden]


def choices(hidden: Collection[str] = ()) -> list[dict[str, Any]]:
    """The columns that one may choose, for the browser."""
    return [
        {"id": column["colId"], "title": column["headerName"], "wide": column.get("wide")}
        for column in COLUMNS
        if column["headerName"] and column["colId"] not in hidden
    ]


def sort_names() -> dict[str, str]:
    """Column id → name of the sort in the address."""
    return {column["colId"]: column["sort_name"] for column in COLUMNS if "sort_name" in column}


def _column(column: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in column.items() if name not in _OURS}
    shown = column["colId"] == "menu" or "wide" in column
    return known | {"sortable": False, "suppressMovable": column["colId"] == "menu", "hide": not shown}


def executions_grid(grid_id: str, hidden: Collection[str] = ()) -> dag.AgGrid:
    """The grid of live rows, without the ``hidden`` columns. A row's id is its place.

    What each new row costs decides how fast the list can be: no column is pinned by default (each side is one more row
    to draw), and there is no ``rowData`` (the component would give all rows back to Dash after each transaction).
    """
    return dag.AgGrid(
        id=grid_id,
        columnDefs=columns(hidden),
        getRowId="params.data.place",
        columnSize=None,
        defaultColDef={"cellDataType": False, "resizable": True, "sortable": False, "suppressHeaderMenuButton": True},
        dashGridOptions={
            "theme": theme.ag_grid(),
            "rowSelection": {"mode": "multiRow", "enableClickSelection": False, "headerCheckbox": True},
            "selectionColumnDef": {"width": 40, "resizable": False, "suppressMovable": True},
            "animateRows": False,
            "suppressColumnMoveAnimation": True,
            "rowBuffer": 1,
            "suppressCellFocus": False,
            "suppressNoRowsOverlay": True,
            "enableCellTextSelection": True,
            "suppressScrollOnNewData": True,
            "suppressDragLeaveHidesColumns": True,
            "tooltipShowDelay": 400,
        },
        style={"height": "100%", "width": "100%"},
        className="wf-grid",
    )
