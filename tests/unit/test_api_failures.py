"""What the API answers when the executor is late or refuses, and when the database or Redis is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient
from flask_login import LoginManager, UserMixin
from redis.exceptions import ConnectionError as RedisAway

from dashboard import api
from dashboard.accounts import Account
from dashboard.api import follow, shapes, sse
from dashboard.api.logins import Logins
from dashboard.api.spec import BASE
from data import StoreUnavailable
from data.records import StoredFlow
from engine.model import Attempt, Execution, StateChange, TaskRun, evolve
from engine.states import Action, State
from streaming.messages import Answer
from streaming.metrics import Meter
from streaming.rows import row_of
from tests.dashboard_stubs import StubBus
from watchfloor.settings import Settings

START = datetime(2026, 3, 14, 15, 9, 26, 535000, UTC)


def execution(*states: State) -> Execution:
    """An execution that went through states, a second each."""
    history = tuple(StateChange(state, START + timedelta(seconds=n)) for n, state in enumerate(states))
    return Execution("e1", "company", "flow", 3, states[-1], history, version=len(states))


class Store:
    """One execution; ``away`` makes every method fail."""

    def __init__(self) -> None:
        self.item = execution(State.CREATED, State.RUNNING)
        self.away = False

    def load(self, execution_id: str) -> Execution | None:
        self._reach()
        return self.item if execution_id == "e1" else None

    def row(self, execution_id: str) -> Any:
        found = self.load(execution_id)
        return row_of(found) if found else None

    def flow(self, namespace: str, flow_id: str, revision: int | None = None, **_: Any) -> StoredFlow | None:
        self._reach()
        return StoredFlow(namespace, flow_id, 7, "id: flow\nnamespace: company\ntasks: []", START)

    def search(self, query: Any) -> Any:
        raise RuntimeError("a mistake of ours")

    def _reach(self) -> None:
        if self.away:
            raise StoreUnavailable("the disk is full")


class Commands:
    """Takes everything; ``error`` is raised instead."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.given: dict[str, Any] = {}

    def act(self, action: Action, execution_id: str, **given: Any) -> str:
        self.given = given
        if self.error:
            raise self.error
        return "event-1"

    def execute(self, namespace: str, flow_id: str, **given: Any) -> str:
        if self.error:
            raise self.error
        return "e2"


class Answers:
    """Gives the one answer it has."""

    answer: Answer | None = None

    def wait(self, event_id: str, timeout: float) -> Answer | None:
        return self.answer

    def wait_row(self, execution_id: str, timeout: float, until: Any = None) -> None:
        return None


class Someone(UserMixin):
    id = name = "ada"
    role = "operator"


@pytest.fixture
def parts() -> SimpleNamespace:
    return SimpleNamespace(store=Store(), commands=Commands(), answers=Answers())


@pytest.fixture
def client(parts: SimpleNamespace) -> Iterator[FlaskClient]:
    server = flask.Flask("test")
    server.secret_key = "test"
    LoginManager(server).request_loader(lambda request: Someone())
    gateway = SimpleNamespace(answers=parts.answers)
    services: Any = SimpleNamespace(
        store=parts.store,
        commands=parts.commands,
        gateway=gateway,
        settings=Settings(),
        bus=StubBus(),
        meter=Meter("web"),
    )
    api.register(server, services)
    with server.test_client() as client:
        yield client


def test_no_answer_in_time_is_504_and_says_that_it_is_kept(client: FlaskClient, parts: SimpleNamespace) -> None:
    answer = client.post(f"{BASE}/executions/e1/actions/pause?reason=why")
    assert answer.status_code == 504
    assert "within 5 s" in answer.get_json()["message"]
    assert answer.get_json()["eventId"] == "event-1"
    assert parts.commands.given["reason"] == "why"
    assert parts.commands.given["actor"] == "ada"


def test_a_refusal_of_the_executor_is_409_with_the_state_it_is_in_now(
    client: FlaskClient, parts: SimpleNamespace
) -> None:
    parts.answers.answer = Answer("event-1", Action.PAUSE, "Pause works in RUNNING; the execution is KILLED now.")
    parts.store.item = execution(State.CREATED, State.KILLED)
    answer = client.post(f"{BASE}/executions/e1/actions/pause")
    assert answer.status_code == 409
    assert answer.get_json() == {
        "message": "Pause works in RUNNING; the execution is KILLED now.",
        "_embedded": {"errors": [{"message": "Pause works in RUNNING; the execution is KILLED now.", "path": "state"}]},
        "action": "pause",
        "state": "KILLED",
        "allowed": ["RUNNING"],
    }


