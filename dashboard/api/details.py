"""Details of actions as requests give them, checked: states, labels, breakpoints, revisions."""

from __future__ import annotations

from typing import Any

import flask

from dashboard.api.context import Api
from dashboard.api.errors import ApiError
from engine.states import ACTIONS, Action, State
from streaming.details import NEWEST


def wrong(path: str, message: str) -> ApiError:
    """400 that names the parameter."""
    return ApiError(400, f"{path}: {message}", [(message, path)])


def state_of(api: Api, action: Action, name: str) -> State:
    """The state that the action leads to, which must be given."""
    return _target(action, api.text(name), name)


def _target(action: Action, given: Any, name: str) -> State:
    targets = ACTIONS[action].targets
    if given not in targets:
        raise wrong(name, f"expected one of {', '.join(targets)}, got {given!r}")
    return State(given)


def state_request() -> tuple[str, State, dict[str, Any]]:
    """``{taskRunId, state, inputs?}``: the task run, the state it is to have, and what its pause asks for."""
    given = _json("an object {taskRunId, state}", dict)
    task_run_id, inputs = given.get("taskRunId"), given.get("inputs") or {}
    if not isinstance(task_run_id, str) or not task_run_id:
        raise wrong("taskRunId", f"expected the id of a task run, got {task_run_id!r}")
    if not isinstance(inputs, dict):
        raise wrong("inputs", f"expected an object, got {inputs!r}")
    return task_run_id, _target(Action.CHANGE_STATE, given.get("state"), "state"), inputs


def labels_of() -> dict[str, str]:
    """The labels that are the body."""
    return labels_in(_json("a list of {key, value}", (list, dict)))


def labels_in(given: Any) -> dict[str, str]:
    """``[{key, value}]``, or one object of keys and values."""
    if not isinstance(given, (list, dict)):
        raise wrong("labels", f"expected a list of {{key, value}}, got {given!r}")
    pairs = given.items() if isinstance(given, dict) else map(_pair, given)
    labels: dict[str, str] = {}
    for key, value in pairs:
        if not isinstance(key, str) or not key or not isinstance(value, str) or not value:
            raise wrong("labels", f"expected a key and a value of text, got {key!r} and {value!r}")
        labels[key] = value
    return labels


def _pair(label: Any) -> tuple[Any, Any]:
    if not isinstance(label, dict):
        raise wrong("labels", f"expected {{key, value}}, got {label!r}")
    return label.get("key"), label.get("value")


def breakpoints_of(api: Api) -> tuple[str, ...]:
    """``task1,task2.value``."""
    return tuple(name for one in (api.text("breakpoints") or "").split(",") if (name := one.strip()))


def newest_or(api: Api) -> int | None:
    """The revision that is asked for; ``None``: the same one."""
    if api.boolean("latestRevision", False):
        return NEWEST
    return api.integer("revision", least=1)


def _json(what: str, kinds: type | tuple[type, ...]) -> Any:
    given = flask.request.get_json(silent=True)
    if not isinstance(given, kinds):
        raise wrong("body", f"expected {what} as JSON, got {type(given).__name__}")
    return given
