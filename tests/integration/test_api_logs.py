"""Log lines over the API, and following an execution and its log."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from engine.states import State
from tests.integration.api_world import ASKS, FAILS, FLOW, HANGS, World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """One for all tests here: each keeps to executions and flows of its own."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url) as world:
        for source in (FLOW, HANGS, FAILS, ASKS):
            assert world.request("POST", "/flows", data=source).status_code == 200
        yield world


def in_namespace(namespace: str, source: str) -> str:
    """The flow in another namespace."""
    return re.sub("namespace: .*", f"namespace: {namespace}", source)


def test_logs_are_listed_filtered_windowed_and_downloaded(world: World) -> None:
    id = world.execute("company.other/fails", "?wait=true")["id"]
    list(world.events(f"/logs/{id}/follow"))
    lines = world.get(f"/logs/{id}")
    said = [(one["level"], one["message"]) for one in lines if one.get("taskId") == "broken"]
    assert said == [("INFO", "broken runs"), ("ERROR", "it broke")]
    assert lines[0]["executionId"] == id
    assert lines[0]["attemptNumber"] == 1
    assert {one["level"] for one in world.get(f"/logs/{id}?minLevel=ERROR")} == {"ERROR"}
    assert {one["level"] for one in world.get(f"/logs/{id}?filters[level][EQUALS]=error")} == {"ERROR"}
    window = world.get(f"/logs/{id}/window?offset=1&limit=1")
    assert window["total"] == len(lines)
    assert window["entries"][0]["seq"] == lines[1]["seq"]
    assert world.get(f"/logs/{id}/hits?needle=BROKE&taskId=broken") == {"total": 2, "indexes": [0, 1]}
    answer = world.request("GET", f"/logs/{id}/download?taskId=broken")
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{id}.log"'
    text = answer.get_data(as_text=True)
    assert [line.split(" ", 2)[1:] for line in text.splitlines()] == [
        ["INFO", "broken broken runs"],
        ["ERROR", "broken it broke"],
    ]


def test_logs_are_searched_over_executions(world: World) -> None:
    for source in (FAILS, FLOW):
        assert world.request("POST", "/flows", data=in_namespace("said.here", source)).status_code == 200
    ids = [world.execute(flow, "?wait=true")["id"] for flow in ("said.here/fails", "said.here/greet")]
    for id in ids:
        list(world.events(f"/logs/{id}/follow"))
    mine = "/logs/search?filters[namespace][PREFIX]=said"
    found = world.get(f"{mine}&filters[q][EQUALS]=RUNS&size=2")
    assert found["total"] == 3
    assert [one["message"] for one in found["results"]] == ["again runs", "say runs"]
    rest = world.get(f"{mine}&filters[q][EQUALS]=RUNS&size=2&cursor={found['nextCursor']}")
    assert ([one["message"] for one in rest["results"]], rest["type"]) == (["broken runs"], "CURSOR")
    assert {one["level"] for one in world.get(f"{mine}&minLevel=ERROR")["results"]} == {"ERROR"}
    assert world.get("/logs/search?filters[namespace][PREFIX]=nowhere")["total"] == 0
    oldest = world.get(f"/logs/search?filters[executionId][EQUALS]={ids[1]}&sort=timestamp:asc")["results"]
    assert [one["executionId"] for one in oldest] == [ids[1]] * len(oldest)
    assert [one["seq"] for one in oldest] == sorted(one["seq"] for one in oldest)
    assert world.get(f"{mine}&filters[timeRange][EQUALS]=PT1H")["total"] >= 3
    assert world.get(f"{mine}&filters[endDate][LESS_THAN]=2001-01-01T00:00:00Z")["total"] == 0


def test_an_execution_is_followed_to_its_end(world: World) -> None:
    id = world.execute("company.other/hangs")["id"]
    world.until(id, "RUNNING")
    events = world.events(f"/executions/{id}/follow")
    name, first = next(events)
    assert (name, first["state"]["current"]) == ("progress", "RUNNING")
    job = world.hanging(id)
    world.worker.end(job, State.SUCCESS)
    rest = list(events)
    assert rest[-1][0] == "end"
    assert rest[-1][1]["state"]["current"] == "SUCCESS"
    assert {name for name, _ in rest[:-1]} <= {"progress"}
    versions = [first["version"], *[item["version"] for _, item in rest]]
    assert versions == sorted(set(versions))
    assert [name for name, _ in world.events(f"/executions/{id}/follow")] == ["end"]


def test_a_log_is_followed_line_by_line_until_all_is_said(world: World) -> None:
    id = world.execute("company.other/hangs")["id"]
    world.until(id, "RUNNING")
    events = world.events(f"/logs/{id}/follow?taskId=hang")
    assert next(events)[1]["message"] == "hang runs"
    job = world.hanging(id)
    world.worker.say(job, 2, "while it runs")
    name, second = next(events)
    assert (name, second["message"]) == ("progress", "while it runs")
    world.worker.say(job, 3, "last words")
    world.worker.end(job, State.SUCCESS)
    rest = list(events)
    assert [data.get("message") for _, data in rest] == ["last words", None]
    assert rest[-1][0] == "end"
    after = list(world.events(f"/logs/{id}/follow?taskId=hang&afterSeq={second['seq']}"))
    assert [data.get("message") for _, data in after] == ["last words", None]
