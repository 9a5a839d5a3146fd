"""States and actions, declared once: the reducer, the API, the buttons and the tests read this module.

Source of the rules: the state and action tables in docs/states.md.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """State of an execution or a task run."""

    CREATED = "CREATED"
    SUBMITTED = "SUBMITTED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    RESTARTED = "RESTARTED"
    KILLING = "KILLING"
    QUEUED = "QUEUED"
    RETRYING = "RETRYING"
    BREAKPOINT = "BREAKPOINT"
    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    FAILED = "FAILED"
    KILLED = "KILLED"
    CANCELLED = "CANCELLED"
    RETRIED = "RETRIED"
    SKIPPED = "SKIPPED"
    RESUBMITTED = "RESUBMITTED"


class StateInfo(msgspec.Struct, frozen=True):
    """What everyone needs to know of one state.

    ``severity`` orders states for "the worst of these" (higher is worse). ``token`` names the CSS colour
    variable (``--state-<token>``), ``shape`` the glyph drawn beside it: a state is never colour alone.
    """

    state: State
    terminal: bool
    of_execution: bool
    of_task_run: bool
    token: str
    shape: str
    letter: str
    severity: int


_TABLE = (
    #          state        terminal  E      T      token       shape        letter  severity
    StateInfo(State.CREATED, False, True, True, "waiting", "circle", "C", 1),
    StateInfo(State.SUBMITTED, False, False, True, "waiting", "circle", "U", 1),
    StateInfo(State.QUEUED, False, True, False, "waiting", "circle", "Q", 1),
    StateInfo(State.RESTARTED, False, True, True, "waiting", "circle", "A", 1),
    StateInfo(State.RUNNING, False, True, True, "running", "play", "R", 2),
    StateInfo(State.RETRYING, False, True, True, "retrying", "cycle", "Y", 5),
    StateInfo(State.PAUSED, False, True, True, "paused", "pause", "P", 3),
    StateInfo(State.BREAKPOINT, False, True, False, "paused", "pause", "B", 3),
    StateInfo(State.KILLING, False, True, True, "killed", "stop", "K", 6),
    StateInfo(State.SUCCESS, True, True, True, "success", "check", "S", 0),
    StateInfo(State.WARNING, True, True, True, "warning", "triangle", "W", 7),
    StateInfo(State.FAILED, True, True, True, "failed", "cross", "F", 9),
    StateInfo(State.KILLED, True, True, True, "killed", "stop", "K", 8),
    StateInfo(State.CANCELLED, True, True, True, "skipped", "slash", "X", 4),
    StateInfo(State.RETRIED, True, True, True, "retrying", "cycle", "Y", 1),
    StateInfo(State.SKIPPED, True, False, True, "skipped", "slash", "–", 0),
    StateInfo(State.RESUBMITTED, True, False, True, "retrying", "cycle", "Y", 1),
)

STATES: dict[State, StateInfo] = {info.state: info for info in _TABLE}
TERMINAL: frozenset[State] = frozenset(s for s, info in STATES.items() if info.terminal)
EXECUTION_STATES: tuple[State, ...] = tuple(s for s, info in STATES.items() if info.of_execution)
NON_TERMINAL_EXECUTION: frozenset[State] = frozenset(EXECUTION_STATES) - TERMINAL
BAD_ENDS: frozenset[State] = frozenset({State.FAILED, State.KILLED, State.CANCELLED})


class Action(StrEnum):
    """What an operator can do to one execution, as it is written on the wire."""

    RESTART = "restart"
    REPLAY = "replay"
    KILL = "kill"
    PAUSE = "pause"
    RESUME = "resume"
    FORCE_RUN = "force-run"
    UNQUEUE = "unqueue"
    CHANGE_STATUS = "change-status"
    CHANGE_STATE = "change-state"
    LABELS = "labels"
    DELETE = "delete"
    RESUME_FROM_BREAKPOINT = "resume-from-breakpoint"


class ActionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An action: its words on buttons, and the execution states in which it works.

    ``targets`` are the states it can be asked to lead to (empty: it asks for none). ``insisted`` are states in which
    it works only when it is asked for expressly (``include_non_terminated``), ``seldom`` those in which it works where
    the reducer finds something to do, which is not the rule: there it is neither offered nor promised. ``danger``: it
    destroys something, or runs something twice, so it is confirmed first. ``bulk``: it is offered on many. ``form``: it
    needs a dialog for its details. ``quick``: it has a button of its own beside rows, the others are in menus.
    """

    action: Action
    title: str
    allowed: frozenset[State]
    targets: tuple[State, ...] = ()
    insisted: frozenset[State] = frozenset()
    seldom: frozenset[State] = frozenset()
    danger: bool = False
    bulk: bool = True
    form: bool = False
    quick: bool = False


