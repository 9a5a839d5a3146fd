"""Following an execution together with those it is related to: a subflow, and what a Flow trigger starts after that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from engine.states import State
from tests.integration.api_world import HANGS, PASSWORD, World, running
from tests.waiting import PATIENCE, until

CORE = "io.kestra.plugin.core"
SHELL = "{id: hang, type: io.kestra.plugin.scripts.shell.Commands, commands: [sleep 100]}"
CALL = f"{{id: call, type: {CORE}.flow.Subflow, namespace: company.other, flowId: hangs}}"
OUTER = f"id: outer\nnamespace: company.team\ntasks:\n  - {SHELL}\n  - {CALL}\n"
AFTER = f"""\
id: after
namespace: far.away
triggers:
  - id: then
    type: {CORE}.trigger.Flow
    preconditions: {{id: p, flows: [{{namespace: company.other, flowId: hangs}}]}}
tasks:
  - {{id: say, type: {CORE}.debug.Return, format: hello}}
"""
LATE = f"""\
id: late
namespace: company.team
tasks:
  - {{id: say, type: {CORE}.debug.Return, format: hello}}
afterExecution:
  - {SHELL}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """One for all tests here: each keeps to executions of its own."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url) as world:
        for source in (HANGS, OUTER, AFTER, LATE):
            assert world.request("POST", "/flows", data=source).status_code == 200
        assert world.executor is not None
        world.executor.flows_changed()
        until(world.store.trigger_states, "the trigger")
        yield world


@pytest.fixture(scope="module")
def ended(world: World) -> dict[str, str]:
    """Ids by flow of three that are over: one that ran a subflow, that, and what a trigger started after it."""
    outer = world.execute("company.team/outer")["id"]
    world.worker.end(world.hanging(outer), State.SUCCESS)
    (inner,) = until(lambda: started(world, outer))
    world.worker.end(world.hanging(inner), State.SUCCESS)
    (after,) = until(lambda: started(world, inner))
    for id in (outer, inner, after):
        world.until(id, "SUCCESS")
    return {"outer": outer, "hangs": inner, "after": after}


def started(world: World, id: str) -> list[str]:
    """Ids of what an execution triggered."""
    return [one["id"] for one in world.get(f"/executions/search?triggerExecutionId={id}")["results"]]


def path(id: str, query: str = "") -> str:
    return f"/executions/{id}/follow-dependencies{query}"


def flows(events: Sequence[tuple[str, Any]]) -> list[str]:
    """The flows that events are about, in order, each once."""
    return list(dict.fromkeys(data["flowId"] for name, data in events if name == "progress"))


def states(events: Sequence[tuple[str, Any]], flow: str) -> list[str]:
    return [data["state"]["current"] for name, data in events if name == "progress" and data["flowId"] == flow]


def test_what_starts_meanwhile_is_followed_to_its_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id = world.execute("company.team/outer")["id"]
    world.until(id, "RUNNING")
    events = world.events(path(id, "?expandAll=true"))
    told = [next(events)]
    name, first = told[0]
    assert (name, first["executionId"], first["state"]["current"]) == ("progress", id, "RUNNING")
    assert {"tenantId", "namespace", "flowId", "revision", "state"} <= first.keys()
    assert {"startDate", "duration"} <= first["state"].keys()
    world.worker.end(world.hanging(id), State.SUCCESS)
    while states(told, "hangs")[-1:] != ["RUNNING"]:
        told.append(next(events))
    inner = told[-1][1]["executionId"]
    monkeypatch.setattr("dashboard.api.follow_related._SETTLE", PATIENCE)
    world.worker.end(world.hanging(inner), State.SUCCESS)
    while states(told, "after")[-1:] != ["SUCCESS"]:
        told.append(next(events))
    monkeypatch.setattr("dashboard.api.follow_related._SETTLE", 0.05)
    told += events
    assert flows(told) == ["outer", "hangs", "after"]
    assert all(states(told, flow)[-1] == "SUCCESS" for flow in flows(told))
    assert states(told, "hangs") == ["RUNNING", "SUCCESS"]
    assert (told[-1][0], told[-1][1]["executionId"]) == ("end", id)
    assert [name for name, _ in told].count("end") == 1


@pytest.mark.parametrize(
    ("flow", "query", "found"),
    [
        ("outer", "", "outer hangs"),
        ("outer", "?expandAll=true", "outer hangs after"),
        ("hangs", "", "hangs outer after"),
        ("hangs", "?destinationOnly=true", "hangs after"),
        ("after", "", "after hangs"),
        ("after", "?expandAll=true", "after hangs outer"),
        ("after", "?expandAll=true&destinationOnly=true", "after"),
    ],
)
def test_those_related_are_told_once_when_all_is_over(
    world: World, ended: dict[str, str], monkeypatch: pytest.MonkeyPatch, flow: str, query: str, found: str
) -> None:
    monkeypatch.setattr("dashboard.api.follow_related._SETTLE", 0.05)
    events = list(world.events(path(ended[flow], query)))
    assert [(name, data["flowId"]) for name, data in events] == [
        *(("progress", one) for one in found.split()), ("end", flow),
    ]  # fmt: skip
    assert {data["executionId"] for _, data in events} == {ended[one] for one in found.split()}


def test_what_is_elsewhere_is_not_there(world: World, ended: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.api.follow_related._SETTLE", 0.05)
    body = {"name": "ada", "password": PASSWORD, "role": "none", "grants": {"company.other": "viewer", "far": "viewer"}}
    assert world.request("POST", "/users", json=body).status_code == 200
    assert flows(list(world.events(path(ended["hangs"]), "ada"))) == ["hangs", "after"]
    assert flows(list(world.events(path(ended["after"], "?expandAll=true"), "ada"))) == ["after", "hangs"]
    assert world.request("GET", path(ended["outer"]), "ada").status_code == 404
    assert world.request("GET", path(ended["hangs"], "?expandAll=much")).status_code == 400


def test_a_subflow_elsewhere_that_starts_meanwhile_is_not_there_either(world: World) -> None:
    body = {"name": "bob", "password": PASSWORD, "role": "none", "grants": {"company.team": "viewer"}}
    assert world.request("POST", "/users", json=body).status_code == 200
    id = world.execute("company.team/outer")["id"]
    world.until(id, "RUNNING")
    events = world.events(path(id, "?expandAll=true"), "bob")
    next(events)
    world.worker.end(world.hanging(id), State.SUCCESS)
    (inner,) = until(lambda: started(world, id))
    world.worker.end(world.hanging(inner), State.SUCCESS)
    assert flows(list(events)) == ["outer"]


def test_more_than_may_be_followed_is_said(
    world: World, ended: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.api.follow_related._SETTLE", 0.05)
    monkeypatch.setattr("dashboard.api.follow_related.RELATED_MAX", 1)
    events = list(world.events(path(ended["hangs"])))
    assert [name for name, _ in events] == ["progress", "progress", "capped", "end"]
    assert events[2][1] == {"message": "Only 1 of the related executions are followed."}


def test_a_reader_that_is_slow_is_told_how_it_stands(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.gateway.answers.FOLLOW_MAX", 1)
    id = world.execute("company.team/outer")["id"]
    world.until(id, "RUNNING")
    events = world.events(path(id))
    next(events)
    world.worker.end(world.hanging(id), State.SUCCESS)
    (inner,) = until(lambda: started(world, id))
    world.worker.end(world.hanging(inner), State.SUCCESS)
    world.until(id, "SUCCESS")
    rest = list(events)
    assert (states(rest, "outer")[-1], states(rest, "hangs")[-1], rest[-1][0]) == ("SUCCESS", "SUCCESS", "end")


def test_tasks_after_the_end_belong_to_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end is not told while one runs: it ends when that was asked for the second time."""
    monkeypatch.setattr("dashboard.api.follow_related._SETTLE", 0.05)
    monkeypatch.setattr("dashboard.api.sse.KEEP_ALIVE_SECONDS", 0.05)
    id = world.execute("company.team/late")["id"]
    job = world.hanging(id)
    world.until(id, "SUCCESS")
    asked, going_on = [], world.store.going_on

    def counted(ids: Sequence[str]) -> set[str]:
        asked.append(going_on(ids))
        if len(asked) == 2:
            world.worker.end(job, State.SUCCESS)
        return asked[-1]

    monkeypatch.setattr(world.store, "going_on", counted)
    assert [name for name, _ in world.events(path(id))] == ["progress", "end"]
    assert asked[:2] == [{id}, {id}]
    assert asked[-1] == set()
