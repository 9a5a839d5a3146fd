"""Log lines: lists, windows, places of a text, download, search over all executions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import flask
from msgspec import structs

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.logqueries import of_all, of_execution
from dashboard.api.spec import FILTERS, PAGE, SIZE, SORT, Endpoint, Parameter
from data.executions import ExecutionQuery
from data.filters import Condition, Filters
from data.log_search import LogSearchQuery, Where
from data.operators import Op
from data.records import DEFAULT_SORT, LogQuery
from streaming.messages import LEVELS

LIST_MAX = 10_000  # lines in one JSON list; more are had by windows or the download
WINDOW_MAX = 2_000
TRIGGERED_MAX = 1_000  # executions of a trigger whose lines are searched
_PIECE = 500  # lines of a download sent at once


def search(api: Api) -> flask.Response:
    """One page of lines of all executions, newest first; by page, or on from a cursor."""
    number, size = api.page()
    _, newest_first = api.sort("timestamp:desc", ("timestamp",))
    cursor = api.integer("cursor", least=0)
    query = structs.replace(_by_execution(api, of_all(cursor, not newest_first)), within=api.allowed())
    offset = 0 if cursor is not None else (number - 1) * size
    found = api.read(lambda: api.store.search_logs(query, offset, size))
    more = {"nextCursor": str(found.entries[-1].seq)} if len(found.entries) == size and newest_first else {}
    kind = "OFFSET" if cursor is None else "CURSOR"
    return answer({**shapes.page([shapes.log_entry(one) for one in found.entries], found.total), "type": kind, **more})


def _by_execution(api: Api, query: LogSearchQuery) -> LogSearchQuery:
    """The query with the newest executions that a trigger started in place of the trigger: no line knows of it."""
    return structs.replace(query, where=tuple(_started(api, one) for one in query.where))


def _started(api: Api, one: Where) -> Where:
    if one.field != "triggerId":
        return one
    filters = api.narrowed(Filters((Condition("triggerId", one.op, one.values),)))
    found = api.read(lambda: api.store.search(ExecutionQuery(filters, DEFAULT_SORT, 1, TRIGGERED_MAX)))
    return Where("executionId", Op.IN, tuple(row.id for row in found.rows))


def of_one(api: Api, executionId: str) -> flask.Response:
    """The lines of an execution."""
    api.exists(executionId)
    query = of_execution(executionId)
    found = api.read(lambda: api.store.log_window(query, 0, LIST_MAX + 1))
    if len(found.entries) > LIST_MAX:
        raise ApiError(
            400, f"{found.total:,} lines are too many for one list of {LIST_MAX:,}: filter them, take "
            f"windows (/logs/{executionId}/window) or the download (/logs/{executionId}/download).",
        )  # fmt: skip
    return answer([shapes.log_entry(one) for one in found.entries])


def window(api: Api, executionId: str) -> flask.Response:
    """Some lines from an offset on, as the live page has them."""
    query = of_execution(executionId, api.text("order") or "time")
    offset = api.integer("offset", 0, least=0)
    limit = api.integer("limit", 200, 1, WINDOW_MAX)
    found = api.read(lambda: api.store.log_window(query, offset, limit))
    return answer({"total": found.total, "entries": found.entries})


def hits(api: Api, executionId: str) -> flask.Response:
    """Where a text, or lines of a level, are among the lines that ``window`` pages through."""
    query = of_execution(executionId, api.text("order") or "time")
    needle, level = api.text("needle"), api.text("hitLevel")
    if needle is None and level is None:
        raise ApiError(400, "needle: expected a text to look for.", [("expected a text", "needle")])
    if level is not None and level not in LEVELS:
        raise ApiError(400, f"hitLevel: expected one of {', '.join(LEVELS)}, got {level!r}.", [("a level", "hitLevel")])
    found = api.read(
        lambda: api.store.log_hits(query, needle) if needle else api.store.log_level_hits(query, level)  # type: ignore[arg-type]
    )
    return answer({"total": found.total, "indexes": found.indexes})


def groups(api: Api, executionId: str) -> flask.Response:
    """How many lines each task run has, in the order of ``window`` by task."""
    query = of_execution(executionId)
    return answer({"groups": api.read(lambda: api.store.log_groups(query))})


def place(api: Api, executionId: str) -> flask.Response:
    """Where a line is among those that ``window`` pages through; ``null`` when it is not among them."""
    query = of_execution(executionId, api.text("order") or "time")
    seq = api.integer("seq", least=0)
    if seq is None:
        raise ApiError(400, "seq: expected the number of a line.", [("expected a number", "seq")])
    return answer({"index": api.read(lambda: api.store.log_place(query, seq))})


def download(api: Api, executionId: str) -> flask.Response:
    """All lines as a text file, streamed."""
    api.exists(executionId)
    query = of_execution(executionId, api.text("order") or "time")
    name = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in executionId)
    return flask.Response(
        _lines(api, query),
        mimetype="text/plain",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.log"',
            "X-Accel-Buffering": "no",
        },
    )


def _lines(api: Api, query: LogQuery) -> Iterator[str]:
    entries = api.store.iter_logs(query)
    while piece := api.read(lambda: [shapes.log_line(entry) for entry in islice(entries, _PIECE)]):
        yield "".join(piece)


LEVEL = Parameter("minLevel", "Level", "TRACE, DEBUG, INFO, WARN or ERROR: this level and worse ones.", "TRACE")
LINES = (
    LEVEL,
    Parameter("taskId", "string", "Of one task."),
    Parameter("taskRunId", "string", "Of one task run."),
    Parameter("attempt", "integer", "Of one attempt, counted from 1."),
    Parameter("q", "string", "Lines that contain it, letter case aside."),
    FILTERS,
)
ORDER = Parameter("order", "time or task", "By arrival, or the lines of a task run together.", "time")
ENDPOINTS = (
    Endpoint(
        "GET", "/logs/search", search, "Search the lines of all executions.", "CursorOrOffsetPagedResults<LogEntry>",
        (PAGE, SIZE, SORT, Parameter("cursor", "string", "`nextCursor` of the page before."), FILTERS),
        narrows=True,
    ),
    Endpoint("GET", "/logs/{executionId}", of_one, "The lines of an execution.", "[LogEntry]", LINES),
    Endpoint("GET", "/logs/{executionId}/download", download, "The lines as a text file.", "text/plain",
             (*LINES, ORDER)),
    Endpoint(
        "GET", "/logs/{executionId}/window", window, "Some of the lines, wherever they are.", "{total, entries}",
        (
            Parameter("offset", "integer", "The first line, counted from 0.", "0"),
            Parameter("limit", "integer", f"How many lines, {WINDOW_MAX:,} at the most.", "200"),
            ORDER, *LINES,
        ),
        ours=True,
    ),
    Endpoint(
        "GET", "/logs/{executionId}/hits", hits, "Where a text, or a level, is among those lines.", "{total, indexes}",
        (
            Parameter("needle", "string", "The text to look for."),
            Parameter("hitLevel", "Level", "Instead of a text: lines of this level and worse ones."), ORDER, *LINES,
        ),
        ours=True,
    ),
    Endpoint(
        "GET", "/logs/{executionId}/groups", groups, "How many lines each task run has.",
        "{groups: [{task_run_id, task_id, total, errors, last_seq}]}", LINES, ours=True,
    ),
    Endpoint(
        "GET", "/logs/{executionId}/place", place, "Where a line is among them.", "{index}",
        (Parameter("seq", "integer", "The line's number.", required=True), ORDER, *LINES), ours=True,
    ),
)  # fmt: skip
