"""Following: an execution or its log, pushed until it is over.

An execution's first event is a snapshot. What comes after is never older: its version only rises. The last event has
the id ``end``; the log's comes when all that was said before the execution's end is stored and sent.
"""

from __future__ import annotations

import time
from collections.abc import Generator

import flask

from dashboard.api import shapes, sse
from dashboard.api.context import Api
from dashboard.api.logqueries import of_execution
from dashboard.api.logs import LINES
from dashboard.api.spec import Endpoint, Parameter
from data.records import LogQuery
from engine.model import Execution
from engine.states import TERMINAL
from streaming import keys
from streaming.gateway.answers import Behind, Follower
from streaming.gateway.listviews import stream_id
from streaming.messages import LogEntry

_SETTLE = 0.1  # seconds in which changes are gathered into one event
_LOG_LOOK = 0.5  # seconds between looks into the store, should news have passed by
_LOG_STEP = 1_000
_LAST_WORDS = 0.5  # seconds in which the engine has written what it says of an end


def execution(api: Api, executionId: str) -> flask.Response:
    """An execution, whole, at each change."""
    api.exists(executionId)
    return sse.stream(api, _execution_events(api, executionId))


def _execution_events(api: Api, execution_id: str) -> Generator[str]:
    with api.answers.follow(execution_id) as follower:
        shown = -1
        while True:
            item = api.read(lambda: api.store.load(execution_id))
            if item is None:
                return
            over = is_over(item)
            if item.version > shown:
                shown = item.version
                yield sse.event("end" if over else "progress", shapes.execution(item))
            if over:
                return
            while not _news(follower, sse.KEEP_ALIVE_SECONDS):
                yield sse.KEEP_ALIVE


def is_over(item: Execution) -> bool:
    """Whether nothing of it goes on, tasks after its end included."""
    return item.state in TERMINAL and all(run.state in TERMINAL for run in item.task_runs.values())


def _news(follower: Follower, seconds: float) -> bool:
    """Whether there is something new within ``seconds``; what comes closely after it is taken together."""
    try:
        if follower.get(seconds) is None:
            return False
        until = time.monotonic() + _SETTLE
        while (left := until - time.monotonic()) > 0:
            delta = follower.get(left)
            if delta is None or delta.row.state in TERMINAL:
                break
    except Behind:
        pass  # the next look into the store has it all
    return True


# -- logs


def logs(api: Api, executionId: str) -> flask.Response:
    """Lines as they are stored, those of before first."""
    api.exists(executionId)
    query = of_execution(executionId)
    after = api.integer("afterSeq", 0, least=0)
    return sse.stream(api, _log_events(api, query, after))


def _log_events(api: Api, query: LogQuery, after: int) -> Generator[str]:
    said = time.monotonic()
    end = _End(api, query.execution_id)
    with api.answers.listen(query.execution_id) as woken:
        while True:
            woken.clear()
            ended = end.reached()
            while entries := _lines_after(api, query, after):
                after, said = entries[-1].seq, time.monotonic()
                yield "".join(sse.event("progress", shapes.log_entry(entry)) for entry in entries)
            if ended:
                yield sse.event("end", {"executionId": query.execution_id})
                return
            if time.monotonic() - said > sse.KEEP_ALIVE_SECONDS:
                said = time.monotonic()
                yield sse.KEEP_ALIVE
            woken.wait(_LOG_LOOK)


def _lines_after(api: Api, query: LogQuery, after: int) -> list[LogEntry]:
    return api.read(lambda: api.store.logs_after(query, after, _LOG_STEP))


class _End:
    """Knows when no more lines of an execution can come.

    What tasks said is in ``wf:logs`` before their end is in ``wf:events``, and what the engine itself says is written
    right after the commit: once the log writer has passed what was in the stream a moment after the end was seen,
    there are none to come.
    """

    def __init__(self, api: Api, execution_id: str) -> None:
        self._api = api
        self._id = execution_id
        self._over_since: float | None = None
        self._last: str | None = None

    def reached(self) -> bool:
        """Whether all lines are stored."""
        if self._over_since is None and self._over():
            self._over_since = time.monotonic()
        if self._over_since is None or time.monotonic() - self._over_since < _LAST_WORDS:
            return False
        if self._last is None:
            self._last = self._api.services.bus.last_id(keys.LOGS)
        stored = self._api.read(lambda: self._api.store.position(keys.LOGS))
        return stream_id(stored) >= stream_id(self._last)

    def _over(self) -> bool:
        row = self._api.read(lambda: self._api.store.row(self._id))
        return row is None or (row.state in TERMINAL and is_over(self._api.execution(self._id)))


ENDPOINTS = (
    Endpoint(
        "GET", "/executions/{executionId}/follow", execution, "Follow an execution.", "text/event-stream of Execution"
    ),
    Endpoint(
        "GET", "/logs/{executionId}/follow", logs, "Follow the log of an execution.", "text/event-stream of LogEntry",
        (Parameter("afterSeq", "integer", "Only lines after this `seq`.", "0"), *LINES),
    ),
)  # fmt: skip
