"""Executions as files: everything that matches, streamed, with progress and a way to end it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import flask
from flask_login import current_user
from msgspec import structs

from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.executions import sort_of
from dashboard.api.spec import FILTERS, SORT, Endpoint, Parameter
from dashboard.exports import Export, Progress
from dashboard.permissions import Verb, narrowed
from data.export import COLUMNS, MEDIA, Format, parse_columns
from data.exporter import Order
from data.filters import parse as parse_filters
from data.pages import parse_sort
from engine.ids import new_id

WAIT_MAX_SECONDS = 10
_LOOK_SECONDS = 0.1
_ID = re.compile(r"[\w-]{8,64}")


def _export(api: Api, format: Format) -> flask.Response:
    order = _order(api, format)
    counts = api.read(lambda: api.store.counts(order.filters, order.now))
    progress = Progress(id=_id(api), owner=api.actor, format=format, total=sum(counts.values()))
    export = api.exports.start(order, progress)
    if export is None:
        most = api.settings.exports_at_once
        raise ApiError(503, f"{most} exports are being made by this process already; try again when one has ended.")
    return _answer(export, f"executions-{order.now:%Y%m%d-%H%M%S}.{format}")


def _order(api: Api, format: Format) -> Order:
    columns = ",".join(column.name for column in parse_columns(api.text("columns")))
    sort = sort_of(api)
    parse_sort(sort)
    settings = api.settings
    return Order(
        database_url=settings.resolved_database_url,
        format=format,
        filters=narrowed(parse_filters(flask.request.args), current_user, Verb.EXPORT),
        now=datetime.now(UTC),
        sort=sort,
        columns=columns,
        folder=str(settings.data_dir.resolve() / "cache"),
        stall=settings.export_stall,
    )


def _id(api: Api) -> str:
    """The id under which the progress is told: the caller's, or a new one."""
    given = api.text("export")
    if given is None:
        return new_id()
    if not _ID.fullmatch(given):
        message = f"expected 8 to 64 letters, digits, - or _, got {given!r}"
        raise ApiError(400, f"export: {message}", [(message, "export")])
    if api.exports.progress(given) is not None:
        raise ApiError(409, f"There is an export {given} already; take another id.", [("expected a new id", "export")])
    return given


def _answer(export: Export, name: str) -> flask.Response:
    progress = export.progress
    response = flask.Response(
        export.pieces(flask.request.environ.get("gunicorn.socket")),
        content_type=f"{MEDIA[progress.format]}{'; charset=utf-8' if progress.format == 'csv' else ''}",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "X-Watchfloor-Export": progress.id,
            "X-Watchfloor-Rows": str(progress.total),
        },
    )
    response.call_on_close(export.close)  # a client that goes before the first piece
    return response


def csv(api: Api) -> flask.Response:
    """All that match, as CSV."""
    return _export(api, "csv")


def jsonl(api: Api) -> flask.Response:
    """All that match, as JSON Lines."""
    return _export(api, "jsonl")


def parquet(api: Api) -> flask.Response:
    """All that match, as a Parquet file."""
    return _export(api, "parquet")


def _known(api: Api, export_id: str) -> Progress:
    found = api.exports.progress(export_id)
    if found is None or found.owner != api.actor:
        raise ApiError(404, f"There is no export {export_id} of yours, or it ended more than ten minutes ago.")
    return found


def progress(api: Api, exportId: str) -> flask.Response:
    """How far an export is; with ``wait`` an unknown one has so many seconds to begin."""
    until = time.monotonic() + api.integer("wait", 0, 0, WAIT_MAX_SECONDS)
    while api.exports.progress(exportId) is None and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    return answer(_shape(_known(api, exportId)))


def cancel(api: Api, exportId: str) -> flask.Response:
    """End an export; the file that was sent so far is not whole."""
    found = _known(api, exportId)
    if found.state == "RUNNING":
        api.exports.cancel(exportId)
        found = structs.replace(found, state="CANCELLED")
    return answer(_shape(found))


def _shape(found: Progress) -> dict[str, Any]:
    shape = structs.asdict(found)
    del shape["owner"]
    return shape


_PARAMETERS = (
    Parameter("columns", "string", f"Which, by commas, of {', '.join(COLUMNS)}; all when not given."),
    SORT,
    FILTERS,
    Parameter("export", "string", "An id of your own, under which to ask for the progress."),
)
_PATH = "/executions/export"
ENDPOINTS = (
    Endpoint("GET", f"{_PATH}/by-query/csv", csv, "All that match, as CSV.", "text/csv", _PARAMETERS, verb=Verb.EXPORT,
             narrows=True, strict=True),
    Endpoint(
        "GET", f"{_PATH}/by-query/jsonl", jsonl, "All that match, a JSON object a line.", "application/x-ndjson",
        _PARAMETERS, ours=True, verb=Verb.EXPORT, narrows=True, strict=True,
    ),
    Endpoint(
        "GET", f"{_PATH}/by-query/parquet", parquet, "All that match, as a Parquet file.",
        "application/vnd.apache.parquet", _PARAMETERS, ours=True, verb=Verb.EXPORT, narrows=True, strict=True,
    ),
    Endpoint(
        "GET", f"{_PATH}/{{exportId}}", progress, "How far an export is.", "ExportProgress",
        (Parameter("wait", "integer", "Seconds that one which is not known yet has to begin.", "0"),), ours=True,
        verb=Verb.EXPORT, narrows=True,
    ),
    Endpoint("DELETE", f"{_PATH}/{{exportId}}", cancel, "End an export.", "ExportProgress", ours=True,
             verb=Verb.EXPORT, narrows=True),
)  # fmt: skip