_ANY = frozenset(EXECUTION_STATES)
_ENDED = _ANY & TERMINAL
_TASK_RUN_MAY_BE_PAUSED = frozenset({State.RUNNING, State.PAUSED, State.RETRYING, State.BREAKPOINT})
_SELDOM_LEFT = frozenset({State.SUCCESS, State.RETRIED})  # ends that seldom leave something to run again
_RESTARTABLE = (_ENDED - _SELDOM_LEFT) | {State.PAUSED}

ACTIONS: dict[Action, ActionInfo] = {
    info.action: info
    for info in (
        ActionInfo(action=Action.RESTART, title="Restart", allowed=_RESTARTABLE, seldom=_SELDOM_LEFT, quick=True),
        ActionInfo(action=Action.REPLAY, title="Replay", allowed=_ANY, form=True),
        ActionInfo(action=Action.KILL, title="Kill", allowed=NON_TERMINAL_EXECUTION, danger=True, quick=True),
        ActionInfo(action=Action.PAUSE, title="Pause", allowed=frozenset({State.RUNNING}), quick=True),
        ActionInfo(action=Action.RESUME, title="Resume", allowed=frozenset({State.PAUSED}), quick=True),
        ActionInfo(
            action=Action.FORCE_RUN,
            title="Force run",
            allowed=NON_TERMINAL_EXECUTION - {State.KILLING},
            danger=True,
        ),
        ActionInfo(
            action=Action.UNQUEUE,
            title="Unqueue",
            allowed=frozenset({State.QUEUED}),
            targets=(State.RUNNING, State.CANCELLED, State.FAILED),
            form=True,
        ),
        ActionInfo(
            action=Action.CHANGE_STATUS,
            title="Change status",
            allowed=_ENDED - {State.KILLED},
            targets=(State.SUCCESS, State.WARNING, State.FAILED, State.KILLED, State.CANCELLED),
            form=True,
        ),
        ActionInfo(
            action=Action.CHANGE_STATE,
            title="Change task state",
            allowed=(_ENDED - {State.KILLED}) | _TASK_RUN_MAY_BE_PAUSED,
            targets=(State.SUCCESS, State.WARNING, State.FAILED, State.RUNNING),
            bulk=False,
            form=True,
        ),
        ActionInfo(action=Action.LABELS, title="Set labels", allowed=_ANY, form=True),
        ActionInfo(
            action=Action.DELETE,
            title="Delete",
            allowed=_ENDED,
            insisted=NON_TERMINAL_EXECUTION,
            danger=True,
            form=True,
        ),
        ActionInfo(
            action=Action.RESUME_FROM_BREAKPOINT,
            title="Resume from breakpoint",
            allowed=frozenset({State.BREAKPOINT}),
        ),
    )
}


def works_in(action: Action, *, insist: bool = False, surely: bool = False) -> frozenset[State]:
    """The states in which ``action`` can be done: those in which it ``surely`` can, or also those where it seldom can;
    also those in which the caller must ``insist``."""
    info = ACTIONS[action]
    return info.allowed | (info.insisted if insist else frozenset()) | (frozenset() if surely else info.seldom)


def refusal(action: Action, state: State, *, insist: bool = False, surely: bool = False) -> str | None:
    """Why ``action`` can't (``surely``: or seldom can) be done in ``state``; ``None`` when it can."""
    works = works_in(action, insist=insist, surely=surely)
    if state in works:
        return None
    allowed = ", ".join(s for s in State if s in works)
    return f"{ACTIONS[action].title} works in {allowed}; the execution is {state} now."


def wrong_target(action: Action, state: State | None) -> str | None:
    """Why ``action`` can't lead to ``state``; ``None`` when it can."""
    info = ACTIONS[action]
    if state in info.targets:
        return None
    return f"{info.title} leads to {', '.join(info.targets)}; {state or 'no state'} was asked for."


def worst(states: list[State]) -> State | None:
    """The state of highest severity, ``None`` for an empty list."""
    return max(states, key=lambda s: STATES[s].severity, default=None)
