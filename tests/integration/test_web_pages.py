"""Every page over a real store: it can be drawn, says what the store says, and says when there is nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask
import immutables
import pytest
from dash import Dash
from flask_login import LoginManager, login_user
from plotly.utils import PlotlyJSONEncoder

from dashboard import listvalues
from dashboard.app import create_app
from dashboard.auth import Account
from dashboard.callbacks import execute, routing
from dashboard.pages import flow, pages
from dashboard.pages.flows import stamp
from dashboard.pages.router import route
from dashboard.seen import SeenStore
from dashboard.services import Services
from data import Store, StoreUnavailable
from data.records import Commit, FlowProblem, TriggerState
from engine.flow import FlowError, parse
from engine.ids import new_id
from engine.inputs import InputError
from engine.model import Execution, StateChange, TaskRun
from engine.states import State
from streaming.commands import FlowDisabled
from tests.dashboard_stubs import StubBus, StubCommands
from watchfloor.settings import Settings

FLOW = """
id: approval
namespace: test.pages
description: Waits for somebody.
inputs:
  - {id: rows, type: INT, max: 10}
tasks:
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - {id: reason, type: STRING}
triggers:
  - {id: often, type: io.kestra.plugin.core.trigger.Schedule, cron: "*/5 * * * *"}
