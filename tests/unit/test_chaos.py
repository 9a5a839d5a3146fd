"""The fault harness: which histories are equal, and where a page's frames belong."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.chaos.fold import Fold
from benchmarks.chaos.paths import path_of, run_path_of
from benchmarks.chaos.watcher import Subscription
from engine.model import Attempt, Execution, StateChange, TaskRun
from engine.states import State

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def changes(states: str) -> tuple[StateChange, ...]:
    return tuple(StateChange(State(state), NOW) for state in states.split())


@pytest.mark.parametrize(
    ("states", "attempts", "path"),
    [
        ("CREATED SUBMITTED RUNNING SUCCESS", "SUCCESS", "CREATED SUBMITTED RUNNING SUCCESS"),
        (
            "CREATED SUBMITTED RUNNING SUBMITTED RUNNING SUCCESS",
            "RESUBMITTED SUCCESS",
            "CREATED SUBMITTED RUNNING SUCCESS",
        ),
        (
            "CREATED SUBMITTED RUNNING SUBMITTED RUNNING SUCCESS",
            "SUCCESS",
            "CREATED SUBMITTED RUNNING SUBMITTED RUNNING SUCCESS",
        ),
        (
            "CREATED SUBMITTED RUNNING RETRYING SUBMITTED RUNNING SUBMITTED RUNNING FAILED",
            "FAILED RESUBMITTED FAILED",
            "CREATED SUBMITTED RUNNING RETRYING SUBMITTED RUNNING FAILED",
        ),
        ("CREATED SUBMITTED RUNNING KILLING KILLED", "KILLED", "CREATED KILLED"),
    ],
)
def test_the_states_of_a_task_run_are_those_without_a_dead_worker(states: str, attempts: str, path: str) -> None:
    history = changes(states)
    tried = tuple(Attempt(number, State(state)) for number, state in enumerate(attempts.split(), 1))
    assert run_path_of(TaskRun("r", "a", history[-1].state, history, attempts=tried)) == path.split()


def test_whether_an_execution_had_to_wait_makes_no_difference() -> None:
    history = changes("CREATED QUEUED RUNNING SUCCESS")
    assert path_of(Execution("e", "n", "f", 1, State.SUCCESS, history)) == ["CREATED", "RUNNING", "SUCCESS"]


class Heard(Fold):
    topic = "executions"

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    def begin(self, snapshot: Any) -> None:
        self.heard = [snapshot]

    def take(self, item: dict[str, Any]) -> None:
        self.heard.append(item)

    def differences(self, store: Any) -> list[str]:
        return []


def test_a_page_comes_back_with_its_cursor_and_folds_early_frames_behind_the_answer() -> None:
    fold = Heard()
    one = Subscription(fold)
    one.frame({"cursor": "2-0", "mark": "m.2", "items": ["early"]})
    assert one.answer({"ok": True, "cursor": "1-0", "mark": "m.1", "snapshot": json.dumps("all")}) == "snapshot"
    assert fold.heard == ["all", "early"]
    one.cut()
    assert one.wish("7") == {"sub": "7", "topic": "executions", "params": {}, "cursor": "2-0", "mark": "m.2"}
    assert one.answer({"ok": False, "error": "database away"}) == "refused"
    assert not one.answered
    assert one.answer({"ok": True, "cursor": "3-0", "mark": "m.3", "resumed": 1, "items": '["missed"]'}) == "resumed"
    assert fold.heard == ["all", "early", "missed"]
