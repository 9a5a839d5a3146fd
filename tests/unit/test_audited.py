"""What the audit keeps of actions: how it was, what was asked, and what of its outcome has a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from engine.model import Execution, StateChange, TaskRun
from engine.states import Action, State
from streaming.audited import outcome, told, was
from streaming.messages import ActionDetails, ActionRequested

AT = datetime(2026, 1, 1, tzinfo=UTC)
RUN = TaskRun("tr", "task", State.FAILED, (StateChange(State.CREATED, AT),))
BEFORE = Execution(
    id="ex",
    namespace="company.team",
    flow_id="hello",
    revision=1,
    state=State.RUNNING,
    history=(StateChange(State.CREATED, AT),),
    version=1,
    changed_at=AT,
    labels={"env": "prod", "system.replay": "true"},
)


def asked(action: Action, **details: Any) -> ActionRequested:
    return ActionRequested("ev", BEFORE.id, AT, action, "ada", "drill", **details)


@pytest.mark.parametrize(
    ("action", "task_run", "found"),
    [
        (Action.KILL, False, {"state": "RUNNING"}),
        (Action.LABELS, False, {"labels": {"env": "prod"}}),
        (Action.CHANGE_STATE, True, {"state": "FAILED"}),
        (Action.CHANGE_STATE, False, {"state": "RUNNING"}),
        (Action.RESUME, True, {"state": "RUNNING"}),
    ],
)
def test_before_is_what_the_action_may_change(action: Action, task_run: bool, found: dict[str, Any]) -> None:
    assert was(action, BEFORE.state, BEFORE.labels, RUN if task_run else None) == found


def test_of_inputs_only_the_names_are_kept() -> None:
    assert told(ActionDetails(inputs={"b": "hush", "a": 1}, operation="op")) == {"inputs": ["a", "b"]}
    assert told(ActionDetails()) is None


@pytest.mark.parametrize(
    ("event", "refused", "row"),
    [
        (asked(Action.KILL), None, None),
        (asked(Action.KILL), "too late", ("executor", {"state": "RUNNING"}, {"refused": "too late"})),
        (asked(Action.KILL, operation="op"), "too late", None),
        (asked(Action.KILL, operation="op"), None, ("op", {"state": "RUNNING"}, {"state": "KILLED"})),
        (
            asked(Action.LABELS, operation="op", labels={"env": "test"}),
            None,
            ("op", {"labels": {"env": "prod"}}, {"labels": {"env": "test"}}),
        ),
    ],
)
def test_an_outcome_has_a_row_where_no_other_row_tells_it(
    event: ActionRequested, refused: str | None, row: tuple[str, Any, Any] | None
) -> None:
    now = msgspec.structs.replace(BEFORE, state=State.KILLED)
    found = outcome(event, BEFORE, now, refused)
    if row is None:
        assert found is None
        return
    assert found is not None
    assert (found.actor, found.action, found.target, found.reason) == ("ada", event.action.value, BEFORE.id, "drill")
    assert (found.origin, found.before, found.after) == row


def test_what_is_deleted_has_no_state_any_more() -> None:
    found = outcome(asked(Action.DELETE, operation="op", removes=("logs",)), BEFORE, None, None)
    assert found is not None
    assert found.after == {"removes": ("logs",)}
