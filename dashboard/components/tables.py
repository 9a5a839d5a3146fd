"""Columns of the executions table and the grid that shows them. Rows come live; the grid starts empty."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import dash_ag_grid as dag

from dashboard.components import theme

# Fields are those of ExecutionRow; ``sort`` names are the REST API's. The live view sets renderers by ``colId``.
COLUMNS: tuple[dict[str, Any], ...] = (
    {"colId": "state", "field": "state", "headerName": "State", "width": 118, "sort_name": "state.current"},
    {"colId": "flow", "field": "flow_id", "headerName": "Flow", "flex": 2, "minWidth": 140, "sort_name": "flowId"},
    {"colId": "namespace", "field": "namespace", "headerName": "Namespace", "flex": 1, "minWidth": 118,
     "sort_name": "namespace"},
    {"colId": "start", "field": "start_date", "headerName": "Started", "width": 112, "sort_name": "startDate"},
    {"colId": "duration", "field": "duration", "headerName": "Duration", "width": 88, "type": "rightAligned",
     "sort_name": "duration"},
    {"colId": "last_task", "field": "last_task", "headerName": "Last task", "flex": 1, "minWidth": 90, "hide": True},
    {"colId": "trigger", "field": "trigger_id", "headerName": "Trigger", "flex": 1, "minWidth": 90},
    {"colId": "labels", "field": "labels", "headerName": "Labels", "flex": 1, "minWidth": 90},
    {"colId": "error", "field": "error", "headerName": "First error", "flex": 2, "minWidth": 104},
    {"colId": "id", "field": "id", "headerName": "Id", "width": 126, "sort_name": "id"},
    {"colId": "menu", "headerName": "", "width": 120, "resizable": False},
)  # fmt: skip


def columns(hidden: Collection[str] = ()) -> list[dict[str, Any]]:
    """AG Grid's column definitions: the server sorts, so the grid never does by itself."""
    return [_column(column) for column in COLUMNS if column["colId"] not in hidden]


def sort_names() -> dict[str, str]:
    """Column id → name of the sort in the address."""
    return {column["colId"]: column["sort_name"] for column in COLUMNS if "sort_name" in column}


def _column(column: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in column.items() if name != "sort_name"}
    return known | {"sortable": False, "suppressMovable": column["colId"] == "menu"}


def executions_grid(grid_id: str, hidden: Collection[str] = ()) -> dag.AgGrid:
    """The grid of live rows, without the ``hidden`` columns. A row's id is its place.

    What each new row costs decides how fast the list can be: no column is pinned (each side is one more row to draw),
    and there is no ``rowData`` (the component would give all rows back to Dash after each transaction).
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
