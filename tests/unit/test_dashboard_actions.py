"""Actions from the page: what is asked of the commands, and what the notices say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flask
import pytest
from flask_login import LoginManager, login_user

from dashboard.auth import Account
from dashboard.callbacks import acting
from dashboard.callbacks.action_facts import asked_for, gather
from dashboard.callbacks.action_request import Request, read
from dashboard.components.action_looks import LOOKS
from dashboard.services import Services
from engine.flow import parse
from engine.model import Execution, Hidden, StateChange, TaskRun
from engine.states import ACTIONS, Action, State, refusal
from streaming.commands import ExecutionNotFound, NotAllowed
from streaming.messages import Answer
from tests.dashboard_stubs import StubCommands, services
from tests.unit.reducer_world import START

FLOW = """
id: job
namespace: company.team
inputs:
  - {id: day, type: STRING, defaults: today}
  - {id: key, type: SECRET}
  - {id: db.host, type: STRING, required: false}
tasks:
  - {id: wait, type: io.kestra.plugin.core.flow.Pause, onResume: [{id: why, type: STRING}]}
  - {id: say, type: io.kestra.plugin.core.log.Log, message: hi}
"""
HISTORY = (StateChange(State.CREATED, START),)


def execution(state: State = State.FAILED, **more: Any) -> Execution:
    shown = {"day": "monday", "key": "******", "db": {"host": "h"}}
    known = {"inputs": shown, "hidden": Hidden(inputs={"key": "hush"}), **more}
    return Execution("a", "company.team", "job", 1, state, HISTORY, **known)


class Store:
    """One execution of one flow, in two revisions."""

    def __init__(self, known: Execution | None) -> None:
        self.known = known

    def execution(self, execution_id: str) -> Execution | None:
        return self.known

    row = execution

    def flow(self, namespace: str, flow_id: str, revision: int | None = None) -> Any:
        return SimpleNamespace(source=FLOW) if revision in (1, 2) else None

    def revisions(self, namespace: str, flow_id: str) -> list[Any]:
        return [SimpleNamespace(revision=1), SimpleNamespace(revision=2)]


def given(folder: Path, known: Execution | None = None) -> tuple[Services, StubCommands]:
    stubs = services(folder)
    commands: StubCommands = stubs.commands  # type: ignore[assignment]
    return replace(stubs, store=Store(known or execution())), commands  # type: ignore[arg-type]


@contextmanager
def signed_in(role: str = "operator") -> Iterator[None]:
    app = flask.Flask(__name__)
    app.secret_key = "x"
    LoginManager(app)
    with app.test_request_context():
        login_user(Account("ada", role))
        yield


@pytest.fixture(autouse=True)
def operator() -> Iterator[None]:
    with signed_in():
        yield


def test_one_execution_is_asked_for_or_many() -> None:
    assert read({"action": "kill", "ids": ["a"], "at": 1}) == Request(Action.KILL, ("a",))
    assert read({"action": "replay", "ids": ["a"], "taskRun": "t"}) == Request(Action.REPLAY, ("a",), None, "t")
    several = read({"action": "kill", "ids": ["a", "b", "a"], "many": True})
    assert several == Request(Action.KILL, ("a", "b"), many=True, count=2)
    matching = read({"action": "labels", "filters": "filters[state][IN]=FAILED", "count": 48_210, "many": True})
    assert matching == Request(Action.LABELS, (), "filters[state][IN]=FAILED", None, True, 48_210)
    assert matching.subject == "48\u202f210 executions"


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "x",
        {},
        {"action": "explode", "ids": ["a"]},
        {"action": "kill", "ids": []},
        {"action": "kill"},
        {"action": "kill", "ids": ["a", "b"]},
        {"action": "kill", "filters": ""},
        {"action": "change-state", "ids": ["a"], "many": True},
    ],
)
def test_anything_else_is_no_request(wrong: Any) -> None:
    assert read(wrong) is None


def test_an_action_is_asked_for_and_its_answer_told(tmp_path: Path) -> None:
    stubs, commands = given(tmp_path)
    request = Request(Action.KILL, ("a",))
    outcome = acting.act(stubs, request, {"cascade": False}, {}, "too slow")
    assert commands.calls == [(Action.KILL, "a", {"actor": "ada", "reason": "too slow", "cascade": False})]
    assert outcome == acting.Outcome()
    assert acting.told(request, outcome)["title"] == "Kill done"


def test_a_refusal_by_the_executor_says_the_state_it_is_in_now(tmp_path: Path) -> None:
    stubs, commands = given(tmp_path)
    commands.answer = Answer("event-1", Action.RESTART, "Nothing failed in it.")
    request = Request(Action.RESTART, ("a",))
    outcome = acting.act(stubs, request, {}, {}, None)
    assert outcome.refused == "Nothing failed in it. The execution is FAILED now."
    notice = acting.told(request, outcome)
    assert (notice["title"], notice["autoClose"]) == ("Restart refused", False)
    why = refusal(Action.PAUSE, State.FAILED) or ""
    commands.answer = Answer("event-1", Action.PAUSE, why)
    assert acting.act(stubs, Request(Action.PAUSE, ("a",)), {}, {}, None).refused == why


def test_no_answer_in_time_is_no_refusal(tmp_path: Path) -> None:
    stubs, commands = given(tmp_path)
    commands.answer = None
    outcome = acting.act(stubs, Request(Action.PAUSE, ("a",)), {}, {}, None)
    assert outcome.late
    assert "done or refused when it comes to it" in acting.told(Request(Action.PAUSE, ("a",)), outcome)["message"]


def test_what_the_commands_refuse_is_told(tmp_path: Path) -> None:
    from data import StoreUnavailable

    stubs, commands = given(tmp_path)
    why = refusal(Action.PAUSE, State.FAILED) or ""
    for error, words in (
        (NotAllowed(Action.PAUSE, State.FAILED, why), why),
        (ExecutionNotFound("There is no execution a."), "There is no execution a."),
        (StoreUnavailable("locked"), acting.AWAY),
    ):
        commands.refuse = {"a": error}
        assert acting.act(stubs, Request(Action.PAUSE, ("a",)), {}, {}, None).refused == words


def test_a_viewer_is_refused_by_the_server_too(tmp_path: Path) -> None:
    stubs, commands = given(tmp_path)
    with signed_in("viewer"):
        outcome = acting.act(stubs, Request(Action.KILL, ("a",)), {}, {}, None)
        assert "you need the role operator in company.team; yours is viewer" in (outcome.refused or "")
        assert "yours is viewer" in (acting.may_not(stubs, Request(Action.KILL, ("a",), many=True)) or "")
    assert commands.calls == []


def test_a_replay_takes_the_inputs_of_its_form_and_hidden_ones_as_they_were(tmp_path: Path) -> None:
    stubs, commands = given(tmp_path)
    request = Request(Action.REPLAY, ("a",))
    outcome = acting.act(stubs, request, {"revision": 1}, {"day": "friday"}, None)
    ((_, _, details),) = commands.calls
    assert details["inputs"] == {"day": "friday", "key": "hush", "db": {"host": None}}
    assert details["new_id"] == outcome.made
    assert "revision" not in details  # its own: nothing is chosen
    assert f"/executions/{outcome.made}" in str(acting.told(request, outcome)["message"])


def test_a_replay_from_a_task_takes_no_inputs_and_another_revision_is_told(tmp_path: Path) -> None:
    stubs, commands = given(tmp_path)
    acting.act(stubs, Request(Action.REPLAY, ("a",), None, "t"), {"revision": 2}, {"day": "friday"}, None)
    ((_, _, details),) = commands.calls
    assert "inputs" not in details
    assert (details["task_run_id"], details["revision"]) == ("t", 2)


def test_a_restart_makes_an_execution_only_in_another_revision(tmp_path: Path) -> None:
    stubs, commands = given(tmp_path)
    assert acting.act(stubs, Request(Action.RESTART, ("a",)), {"revision": 1}, {}, None).made is None
    assert acting.act(stubs, Request(Action.RESTART, ("a",)), {"revision": 2}, {}, None).made is not None
    assert "new_id" not in commands.calls[0][2]


def test_the_form_has_the_inputs_as_they_were_and_never_a_secret(tmp_path: Path) -> None:
    stubs, _ = given(tmp_path)
    facts = gather(stubs, Request(Action.REPLAY, ("a",)))
    found = {item.id: item for item in facts.inputs}
    assert (found["day"].defaults, found["db.host"].defaults) == ("monday", "h")
    assert (found["key"].defaults, found["key"].required) == (None, False)
    assert facts.revisions == (1, 2)
    assert gather(stubs, Request(Action.REPLAY, ("a",), None, "t")).inputs == ()
    assert gather(stubs, Request(Action.REPLAY, ("a",)), 9).flow is None
    assert gather(stubs, Request(Action.REPLAY, many=True)).revisions == ()


def test_a_paused_task_asks_for_its_inputs_unless_it_was_paused_by_hand() -> None:
    flow = parse(FLOW)
    runs = {"t": TaskRun("t", "wait", State.PAUSED, HISTORY)}
    request = Request(Action.RESUME, ("a",))
    assert [item.id for item in asked_for(execution(State.PAUSED, task_runs=runs), request, flow)] == ["why"]
    assert asked_for(execution(State.PAUSED, task_runs=runs, paused_by_hand=True), request, flow) == ()
    other = Request(Action.RESUME, ("a",), None, "another")
    assert asked_for(execution(State.PAUSED, task_runs=runs), other, flow) == ()


def test_a_task_run_is_resumed_by_a_change_of_its_own_state(tmp_path: Path) -> None:
    """So that it goes on also while another branch has stopped the execution at a breakpoint."""
    for state in (State.PAUSED, State.BREAKPOINT):
        runs = {"t": TaskRun("t", "wait", State.PAUSED, HISTORY)}
        stubs, commands = given(tmp_path, execution(state, task_runs=runs))
        request = Request(Action.RESUME, ("a",), None, "t")
        assert [item.id for item in gather(stubs, request).inputs] == ["why"]
        acting.act(stubs, request, {}, {"why": "late"}, None)
        ((action, _, details),) = commands.calls
        assert action is Action.CHANGE_STATE
        assert (details["task_run_id"], details["state"], details["inputs"]) == ("t", State.RUNNING, {"why": "late"})
        assert acting.told(request, acting.Outcome())["title"] == "Resume done"


def test_what_is_offered_of_a_paused_task_run_works_whatever_the_execution_does() -> None:
    offered = LOOKS[Action.RESUME].task
    assert offered is not None
    command = Request(Action.RESUME, ("a",), None, "t").command
    may_hold_a_pause = {State.RUNNING, State.PAUSED, State.RETRYING, State.BREAKPOINT}
    assert may_hold_a_pause <= ACTIONS[command].allowed
    assert State.RUNNING in ACTIONS[command].targets
    assert offered.run == (State.PAUSED,)


def test_inputs_that_do_not_fit_are_told_at_their_fields(tmp_path: Path) -> None:
    paused = execution(State.PAUSED, task_runs={"t": TaskRun("t", "wait", State.PAUSED, HISTORY)})
    stubs, commands = given(tmp_path, paused)
    outcome = acting.act(stubs, Request(Action.RESUME, ("a",)), {}, {}, None)
    assert outcome.wrong == {"why": "expected a value, came none"}
    assert commands.calls == []
