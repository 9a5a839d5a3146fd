"""How actions look: icon, key, place in menus, and in which states an action has a button of its own.

What an action may do is in ``engine.states``, who may in ``dashboard.permissions``; here is what people see of it. The
browser gets all three as one table.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dashboard.permissions import PERMISSIONS
from engine.states import ACTIONS, EXECUTION_STATES, TERMINAL, Action, State


class TaskSide(msgspec.Struct, frozen=True):
    """What an action does to one task run: its words, and when it works. The execution is in one of ``execution``, or
    the task run in one of ``run``."""

    title: str
    execution: tuple[State, ...] = ()
    run: tuple[State, ...] = ()


class Look(msgspec.Struct, frozen=True):
    """``icon`` names one of ``components.icons``. ``primary``: states in which it stands in an execution's header.
    ``group``: menus draw a line between two; ``None`` for what is only done to task runs. ``key``: on the list and an
    execution's page; what is only done to task runs has none, but its place in their menus."""

    icon: str
    group: int | None
    primary: tuple[State, ...] = ()
    key: str | None = None
    task: TaskSide | None = None


_ENDED = tuple(state for state in EXECUTION_STATES if state in TERMINAL)
_BAD = (State.WARNING, State.FAILED, State.KILLED, State.CANCELLED)
_ALIVE = (State.CREATED, State.RESTARTED, State.RUNNING, State.PAUSED, State.QUEUED, State.RETRYING, State.BREAKPOINT)

LOOKS: dict[Action, Look] = {
    Action.RESTART: Look("restart", 0, _BAD, key="r"),
    Action.REPLAY: Look("replay", 0, _ENDED, key="R", task=TaskSide("Replay from here", EXECUTION_STATES)),
    Action.RESUME: Look("resume", 1, (State.PAUSED,), key="u", task=TaskSide("Resume", run=(State.PAUSED,))),
    Action.RESUME_FROM_BREAKPOINT: Look("step", 1, (State.BREAKPOINT,), key="U"),
    Action.PAUSE: Look("pause-outline", 1, (State.RUNNING,), key="p"),
    Action.UNQUEUE: Look("unqueue", 1, (State.QUEUED,), key="Q"),
    Action.FORCE_RUN: Look("bolt", 1, (State.QUEUED, State.RETRYING), key="F"),
    Action.CHANGE_STATUS: Look("swap", 2, key="S"),
    Action.CHANGE_STATE: Look(
        "swap", None, task=TaskSide("Change state", tuple(s for s in _ENDED if s is not State.KILLED), (State.PAUSED,))
    ),
    Action.LABELS: Look("tag", 2, key="l"),
    Action.KILL: Look("kill", 3, _ALIVE, key="K"),
    Action.DELETE: Look("trash", 3, key="D"),
}


def described() -> list[dict[str, Any]]:
    """Every action as the browser knows it, in the order of menus."""
    return [_described(action, look) for action, look in LOOKS.items()]


def _described(action: Action, look: Look) -> dict[str, Any]:
    info, permission = ACTIONS[action], PERMISSIONS[action]
    known = msgspec.to_builtins(look)
    own = {name: getattr(info, name) for name in ("title", "danger", "bulk", "form", "quick")}
    allowed, insisted = ([state for state in State if state in some] for some in (info.allowed, info.insisted))
    who = {"least": permission.least.title, "permits": permission.title}
    return known | own | who | {"action": action.value, "allowed": allowed, "insisted": insisted}
