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
    """What an operator can do to one execution."""

    RESTART = "restart"
    KILL = "kill"
    PAUSE = "pause"
    RESUME = "resume"


class ActionInfo(msgspec.Struct, frozen=True):
    """An action: its words on buttons, and the execution states in which it works."""

    action: Action
    title: str
    allowed: frozenset[State]
    danger: bool


ACTIONS: dict[Action, ActionInfo] = {
    info.action: info
    for info in (
        ActionInfo(
            Action.RESTART,
            "Restart",
            frozenset({State.WARNING, State.FAILED, State.KILLED, State.CANCELLED, State.PAUSED}),
            False,
        ),
        ActionInfo(Action.KILL, "Kill", NON_TERMINAL_EXECUTION, True),
        ActionInfo(Action.PAUSE, "Pause", frozenset({State.RUNNING}), False),
        ActionInfo(Action.RESUME, "Resume", frozenset({State.PAUSED}), False),
    )
}


def refusal(action: Action, state: State) -> str | None:
    """Why ``action`` can't be done in ``state``; ``None`` when it can."""
    info = ACTIONS[action]
    if state in info.allowed:
        return None
    allowed = ", ".join(s for s in State if s in info.allowed)
    return f"{info.title} works in {allowed}; the execution is {state} now."


def worst(states: list[State]) -> State | None:
    """The state of highest severity, ``None`` for an empty list."""
    return max(states, key=lambda s: STATES[s].severity, default=None)
