"""State histories without dates and without what depends on when something happened: equal in every run."""

from __future__ import annotations

from itertools import pairwise

from engine.model import Attempt, Execution, TaskRun
from engine.states import State

_BEFORE_A_KILL = {State.SUBMITTED, State.RUNNING, State.KILLING}


def path_of(execution: Execution) -> list[str]:
    """The states of an execution in order; whether it had to wait for a slot depends on the others."""
    return [change.state.value for change in execution.history if change.state is not State.QUEUED]


def run_path_of(run: TaskRun) -> list[str]:
    """The states of a task run in order, as if no worker had died; how far a killed one had come is left out."""
    states = [change.state for change in run.history]
    if run.state is State.KILLED:
        return [state.value for state in states if state not in _BEFORE_A_KILL]
    for _ in range(len(run.attempts) - len(attempts_of(run))):
        states = _given_out_once_less(states)
    return [state.value for state in states]


def _given_out_once_less(states: list[State]) -> list[State]:
    """Without the first RUNNING that SUBMITTED follows: only a RESUBMITTED attempt leads from one to the other."""
    for at, pair in enumerate(pairwise(states)):
        if pair == (State.RUNNING, State.SUBMITTED):
            return states[:at] + states[at + 2 :]
    return states


def attempts_of(run: TaskRun) -> list[Attempt]:
    """Its attempts but those whose workers died."""
    return [attempt for attempt in run.attempts if attempt.state is not State.RESUBMITTED]
