"""How ends of task runs become the end of what holds them."""

from __future__ import annotations

from engine.reducer.plan import Node
from engine.states import BAD_ENDS, State

_RANK = {State.WARNING: 1, State.CANCELLED: 2, State.FAILED: 3, State.KILLED: 4}

HANDLED = frozenset({State.FAILED, State.CANCELLED})
"""Bad ends that an ``errors`` branch handles."""


def worse(verdict: State, state: State) -> State:
    """The verdict after one more end: KILLED > FAILED > CANCELLED > WARNING > SUCCESS; SKIPPED is a success."""
    return state if _RANK.get(state, 0) > _RANK.get(verdict, 0) else verdict


def is_bad(state: State) -> bool:
    """Whether nothing may go on after an end in this state."""
    return state in BAD_ENDS


def allowed_end(node: Node, state: State) -> State:
    """The end of a task run of ``node`` under its allowFailure and allowWarning."""
    if state is State.FAILED and node.allow_failure:
        state = State.WARNING
    if state is State.WARNING and node.allow_warning:
        state = State.SUCCESS
    return state
