"""Actions on many executions, by ids or by filters: previewed, or started as an operation and answered with its id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import urlencode

import flask

from dashboard.api import strict
from dashboard.api.context import Api
from dashboard.api.details import labels_in, state_of, wrong
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import FILTERS, Endpoint, Parameter
from dashboard.permissions import Verb
from dashboard.rights import rights_of
from data.filters import parse_query_string
from engine.states import ACTIONS, Action
from streaming.details import NEWEST
from streaming.messages import ActionDetails
from streaming.operations import Preview, Selection

Details = Callable[[Api, Any], dict[str, Any]]


class Bulk:
    """One action on many: its path, and how a request tells its details (``body``: what of it is not ids)."""

    def __init__(self, action: Action, details: Details, *parameters: Parameter, path: str = "", method: str = "POST"):
        self.action = action
        self.details = details
        self.parameters = parameters
        self.path = f"/executions{path if path else f'/{action.value}'}"
        self.method = method


# -- what a request tells


def _none(api: Api, body: Any) -> dict[str, Any]:
    return {}


def _kill(api: Api, body: Any) -> dict[str, Any]:
    return {"cascade": api.boolean("isOnKillCascade", True)}


def _unqueue(api: Api, body: Any) -> dict[str, Any]:
    name = next((name for name in ("newState", "state") if api.text(name)), None)
    return {"state": state_of(api, Action.UNQUEUE, name)} if name else {}


def _change_status(api: Api, body: Any) -> dict[str, Any]:
    return {"state": state_of(api, Action.CHANGE_STATUS, "newStatus")}


def _labels(api: Api, body: Any) -> dict[str, Any]:
    return {"labels": labels_in(body)}


def _replay(api: Api, body: Any) -> dict[str, Any]:
    return {"revision": NEWEST} if api.boolean("latestRevision", False) else {}


_PARTS = {"deleteLogs": "logs", "deleteMetrics": "metrics", "deleteStorage": "files"}


def _delete(api: Api, body: Any) -> dict[str, Any]:
    removes = tuple(part for name, part in _PARTS.items() if api.boolean(name, True))
    return {"removes": removes, "include_non_terminated": api.boolean("includeNonTerminated", False)}


_CASCADE = Parameter("isOnKillCascade", "boolean", "Their subflows too.", "true")
_STATE = Parameter("newState", "State", "RUNNING, CANCELLED or FAILED.", "RUNNING")
_ALSO_BY_IDS = {Action.UNQUEUE: (Parameter("state", "State", "The same as newState."),)}
_STATUS = Parameter("newStatus", "State", "One that an execution ends in.", required=True)
_LATEST = Parameter("latestRevision", "boolean", "The newest revision of each one's flow.", "false")
_RUNNING_TOO = Parameter("includeNonTerminated", "boolean", "Those that still run too: they are killed first.", "false")
_REMOVES = tuple(Parameter(name, "boolean", f"Their {part} too.", "true") for name, part in _PARTS.items())
_REASON = Parameter("reason", "string", "Why, for the audit.")
_IDS = Parameter("body", "application/json", "`[id]`.", required=True, where="body")
_IDS_LABELS = Parameter("body", "application/json", "`{executionsId, executionLabels}`.", required=True, where="body")
_LABELS = Parameter("body", "application/json", "`[{key, value}]`.", required=True, where="body")
_PREVIEW_BODY = Parameter("body", "application/json", "`{ids}`; by filters when there is none.", where="body")

BULK = (
    Bulk(Action.KILL, _kill, _CASCADE, method="DELETE"),
    Bulk(Action.PAUSE, _none),
    Bulk(Action.RESUME, _none),
    Bulk(Action.RESUME_FROM_BREAKPOINT, _none),
    Bulk(Action.RESTART, _none),
    Bulk(Action.REPLAY, _replay, _LATEST),
    Bulk(Action.FORCE_RUN, _none),
    Bulk(Action.UNQUEUE, _unqueue, _STATE),
    Bulk(Action.CHANGE_STATUS, _change_status, _STATUS),
    Bulk(Action.LABELS, _labels),
    Bulk(Action.DELETE, _delete, _RUNNING_TOO, *_REMOVES, path="/", method="DELETE"),
)


# -- handlers


def by_ids(api: Api, bulk: Bulk) -> flask.Response:
    """Start it on these ids."""
    given, body = _json(), None
    if bulk.action is Action.LABELS:
        if not isinstance(given, dict):
            raise wrong("body", f"expected {{executionsId, executionLabels}}, got {type(given).__name__}")
        given, body = given.get("executionsId"), given.get("executionLabels")
    return _start(api, bulk, Selection.of_ids(_ids(given)), body)


def by_query(api: Api, bulk: Bulk) -> flask.Response:
    """Start it on all that match."""
    body = _json() if bulk.action is Action.LABELS else None
    filters = _filters(bulk)
    strict.some(parse_query_string(filters), "executions")
    return _start(api, bulk, Selection.of_filters(filters), body)


def _start(api: Api, bulk: Bulk, selection: Selection, body: Any) -> flask.Response:
    details = ActionDetails(**bulk.details(api, body))
    operations, actor, reason = api.services.operations, api.actor, api.text("reason")
    rights = rights_of(api.person, bulk.action)

    def work() -> tuple[str, int]:
        started = operations.start(
            bulk.action, selection, details, actor=actor, reason=reason, origin="api", rights=rights
        )
        return started, operations.get(started).total

    operation_id, total = api.read(work)
    return answer({"operationId": operation_id, "totalItems": total}, 202)


def preview(api: Api, bulk: Bulk) -> flask.Response:
    """What it would do now."""
    given = flask.request.get_json(silent=True) or {}
    if not isinstance(given, dict):
        raise wrong("body", f"expected an object {{ids}}, got {type(given).__name__}")
    body = given.get("labels", {}) if bulk.action is Action.LABELS else None
    details = ActionDetails(**bulk.details(api, body))
    selection = Selection.of_ids(_ids(given["ids"])) if "ids" in given else Selection.of_filters(_filters(bulk))
    rights = rights_of(api.person, bulk.action)
    found = api.read(lambda: api.services.operations.preview(bulk.action, selection, details, rights=rights))
    return answer(shape(found))


def shape(found: Preview) -> dict[str, Any]:
    """A preview as clients get it."""
    reasons = [{"why": one.why, "count": one.count, "examples": one.examples} for one in found.refused]
    return {
        "action": found.action,
        "totalItems": found.total,
        "possible": found.done,
        "refused": reasons,
        "unknown": found.unknown,
    }


def _filters(bulk: Bulk) -> str:
    """The query without what is none of the filters."""
    others = {"reason", *(parameter.name for parameter in bulk.parameters)}
    return urlencode([(name, value) for name, value in flask.request.args.items(multi=True) if name not in others])


def _json() -> Any:
    return flask.request.get_json(silent=True, force=True)


def _ids(given: Any) -> Iterable[str]:
    if not isinstance(given, list) or not given or not all(isinstance(one, str) and one for one in given):
        message = "expected a list of execution ids with at least one"
        raise ApiError(400, f"ids: {message}.", [(message, "ids")])
    return given


# -- endpoints


def _endpoints(bulk: Bulk) -> Iterable[Endpoint]:
    title = ACTIONS[bulk.action].title
    path, info, ours = bulk.path.rstrip("/"), (*bulk.parameters, _REASON), bulk.action is Action.RESUME_FROM_BREAKPOINT
    labels = bulk.action is Action.LABELS
    ids, query = (_IDS_LABELS, (_LABELS,)) if labels else (_IDS, ())
    yield Endpoint(
        bulk.method, f"{path}/by-ids", partial(_call, by_ids, bulk), f"{title}: these executions.", "AsyncOperation",
        (*info, *_ALSO_BY_IDS.get(bulk.action, ()), ids), verb=Verb.OPERATIONS, narrows=True, strict=True, ours=ours,
        good=(202,),
    )  # fmt: skip
    yield Endpoint(
        bulk.method, f"{path}/by-query", partial(_call, by_query, bulk), f"{title}: all that match.", "AsyncOperation",
        (FILTERS, *info, *query), verb=Verb.OPERATIONS, narrows=True, strict=True, ours=ours, good=(202,),
    )  # fmt: skip
    yield Endpoint(
        "POST", f"/executions/{bulk.action.value}/preview", partial(_call, preview, bulk),
        f"{title}: what it would do.", "OperationPreview", (FILTERS, *info, _PREVIEW_BODY),
        verb=Verb.OPERATIONS, narrows=True, strict=True, ours=True,
    )  # fmt: skip


def _call(handler: Callable[[Api, Bulk], flask.Response], bulk: Bulk, api: Api) -> flask.Response:
    return handler(api, bulk)


ENDPOINTS = tuple(endpoint for bulk in BULK for endpoint in _endpoints(bulk))
