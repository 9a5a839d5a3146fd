"""Log lines over the API, and following an execution and its log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.states import State
from tests.integration.api_world import ASKS, FAILS, FLOW, HANGS, World, in_namespace, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """One for all tests here: each keeps to executions and flows of its own."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, FLOW, HANGS, FAILS, ASKS) as world:
        yield world


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


@pytest.fixture(scope="module")
def two(world: World) -> dict[str, str]:
    """Executions in two namespaces and the one above both, by namespace; all their lines are stored."""
    ids = {}
    for namespace in ("two.a", "two.b", "two"):
        assert world.request("POST", "/flows", data=in_namespace(namespace, FAILS)).status_code == 200
        ids[namespace] = world.execute(f"{namespace}/fails", "?wait=true")["id"]
        list(world.events(f"/logs/{ids[namespace]}/follow"))
    return ids


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("namespace=two", "two two.a two.b"),
        ("filters[namespace][PREFIX]=two", "two two.a two.b"),
        ("filters[namespace][EQUALS]=two", "two"),
        ("filters[namespace][IN]=two.a,two.b", "two.a two.b"),
        ("filters[namespace][PREFIX]=two.a,two.b", "two.a two.b"),
        ("filters[namespace][PREFIX]=two&filters[namespace][NOT_EQUALS]=two", "two.a two.b"),
        ("filters[namespace][PREFIX]=two&filters[namespace][ENDS_WITH]=.b", "two.b"),
        ("filters[namespace][PREFIX]=two&filters[taskId][NOT_IN]=broken", ""),
        ("filters[namespace][PREFIX]=two&filters[triggerId][EQUALS]=manual", "two two.a two.b"),
        ("filters[namespace][PREFIX]=two&filters[triggerId][IN]=nightly", ""),
        ("namespace=two&filters[startDate][GREATER_THAN]=2999-01-01", ""),
    ],
)
def test_lines_are_searched_by_who_said_them(world: World, two: dict[str, str], query: str, found: str) -> None:
    said = world.get(f"/logs/search?{query}&size=50")["results"]
    assert sorted({one["namespace"] for one in said}) == found.split()
    both = ",".join(two.values())
    assert {one["executionId"] for one in world.get(f"/logs/search?filters[executionId][IN]={both}")["results"]} == set(
        two.values()
    )


@pytest.mark.parametrize(
    ("query", "levels"),
    [
        ("filters[level][EQUALS]=INFO", "INFO"),
        ("filters[level][EQUALS]=DEBUG", ""),
        ("filters[level][GREATER_THAN_OR_EQUAL_TO]=INFO", "ERROR INFO"),
        ("filters[level][LESS_THAN_OR_EQUAL_TO]=WARN", "INFO"),
        ("filters[level][GREATER_THAN_OR_EQUAL_TO]=WARN&filters[level][LESS_THAN_OR_EQUAL_TO]=INFO", ""),
        ("level=INFO", "INFO"),
        ("minLevel=INFO", "ERROR INFO"),
        ("filters[minLevel][EQUALS]=WARN", "ERROR"),
    ],
)
def test_a_level_is_that_one_unless_it_is_a_bound(world: World, two: dict[str, str], query: str, levels: str) -> None:
    id = two["two"]
    lines = world.get(f"/logs/{id}?{query}&taskId=broken")
    assert sorted({one["level"] for one in lines}) == levels.split()
    for order in ("time", "task"):
        window = world.get(f"/logs/{id}/window?{query}&taskId=broken&order={order}")
        assert window["total"] == len(lines)
        assert [one["seq"] for one in window["entries"]] == [one["seq"] for one in lines]
    text = world.request("GET", f"/logs/{id}/download?{query}&taskId=broken").get_data(as_text=True)
    assert len(text.splitlines()) == len(lines)
    (group,) = world.get(f"/logs/{id}/groups?{query}&taskId=broken")["groups"] or [{"total": 0}]
    assert group["total"] == len(lines)
    searched = world.get(f"/logs/search?{query}&filters[executionId][EQUALS]={id}&filters[taskId][EQUALS]=broken")
    assert searched["total"] == len(lines)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/logs/search?sort=level:asc", "sort"),
        ("/logs/search?sort=timestamp:asc&sort=timestamp:desc", "sort"),
        ("/logs/search?filters[level][NOT_EQUALS]=INFO", "filters[level][NOT_EQUALS]"),
        ("/logs/search?filters[level][EQUALS]=INFO&filters[level][EQUALS]=WARN", "filters[level][EQUALS]"),
        ("/logs/search?filters[timeRange][EQUALS]=PT1H&startDate=2026-01-01", "startDate"),
        ("/logs/search?filters[q][EQUALS]=a&q=b", "q"),
        ("/logs/search?filters[startDate][EQUALS]=2026-01-01", "filters[startDate][EQUALS]"),
        ("/logs/search?filters[attempt][IN]=1,first", "filters[attempt][IN]"),
        ("/logs/{id}?taskId=a&filters[taskId][EQUALS]=b", "filters[taskId][EQUALS]"),
        ("/logs/{id}?filters[taskId][IN]=a,b", "filters[taskId][IN]"),
        ("/executions/search?sort=id:asc&sort=state:desc", "sort"),
        ("/flows/search?sort=id:asc&sort=updated:desc", "sort"),
        ("/flows/search?sort=id:up", "sort"),
    ],
)
def test_a_condition_that_is_not_served_is_named(world: World, two: dict[str, str], path: str, part: str) -> None:
    answer = world.request("GET", path.replace("{id}", two["two"]))
    assert answer.status_code == 400, answer.get_data(as_text=True)
    assert answer.get_json()["_embedded"]["errors"][0]["path"] == part


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
