"""Every failure as JSON: ``{message, _embedded: {errors: [{message, path}]}}``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import flask
import structlog
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException

from dashboard.people import TooOften
from data.errors import (
    FilterError,
    LastAdmin,
    PersonError,
    RevisionKept,
    StoreUnavailable,
    TokenNotFound,
    TooMany,
    UserNotFound,
)
from engine.flow import FlowError
from engine.inputs import InputError
from engine.states import State
from streaming import codec
from streaming.commands import BadDetail, ExecutionNotFound, FlowDisabled, FlowNotFound, LabelRefused, NotAllowed
from streaming.operations import OperationEnded, OperationNotFound, OperationRefused
from streaming.trigger_commands import BackfillRefused, TriggerNotFound, WebhookNotFound, WebhookRefused

log = structlog.get_logger()


class ApiError(Exception):
    """An answer that is no success. ``errors`` are (message, path) of its parts, ``more`` further members."""

    def __init__(
        self, status: int, message: str, errors: Sequence[tuple[str, str]] = (), more: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.more = more or {}


def answer(payload: Any, status: int = 200) -> flask.Response:
    """JSON of anything that has a wire form."""
    return flask.Response(codec.to_json(payload), status, mimetype="application/json")


def failure(error: ApiError) -> flask.Response:
    """The answer to an error."""
    parts = [{"message": message, "path": path} for message, path in error.errors]
    return answer({"message": error.message, "_embedded": {"errors": parts}, **error.more}, error.status)


def not_allowed(action: str, state: State, allowed: Iterable[State], message: str) -> ApiError:
    """409: the action does not work in that state."""
    states = [each for each in State if each in set(allowed)]
    return ApiError(409, message, [(message, "state")], {"action": action, "state": state, "allowed": states})


def _flow(error: FlowError) -> ApiError:
    parts = [
        {"message": f"line {one.line}, column {one.column}: {one.message}", "path": one.path, "line": one.line,
         "column": one.column} for one in error.violations
    ]  # fmt: skip
    count = "1 problem" if len(parts) == 1 else f"{len(parts)} problems"
    return ApiError(422, f"Not a valid flow, {count}:\n{error}", more={"_embedded": {"errors": parts}})


def _inputs(error: InputError) -> ApiError:
    parts = [(message, f"inputs.{name}") for name, message in error.errors.items()]
    return ApiError(422, f"The inputs don't fit the flow: {error}", parts)


def _filters(error: FilterError) -> ApiError:
    """Every bad part of the filters, and where it stands, so that a page can show it there."""
    parts = [(one.message, one.part) for one in error.problems]
    return ApiError(400, str(error), parts, {"problems": error.problems})


def _away(error: Exception) -> ApiError:
    return ApiError(503, f"The database or Redis can't be reached; nothing was changed, try again. ({error})")


_KNOWN: dict[type[Exception], Callable[[Any], ApiError]] = {
    ApiError: lambda error: error,
    FilterError: _filters,
    FlowError: _flow,
    InputError: _inputs,
    FlowNotFound: lambda error: ApiError(404, str(error)),
    ExecutionNotFound: lambda error: ApiError(404, str(error)),
    FlowDisabled: lambda error: ApiError(409, str(error)),
    TriggerNotFound: lambda error: ApiError(404, str(error)),
    WebhookNotFound: lambda error: ApiError(404, str(error)),
    WebhookRefused: lambda error: ApiError(422, str(error)),
    BackfillRefused: lambda error: ApiError(422, str(error), [(str(error), "backfill")]),
    LabelRefused: lambda error: ApiError(400, str(error), [(str(error), "labels")]),
    BadDetail: lambda error: ApiError(400, str(error), [(error.problem, error.name)]),
    PersonError: lambda error: ApiError(422, str(error), [(str(error), getattr(error, "field", "name"))]),
    TooOften: lambda error: ApiError(429, str(error)),
    UserNotFound: lambda error: ApiError(404, str(error)),
    TokenNotFound: lambda error: ApiError(404, str(error)),
    LastAdmin: lambda error: ApiError(409, str(error)),
    NotAllowed: lambda error: not_allowed(error.action.value, error.state, error.allowed, str(error)),
    RevisionKept: lambda error: ApiError(409, str(error), [(str(error), "revisions")]),
    TooMany: lambda error: ApiError(400, str(error), [(str(error), "filters")]),
    OperationRefused: lambda error: ApiError(400, str(error), [(str(error), "body")]),
    OperationNotFound: lambda error: ApiError(404, str(error)),
    OperationEnded: lambda error: ApiError(409, str(error), [(str(error), "state")], {"state": error.state}),
    StoreUnavailable: _away,
    RedisError: _away,
    HTTPException: lambda error: ApiError(error.code or 500, error.description or error.name),
}


def register(blueprint: flask.Blueprint) -> None:
    """Turn what handlers raise into answers."""
    for kind, convert in _KNOWN.items():
        blueprint.register_error_handler(kind, lambda error, convert=convert: failure(convert(error)))
    # By its code, or the pages' own handler of it would come first.
    blueprint.register_error_handler(429, lambda error: failure(ApiError(429, error.description)))
    blueprint.register_error_handler(Exception, _unexpected)


def _unexpected(error: Exception) -> flask.Response:
    log.exception("api.failed", path=flask.request.path, method=flask.request.method)
    return failure(ApiError(500, f"Watchfloor failed at this request: {type(error).__name__}. Its log says more."))


def nearest(path: str, known: Iterable[str]) -> str:
    """A hint at the known path most like ``path``, or nothing."""
    found = difflib.get_close_matches(path, list(dict.fromkeys(known)), n=1, cutoff=0.7)
    return f" Did you mean {found[0]}?" if found else ""
