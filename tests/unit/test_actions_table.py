"""The table of actions, and the messages that carry them."""

from __future__ import annotations

import msgspec
import pytest

from engine.states import ACTIONS, EXECUTION_STATES, STATES, Action, State, refusal, works_in
from streaming.messages import ActionDetails, ActionRequested


def test_an_event_carries_every_detail() -> None:
    details = {field.name: (field.type, field.default) for field in msgspec.structs.fields(ActionDetails)}
    event = {field.name: (field.type, field.default) for field in msgspec.structs.fields(ActionRequested)}
    assert details.items() <= event.items()


@pytest.mark.parametrize("action", list(Action))
def test_an_action_is_about_states_of_executions(action: Action) -> None:
    info = ACTIONS[action]
    assert info.allowed | info.insisted | info.seldom <= set(EXECUTION_STATES)
    assert info.allowed
    assert not info.allowed & (info.insisted | info.seldom)
    assert all(STATES[state].of_execution for state in info.targets)


@pytest.mark.parametrize("action", list(Action))
def test_a_refusal_names_the_states_it_works_in(action: Action) -> None:
    for state in EXECUTION_STATES:
        why = refusal(action, state)
        assert (why is None) == (state in works_in(action))
        assert why is None or (state in why and all(one in why for one in works_in(action)))


def test_restart_is_promised_only_where_something_is_surely_left() -> None:
    assert refusal(Action.RESTART, State.SUCCESS) is None
    assert "SUCCESS now" in str(refusal(Action.RESTART, State.SUCCESS, surely=True))
    assert refusal(Action.RESTART, State.FAILED, surely=True) is None


def test_delete_ends_what_runs_only_when_it_is_asked_to() -> None:
    assert "RUNNING now" in str(refusal(Action.DELETE, State.RUNNING))
    assert refusal(Action.DELETE, State.RUNNING, insist=True) is None
    assert "RUNNING now" in str(refusal(Action.RESTART, State.RUNNING, insist=True))
