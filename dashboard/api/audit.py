"""The audit: who did what to what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import flask

from dashboard import auditing
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import Endpoint, Parameter
from dashboard.permissions import Verb
from data.audit import AuditQuery


def _query() -> AuditQuery:
    try:
        return auditing.query_of(flask.request.args)
    except auditing.AuditFilterError as error:
        raise ApiError(400, str(error), [(str(error), error.field)]) from error


def search(api: Api) -> flask.Response:
    """Some rows, the newest first."""
    query, size = _query(), api.integer("size", 100, 1, api.settings.page_size_max)
    rows = api.read(lambda: api.store.audits(query=query, limit=size))
    more = {"before": rows[-1].seq} if len(rows) == size else {}
    return answer({"results": [auditing.shape(row) for row in rows], **more})


def _export(api: Api, mimetype: str, ending: str, pieces: Callable[[Any, AuditQuery], Iterator[Any]]) -> flask.Response:
    query, most = _query(), api.settings.audit_export_max
    if api.read(lambda: api.store.audit_total(query, most + 1)) > most:
        raise ApiError(400, f"More than {most:,} rows match (WATCHFLOOR_AUDIT_EXPORT_MAX): narrow the filter.")
    api.store.audit(api.actor, "audit-export", ending, after=dict(flask.request.args), origin="api")
    name = f"audit-{datetime.now(UTC):%Y%m%d-%H%M%S}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return flask.Response(_read(api, pieces(api.store, query)), mimetype=mimetype, headers=headers)


def _read(api: Api, pieces: Iterator[Any]) -> Iterator[Any]:
    while (piece := api.read(lambda: next(pieces, None))) is not None:
        yield piece


def csv(api: Api) -> flask.Response:
    """All that match, as CSV."""
    return _export(api, "text/csv", "csv", auditing.csv_of)


def jsonl(api: Api) -> flask.Response:
    """All that match, as JSON Lines."""
    return _export(api, "application/x-ndjson", "jsonl", auditing.jsonl)


_FILTERS = (
    Parameter("actor", "string", "Who did it."),
    Parameter("action", "string", "What was done."),
    Parameter("target", "string", "What to: an execution's id, a flow, a user; its beginning is enough."),
    Parameter("origin", "string", "From where: ui, api, cli, trigger, executor, or the id of a bulk operation."),
    Parameter("text", "string", "Anywhere in a row, letter case aside."),
    Parameter("since", "date-time", "Not before."),
    Parameter("until", "date-time", "Before."),
    Parameter("before", "integer", "Rows older than the one with this number."),
)
ENDPOINTS = (
    Endpoint(
        "GET", "/audit", search, "Who did what to what, the newest first.", "{results: [AuditRow], before?: integer}",
        (*_FILTERS, Parameter("size", "integer", "Rows at the most.", "100")), ours=True, verb=Verb.READ_AUDIT,
    ),
    Endpoint(
        "GET", "/audit/export/csv", csv, "All that match, as CSV.", "text/csv", _FILTERS, ours=True,
        verb=Verb.READ_AUDIT,
    ),
    Endpoint(
        "GET", "/audit/export/jsonl", jsonl, "All that match, a JSON object a line.", "application/x-ndjson", _FILTERS,
        ours=True, verb=Verb.READ_AUDIT,
    ),
)  # fmt: skip
