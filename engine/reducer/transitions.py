"""Which state may follow which. Whatever the reducer does is held against these tables.

Runs reported by others (``reported.py``) are not: they come as they come.
"""

from __future__ import annotations

from engine.states import State

S = State
_OPEN_ENDS = frozenset({S.SUCCESS, S.WARNING, S.FAILED, S.CANCELLED})
_AGAIN = frozenset({S.RESTARTED, S.RUNNING})

TASK_RUN: dict[State, frozenset[State]] = {
    S.CREATED: frozenset({S.SUBMITTED, S.RUNNING, S.SKIPPED, S.FAILED, S.WARNING, S.SUCCESS, S.KILLED}),
    S.SUBMITTED: frozenset({S.RUNNING, S.RETRYING, S.KILLING, S.KILLED, *_OPEN_ENDS}),
    S.RUNNING: frozenset({S.SUBMITTED, S.PAUSED, S.RETRYING, S.KILLING, S.KILLED, S.RETRIED, *_OPEN_ENDS}),
    S.PAUSED: frozenset({S.KILLED, S.RESTARTED, *_OPEN_ENDS}),
    S.RETRYING: frozenset({S.SUBMITTED, S.RUNNING, S.KILLED, S.RETRIED, S.FAILED, S.WARNING, S.SUCCESS}),
    S.RESTARTED: frozenset({S.SUBMITTED, S.RUNNING, S.SKIPPED, S.FAILED, S.WARNING, S.SUCCESS, S.KILLED}),
    S.KILLING: frozenset({S.KILLED, S.SUCCESS, S.WARNING}),
    S.SUCCESS: frozenset({S.RUNNING}),  # a flowable whose descendants run again
    S.WARNING: _AGAIN,
    S.FAILED: _AGAIN,
    S.KILLED: _AGAIN,
    S.CANCELLED: _AGAIN,
    S.RETRIED: _AGAIN,
}

EXECUTION: dict[State, frozenset[State]] = {
    S.CREATED: frozenset({S.RUNNING, S.QUEUED, S.FAILED, S.KILLING, S.CANCELLED}),
    S.QUEUED: frozenset({S.RUNNING, S.FAILED, S.KILLING, S.CANCELLED}),
    S.RUNNING: frozenset({S.PAUSED, S.RETRYING, S.BREAKPOINT, S.KILLING, S.KILLED, S.RETRIED, *_OPEN_ENDS}),
    S.PAUSED: frozenset(
        {S.RUNNING, S.RETRYING, S.BREAKPOINT, S.KILLING, S.RESTARTED, S.KILLED, S.RETRIED, *_OPEN_ENDS}
    ),
    S.RETRYING: frozenset({S.RUNNING, S.PAUSED, S.BREAKPOINT, S.KILLING, S.RETRIED, S.KILLED, *_OPEN_ENDS}),
    S.BREAKPOINT: frozenset({S.RUNNING, S.PAUSED, S.RETRYING, S.KILLING, S.KILLED}),
    S.RESTARTED: frozenset({S.RUNNING, S.QUEUED, S.FAILED, S.KILLING, S.CANCELLED}),
    S.KILLING: frozenset({S.KILLED, S.FAILED, S.CANCELLED}),
    S.SUCCESS: frozenset({S.RESTARTED}),
    S.WARNING: frozenset({S.RESTARTED}),
    S.FAILED: frozenset({S.RESTARTED}),
    S.KILLED: frozenset({S.RESTARTED}),
    S.CANCELLED: frozenset({S.RESTARTED}),
    S.RETRIED: frozenset({S.RESTARTED}),
}


_GIVEN = frozenset({S.SUCCESS, S.WARNING, S.FAILED, S.CANCELLED})
EXECUTION_BY_HAND: dict[State, frozenset[State]] = dict.fromkeys(_GIVEN | {S.RETRIED}, _GIVEN | {S.KILLED})
"""What a person may make of an end, and what follows from an end of a task run that a person gave."""

TASK_RUN_BY_HAND: dict[State, frozenset[State]] = {
    **dict.fromkeys(_GIVEN | {S.KILLED, S.SKIPPED}, _GIVEN),
    S.PAUSED: frozenset({S.RUNNING}),
}
"""Likewise for task runs, and for those that hold them. One that is PAUSED ends as it does on its own."""


class IllegalTransition(RuntimeError):
    """The reducer tried a change of state that its table forbids: a bug, and the event changes nothing."""

    def __init__(self, what: str, before: State, after: State) -> None:
        super().__init__(f"{what}: {before} → {after} is not allowed")


def check(table: dict[State, frozenset[State]], what: str, before: State, after: State) -> None:
    """Raises ``IllegalTransition`` when ``after`` may not follow ``before``."""
    if after not in table.get(before, ()):
        raise IllegalTransition(what, before, after)
