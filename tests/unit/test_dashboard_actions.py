"""Actions from the page: what is asked of the commands, and what the notices say."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.callbacks import actions
from engine.states import Action, State, refusal
from streaming.commands import ExecutionNotFound, NotAllowed
from tests.dashboard_stubs import StubCommands, services


def test_only_known_actions_on_some_ids_are_requests() -> None:
    assert actions.read({"action": "kill", "ids": ["a", "b", "a"], "at": 1}) == actions.Request(Action.KILL, ("a", "b"))
    for wrong in (
        None,
        {},
        {"action": "explode", "ids": ["a"]},
        {"action": "kill", "ids": []},
        {"action": "kill"},
        "x",
    ):
        assert actions.read(wrong) is None


def test_each_execution_gets_its_own_result(tmp_path: Path) -> None:
    given = services(tmp_path)
    commands: StubCommands = given.commands  # type: ignore[assignment]
    why = refusal(Action.PAUSE, State.FAILED) or ""
    commands.refuse = {
        "b": NotAllowed(Action.PAUSE, State.FAILED, why),
        "c": NotAllowed(Action.PAUSE, State.FAILED, why),
    }
    commands.refuse["d"] = ExecutionNotFound("There is no execution d.")
    notices = actions.perform(given, actions.Request(Action.PAUSE, ("a", "b", "c", "d")), "ada", "too early")
    assert commands.calls == [(Action.PAUSE, "a", {"actor": "ada", "reason": "too early"})]
    asked, refused = notices
    assert asked["message"] == "1 of 4 executions"
    assert refused["message"] == f"b and 1 more: {why} d: There is no execution d."
    assert refused["autoClose"] is False


def test_a_database_away_is_said_and_nothing_raised(tmp_path: Path) -> None:
    from data import StoreUnavailable

    given = services(tmp_path)
    given.commands.refuse = {"a": StoreUnavailable("locked")}  # type: ignore[attr-defined]
    (notice,) = actions.perform(given, actions.Request(Action.RESUME, ("a",)), "ada", None)
    assert "can't be reached; nothing was changed" in notice["message"]


@pytest.mark.parametrize(("ids", "words"), [(("a",), "Kill execution a?"), (("a", "b"), "Kill 2 executions?")])
def test_the_question_names_what_is_killed(ids: tuple[str, ...], words: str) -> None:
    assert actions.question(actions.Request(Action.KILL, ids))[0] == words