def test_cascade_goes_with_a_kill(client: FlaskClient, parts: SimpleNamespace) -> None:
    parts.answers.answer = Answer("event-1", Action.KILL)
    assert client.delete(f"{BASE}/executions/e1/actions/kill?isOnKillCascade=false").status_code == 200
    assert parts.commands.given["cascade"] is False
    assert client.delete(f"{BASE}/executions/e1/actions/kill?isOnKillCascade=perhaps").status_code == 400


@pytest.mark.parametrize("error", [StoreUnavailable("locked"), RedisAway("refused")])
def test_what_is_away_is_503(client: FlaskClient, parts: SimpleNamespace, error: Exception) -> None:
    parts.commands.error = error
    answer = client.post(f"{BASE}/executions/e1/actions/pause")
    assert answer.status_code == 503
    assert str(error) in answer.get_json()["message"]
    parts.store.away = True
    assert client.get(f"{BASE}/executions/e1").status_code == 503


def test_an_executor_that_is_behind_is_202_with_what_will_be(client: FlaskClient) -> None:
    answer = client.post(f"{BASE}/executions/company/flow")
    assert answer.status_code == 202
    body = answer.get_json()
    assert (body["id"], body["state"]["current"], body["flowRevision"]) == ("e2", "CREATED", 7)
    assert body["url"].endswith("/executions/e2")


def test_our_own_mistakes_are_500_in_json_without_their_text(client: FlaskClient) -> None:
    answer = client.get(f"{BASE}/executions/search")
    assert answer.status_code == 500
    assert "RuntimeError" in answer.get_json()["message"]
    assert "a mistake of ours" not in answer.get_data(as_text=True)


def test_too_much_is_413(client: FlaskClient) -> None:
    answer = client.post(f"{BASE}/flows", data="x" * 4_194_305)
    assert answer.status_code == 413
    assert answer.get_json()["_embedded"] == {"errors": []}


def test_a_flow_that_is_too_large_is_422_and_names_the_setting(client: FlaskClient) -> None:
    answer = client.post(f"{BASE}/flows", data="x" * 2_097_153)
    assert answer.status_code == 422
    assert "expected at most 2,097,152 bytes (WATCHFLOOR_FLOW_MAX_BYTES)" in answer.get_json()["message"]


def test_streams_are_bounded_and_given_back(client: FlaskClient, parts: SimpleNamespace) -> None:
    before = sse._free._value  # type: ignore[attr-defined]
    api: Any = SimpleNamespace(person=Account("ada", "viewer"), logins=Logins())
    with flask.Flask("x").test_request_context():
        answer = sse.stream(api, (one for one in "a"))
        assert sse._free._value == before - 1  # type: ignore[attr-defined]
        answer.close()
    assert sse._free._value == before  # type: ignore[attr-defined]


def test_states_have_an_end_only_when_they_have_one() -> None:
    running = shapes.execution(execution(State.CREATED, State.RUNNING))["state"]
    assert running == {
        "current": State.RUNNING,
        "histories": [
            {"state": State.CREATED, "date": START},
            {"state": State.RUNNING, "date": START + timedelta(seconds=1)},
        ],
        "duration": "PT1S",
        "startDate": START,
    }
    for end in (State.SUCCESS, State.PAUSED, State.KILLED):
        assert shapes.execution(execution(State.CREATED, end))["state"]["endDate"] == START + timedelta(seconds=1)


def test_an_execution_is_over_when_tasks_after_its_end_are() -> None:
    item = execution(State.RUNNING, State.SUCCESS)
    run = TaskRun("r1", "t", State.RUNNING, item.history[:1], attempts=(Attempt(1, State.RUNNING),))
    assert follow.is_over(item)
    assert not follow.is_over(evolve(item, task_runs=item.task_runs.set("r1", run)))
    assert not follow.is_over(execution(State.RUNNING))