"""
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def services(tmp_path: Path, database_url: str) -> Iterator[Services]:
    """A store with one flow, one paused execution, one broken file, one due schedule."""
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=database_url)
    store = Store(database_url)
    store.save_flow(parse(FLOW))
    with pytest.raises(FlowError) as broken:
        parse("id: broken\nnamespace: test.pages\ntasks:\n  - {id: a, type: nothing.Known}\n")
    store.save_flow_problem(FlowProblem("flows/broken.yaml", tuple(broken.value.violations)))
    due = TriggerState("test.pages", "approval", "often", START + timedelta(minutes=5), START)
    paused = _paused()
    runs = [(paused.id, run) for run in paused.task_runs.values()]
    store.commit(Commit(stream="wf:events", position="1-0", executions=[paused], task_runs=runs, triggers=[due]))
    yield Services(settings, store, StubBus(), StubCommands())  # type: ignore[arg-type]
    store.close()


def _paused() -> Execution:
    history = tuple(StateChange(state, START) for state in (State.CREATED, State.RUNNING, State.PAUSED))
    run = TaskRun("run-1", "wait", State.PAUSED, history)
    return Execution(
        new_id(int(START.timestamp() * 1000)), "test.pages", "approval", 1, State.PAUSED, history, version=3,
        inputs={"rows": 3}, task_runs=immutables.Map({"run-1": run}),
    )  # fmt: skip


def draw(services: Services, path: str, search: str = "") -> tuple[str, str]:
    """JSON of the page at ``path``, and its title."""
    server = flask.Flask("test")
    server.secret_key = "test"
    LoginManager(server)
    with server.test_request_context("/"):
        login_user(Account("ada", "admin"))
        component, title = routing.render(services, route(pages(), path), path, search)
    return json.dumps(component, cls=PlotlyJSONEncoder), title


def only_id(services: Services) -> str:
    return services.store.last_of_flow("test.pages", "approval", 1)[0].id


def test_the_list_is_the_same_at_every_address_since_the_browser_reads_that(services: Services) -> None:
    text, title = draw(services, "/executions", "?filters[state][IN]=PAUSED&filters[namespace][IN]=gone&size=100")
    assert title == "Executions"
    assert "executions-table" in text
    assert text == draw(services, "/executions")[0]


@pytest.mark.parametrize(
    ("tab", "part"), [("", "Last executions of approval"), ("/gantt", "gantt-graph"), ("/logs", '"logs"'),
                      ("/topology", "cyto")],
)  # fmt: skip
def test_each_tab_of_an_execution(services: Services, tab: str, part: str) -> None:
    text, title = draw(services, f"/executions/{only_id(services)}{tab}")
    assert title.startswith("approval ")
    assert part.lower() in text.lower()
    assert "execution-header" in text


@pytest.mark.parametrize(("tab", "part"), [("", "FlowId".lower()), ("/topology", "wait"), ("/source", "line-4")])
def test_each_tab_of_a_flow(services: Services, tab: str, part: str) -> None:
    text, title = draw(services, f"/flows/test.pages/approval{tab}")
    assert title == "approval"
    assert part in text.lower()
    assert "2026-01-01T12:05:00Z" in text


def test_flows_show_the_next_run_and_what_is_wrong_with_files(services: Services) -> None:
    text, _ = draw(services, "/flows")
    assert "Waits for somebody." in text
    assert "2026-01-01T12:05:00Z" in text
    assert "flows/broken.yaml can't be used" in text
    assert '"4:' in text
    assert "nothing.Known" in text


@pytest.mark.parametrize("path", ["/executions/nothing", "/flows/test.pages/nothing", "/nothing"])
def test_what_is_not_there_is_said(services: Services, path: str) -> None:
    text, _ = draw(services, path)
    assert "There is no" in text
    assert '"href": "/' in text


def test_a_database_away_is_said_on_the_page(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise StoreUnavailable("The database is locked.")

    monkeypatch.setattr(Store, "flows", away)
    text, _ = draw(services, "/flows")
    assert "can't be reached" in text
    assert "locked" in text
    assert '"data-wf-view": "again"' in text


def test_the_stamp_changes_with_flows_and_problems(services: Services) -> None:
    store = services.store
    known = stamp(store.flows(), store.flow_problems())
    assert stamp(store.flows(), store.flow_problems()) == known
    store.save_flow(parse(FLOW.replace("somebody", "nobody")))
    changed = stamp(store.flows(), store.flow_problems())
    store.clear_flow_problem("flows/broken.yaml")
    assert len({known, changed, stamp(store.flows(), store.flow_problems())}) == 3


def test_the_stamp_of_a_flow_changes_with_its_revision_and_its_file_only(services: Services) -> None:
    store, name = services.store, "test.pages/approval"
    known = flow.stamp(store, name)
    store.save_flow(parse(FLOW.replace("id: approval", "id: other")))
    store.save_flow_problem(FlowProblem("flows/other.yaml", ()))
    assert flow.stamp(store, name) == known
    store.save_flow(parse(FLOW.replace("somebody", "nobody")))
    changed = flow.stamp(store, name)
    store.save_flow_problem(FlowProblem("flows/approval.yaml", ()))
    assert len({known, changed, flow.stamp(store, name)}) == 3
    assert flow.stamp(store, "test.pages/nothing") == ""


def test_the_list_shows_values_of_what_one_may_see(services: Services) -> None:
    known = services.store.values([only_id(services), "nothing"])
    assert {one: listvalues.words(found.inputs) for one, found in known.items()} == {only_id(services): "rows=3"}
    assert SeenStore(services.store, ("elsewhere",)).values([only_id(services)]) == {}
    assert SeenStore(services.store, ("test",)).values([only_id(services)]) == known
    assert listvalues.usual(services.store, "test.pages", "approval") is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"empty": None}, ""),
        ({"day": "monday", "rows": 3, "deep": {"a": [1]}}, 'day=monday, rows=3, deep={"a":[1]}'),
        ({"text": "two\n lines"}, "text=two lines"),
        ({"text": "x" * 300}, f"text={'x' * 195}…"),
    ],
)
def test_values_are_one_line(values: dict[str, Any], words: str) -> None:
    assert listvalues.words(values) == words


@pytest.fixture
def app(services: Services) -> Any:
    """The app, with somebody signed in."""
    app: Dash = create_app(services.settings, services)
    return app


def signed_in(app: Any, role: str) -> Any:
    context = app.server.test_request_context("/")
    context.push()
    login_user(Account("ada", role))
    return context


@pytest.fixture
def operator(app: Any) -> Iterator[None]:
    context = signed_in(app, "operator")
    yield
    context.pop()


def test_execute_sends_what_the_form_holds(services: Services, operator: None) -> None:
    ids = [{"type": "field", "form": "execute", "input": "rows"}]
    answer = execute._send(services, "test.pages/approval", [4], ids)
    called = services.commands.calls[0]  # type: ignore[attr-defined]
    assert called == ("execute", "test.pages.approval", {"actor": "ada", "inputs": {"rows": 4}, "origin": "ui"})
    assert answer[0] is False
    assert str(answer[-1]).startswith("/executions/")


def test_execute_puts_errors_below_their_fields(services: Services, operator: None) -> None:
    ids = [{"type": "field", "form": "execute", "input": name} for name in ("rows", "other")]
    services.commands.refuse = {"approval": InputError({"rows": "expected at most 10, came 11"})}  # type: ignore[attr-defined]
    *_, error, below, _path = execute._send(services, "test.pages/approval", [11, ""], ids)
    assert below == ["expected at most 10, came 11", None]
    assert "nothing was started" in error
    services.commands.refuse = {"approval": FlowDisabled("Flow is disabled.")}  # type: ignore[attr-defined]
    assert execute._send(services, "test.pages/approval", [1, ""], ids)[-3] == "Flow is disabled."


def test_a_viewer_starts_nothing(app: Any, services: Services) -> None:
    context = signed_in(app, "viewer")
    assert "yours is viewer" in execute._send(services, "test.pages/approval", [], [])[-3]
    assert services.commands.calls == []  # type: ignore[attr-defined]
    context.pop()
