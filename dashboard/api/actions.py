"""Kill, pause, resume and restart: asked for, then answered by the executor."""

from __future__ import annotations

from typing import Any

import flask

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer, not_allowed
from dashboard.api.spec import INPUTS_BODY, Endpoint, Parameter
from dashboard.api.start import inputs_of_request
from engine.states import ACTIONS, Action


def _act(api: Api, action: Action, execution_id: str, **details: Any) -> flask.Response:
    event_id = api.commands.act(
        action, execution_id, actor=api.actor, reason=api.text("reason"), origin="api", **details
    )
    seconds = api.settings.action_wait
    given = api.answers.wait(event_id, seconds)
    if given is None:
        raise ApiError(
            504, f"The executor has not answered within {seconds:g} s. The {action.value} is accepted and will be done "
            "or refused when the executor comes to it.", more={"eventId": event_id},
        )  # fmt: skip
    item = api.execution(execution_id)
    if given.refused is not None:
        raise not_allowed(action.value, item.state, ACTIONS[action].allowed, given.refused)
    return answer(shapes.execution(item))


def kill(api: Api, executionId: str) -> flask.Response:
    """End an execution and what it started."""
    return _act(api, Action.KILL, executionId, cascade=api.boolean("isOnKillCascade", True))


def pause(api: Api, executionId: str) -> flask.Response:
    """Start nothing new; what runs finishes."""
    return _act(api, Action.PAUSE, executionId)


def resume(api: Api, executionId: str) -> flask.Response:
    """Go on, with the inputs a Pause task asks for."""
    return _act(api, Action.RESUME, executionId, inputs=inputs_of_request(api))


def restart(api: Api, executionId: str) -> flask.Response:
    """Run again what failed or never ran."""
    if api.text("revision"):
        message = "restarting with another revision is not served yet; leave it out to restart with the same one"
        raise ApiError(400, f"revision: {message}.", [(message, "revision")])
    return _act(api, Action.RESTART, executionId)


_REASON = Parameter("reason", "string", "Why, for the audit.")
_PATH = "/executions/{executionId}/actions"
ENDPOINTS = (
    Endpoint(
        "DELETE", f"{_PATH}/kill", kill, "Kill an execution.", "Execution",
        (Parameter("isOnKillCascade", "boolean", "Its subflows too.", "true"), _REASON), writes=True,
    ),
    Endpoint("POST", f"{_PATH}/pause", pause, "Pause an execution.", "Execution", (_REASON,), writes=True),
    Endpoint(
        "POST", f"{_PATH}/resume", resume, "Resume an execution.", "Execution", (_REASON, INPUTS_BODY), writes=True
    ),
    Endpoint("POST", f"{_PATH}/restart", restart, "Restart an execution.", "Execution", (_REASON,), writes=True),
)  # fmt: skip
