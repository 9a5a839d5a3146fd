"""Retention's event: what has ended long enough ago goes, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.model import Execution, StateChange
from engine.reducer import apply
from engine.states import EXECUTION_STATES, TERMINAL, State
from streaming import codec
from streaming.messages import ExecutionExpired
from tests.unit.reducer_world import ENV, START

LATER = START + timedelta(days=1)


def execution(state: State) -> Execution:
    return Execution("x", "n", "f", 1, state, (StateChange(State.CREATED, START), StateChange(state, START)), 2)


@pytest.mark.parametrize("state", EXECUTION_STATES)
def test_what_has_ended_goes_and_what_has_not_stays(state: State) -> None:
    given = execution(state)
    applied = apply(given, ExecutionExpired("e", "x", LATER, LATER), None, ENV)
    assert applied.execution is (None if state in TERMINAL else given)


def test_what_ended_again_since_it_was_chosen_stays() -> None:
    given = execution(State.SUCCESS)
    assert apply(given, ExecutionExpired("e", "x", LATER, START), None, ENV).execution is given


def test_what_is_gone_already_is_no_matter() -> None:
    assert apply(None, ExecutionExpired("e", "x", LATER, LATER), None, ENV).execution is None


def test_it_travels_like_every_event() -> None:
    event = ExecutionExpired("e", "x", LATER, LATER)
    assert codec.decode_event(codec.encode(event)) == event
