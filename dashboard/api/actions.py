"""Every action on one execution: asked for, then answered by the executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import flask

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.details import breakpoints_of, labels_of, newest_or, state_of, state_request
from dashboard.api.errors import ApiError, answer, not_allowed
from dashboard.api.spec import INPUTS_BODY, Endpoint, Parameter
from dashboard.api.start import inputs_of_request
from engine.ids import new_id
from engine.model import Execution
from engine.states import ACTIONS, Action
from streaming.messages import Answer


def _act(api: Api, action: Action, execution_id: str, **details: Any) -> flask.Response:
    """Ask, wait, and give the execution as it is then."""
    given = answered(api, action, execution_id, details)
    item = api.execution(execution_id)
    refuse(action, item, given)
    return answer(shapes.execution(item))


def _anew(api: Api, action: Action, execution_id: str, **details: Any) -> flask.Response:
    """Ask for an action that makes another execution, wait, and give that one."""
    made = new_id()
    given = answered(api, action, execution_id, {**details, "new_id": made})
    refuse(action, api.execution(execution_id), given)
    seconds = api.settings.action_wait
    if api.answers.wait_row(made, seconds) is None and api.read(lambda: api.store.row(made)) is None:
        raise ApiError(
            504, f"The {action.value} is done, but the new execution has not begun within {seconds:g} s. It will, with "
            "the id in newId.", more={"newId": made},
        )  # fmt: skip
    return answer(shapes.execution(api.execution(made)))


def answered(api: Api, action: Action, execution_id: str, details: dict[str, Any]) -> Answer:
    """Ask, and wait for the executor's answer; 504 when none comes."""
    by: dict[str, Any] = {"actor": api.actor, "reason": api.text("reason"), "origin": "api"}
    event_id = api.read(lambda: api.commands.act(action, execution_id, **by, **details))
    seconds = api.settings.action_wait
    given = api.answers.wait(event_id, seconds)
    if given is None:
        raise ApiError(
            504, f"The executor has not answered within {seconds:g} s. The {action.value} is accepted and will be done "
            "or refused when the executor comes to it.", more={"eventId": event_id},
        )  # fmt: skip
    return given


def refuse(action: Action, item: Execution, given: Answer) -> None:
    """409 when the executor has refused."""
    if given.refused is not None:
        raise not_allowed(action.value, item.state, ACTIONS[action].allowed, given.refused)


def kill(api: Api, executionId: str) -> flask.Response:
    """End an execution and what it started."""
    return _act(api, Action.KILL, executionId, cascade=api.boolean("isOnKillCascade", True))


def pause(api: Api, executionId: str) -> flask.Response:
    """Start nothing new; what runs finishes."""
    return _act(api, Action.PAUSE, executionId)


def resume(api: Api, executionId: str) -> flask.Response:
    """Go on, with the inputs a Pause task asks for."""
    return _act(api, Action.RESUME, executionId, inputs=inputs_of_request(api))


def resume_from_breakpoint(api: Api, executionId: str) -> flask.Response:
    """Go on to the next breakpoint."""
    return _act(api, Action.RESUME_FROM_BREAKPOINT, executionId, breakpoints=breakpoints_of(api))


def restart(api: Api, executionId: str) -> flask.Response:
    """Run again what failed or never ran: in place, with a revision as another execution."""
    revision = api.integer("revision", least=1)
    if revision is None:
        return _act(api, Action.RESTART, executionId)
    return _anew(api, Action.RESTART, executionId, revision=revision)


def replay(api: Api, executionId: str) -> flask.Response:
    """Another execution, from the start or from a task run."""
    return _replay(api, executionId, {})


def replay_with_inputs(api: Api, executionId: str) -> flask.Response:
    """Another execution, with other inputs."""
    return _replay(api, executionId, inputs_of_request(api))


def _replay(api: Api, execution_id: str, inputs: dict[str, Any]) -> flask.Response:
    return _anew(
        api,
        Action.REPLAY,
        execution_id,
        task_run_id=api.text("taskRunId"),
        revision=newest_or(api),
        breakpoints=breakpoints_of(api),
        inputs=inputs,
    )


def force_run(api: Api, executionId: str) -> flask.Response:
    """What waits goes on now."""
    return _act(api, Action.FORCE_RUN, executionId)


def unqueue(api: Api, executionId: str) -> flask.Response:
    """Out of the queue: to run, or to end."""
    return _act(api, Action.UNQUEUE, executionId, state=state_of(api, Action.UNQUEUE, "state"))


def change_status(api: Api, executionId: str) -> flask.Response:
    """Another end for what has ended."""
    return _act(api, Action.CHANGE_STATUS, executionId, state=state_of(api, Action.CHANGE_STATUS, "status"))


def change_state(api: Api, executionId: str) -> flask.Response:
    """Another end for a task run."""
    task_run_id, state, inputs = state_request()
    return _act(api, Action.CHANGE_STATE, executionId, task_run_id=task_run_id, state=state, inputs=inputs)


def labels(api: Api, executionId: str) -> flask.Response:
    """Other labels in place of those that people set."""
    return _act(api, Action.LABELS, executionId, labels=labels_of())


_REASON = Parameter("reason", "string", "Why, for the audit.")
_BREAKPOINTS = Parameter("breakpoints", "string", "`task1,task2.value`: it stops before these.")
_REPLAY = (
    Parameter("taskRunId", "string", "Where to begin; the start when not given."),
    Parameter("revision", "integer", "The flow's revision; the same when not given."),
    Parameter("latestRevision", "boolean", "The newest revision.", "false"),
    _BREAKPOINTS,
)
_STATE_BODY = Parameter("body", "application/json", "`{taskRunId, state}`.", required=True, where="body")
_LABELS_BODY = Parameter("body", "application/json", "`[{key, value}]`.", required=True, where="body")
_PATH = "/executions/{executionId}/actions"
_VERBS = {"state": Action.CHANGE_STATE, "replay-with-inputs": Action.REPLAY}


def _one(
    action: str, handler: Callable[..., Any], what: str, parameters: Iterable[Parameter] = (), method: str = "POST"
) -> Endpoint:
    verb = _VERBS.get(action) or Action(action)
    return Endpoint(method, f"{_PATH}/{action}", handler, what, "Execution", (*parameters, _REASON), verb=verb)


ENDPOINTS = (
    _one("kill", kill, "Kill an execution.",
         (Parameter("isOnKillCascade", "boolean", "Its subflows too.", "true"),), "DELETE"),
    _one("pause", pause, "Pause an execution."),
    _one("resume", resume, "Resume an execution.", (INPUTS_BODY,)),
    _one("resume-from-breakpoint", resume_from_breakpoint, "Go on from a breakpoint.", (_BREAKPOINTS,)),
    _one("restart", restart, "Restart an execution.",
         (Parameter("revision", "integer", "Another execution, with this revision of the flow."),)),
    _one("replay", replay, "Replay an execution.", _REPLAY),
    _one("replay-with-inputs", replay_with_inputs, "Replay an execution with other inputs.", (*_REPLAY, INPUTS_BODY)),
    _one("force-run", force_run, "Let an execution run now."),
    _one("unqueue", unqueue, "Take an execution out of the queue.",
         (Parameter("state", "State", "RUNNING, CANCELLED or FAILED.", required=True),)),
    _one("change-status", change_status, "Change the state of an execution.",
         (Parameter("status", "State", "One that an execution ends in.", required=True),)),
    _one("state", change_state, "Change the state of a task run.", (_STATE_BODY,)),
    _one("labels", labels, "Replace the labels of an execution.", (_LABELS_BODY,)),
)  # fmt: skip
