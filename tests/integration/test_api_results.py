"""What executions left, what is known of flows before they are executed, and deleting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.api_world import ASKS, FAILS, FLOW, World, running
from tests.waiting import until


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """A world with flows."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, FLOW, FAILS, ASKS) as world:
        yield world


@pytest.fixture(scope="module")
def items(world: World) -> list[Any]:
    """Two executions that have ended."""
    return [world.execute("company.team/greet", "?wait=true", data={"name": name}) for name in ("Ada", "Grace")]


def test_metrics_of_a_flow_are_named(world: World, items: list[Any]) -> None:
    assert world.get("/metrics/names/company.team/greet") == ["letters"]
    assert world.get("/metrics/names/company.team/greet/say") == ["letters"]
    assert world.get("/metrics/names/company.team/greet/more") == []
    assert world.get("/metrics/tasks/company.team/greet") == ["again", "say"]
    assert world.request("GET", "/metrics/names/company.team/nope").status_code == 404


def test_a_metric_over_time(world: World, items: list[Any]) -> None:
    path = "/metrics/aggregates/company.team/greet"
    lengths = [len("Hello Ada"), len("Hello Grace")]
    for aggregation, value in (("sum", sum(lengths)), ("avg", 10), ("min", 9), ("MAX", 11)):
        found = world.get(f"{path}/say/letters?aggregation={aggregation}")
        assert found["groupBy"] == "day"
        assert sum(one["value"] for one in found["aggregations"]) == value
        assert {one["name"] for one in found["aggregations"]} == {"letters"}
    whole = world.get(f"{path}/letters")["aggregations"]
    assert sum(one["value"] for one in whole) == sum(lengths) * 2 + 2
    started = items[0]["state"]["startDate"]
    assert world.get(f"{path}/letters?endDate={started}&startDate=2020-01-01") == {
        "groupBy": "month",
        "aggregations": [],
    }


@pytest.mark.parametrize(
    ("query", "path"),
    [("aggregation=median", "aggregation"), ("startDate=yesterday", "startDate"),
     ("startDate=2026-01-02&endDate=2026-01-01", "startDate")],
)  # fmt: skip
def test_what_is_wrong_with_a_series_is_said(world: World, query: str, path: str) -> None:
    answer = world.request("GET", f"/metrics/aggregates/company.team/greet/letters?{query}")
    assert answer.status_code == 400
    assert answer.get_json()["_embedded"]["errors"][0]["path"] == path


def test_flows_as_who_executes_them_needs_them(world: World, items: list[Any]) -> None:
    flow = world.get(f"/executions/{items[0]['id']}/flow")
    assert (flow["id"], flow["revision"], flow["inputs"][0]["id"]) == ("greet", 1, "name")
    assert world.get("/executions/flows/company.team/greet?revision=1")["id"] == "greet"
    assert world.request("GET", "/executions/flows/company.team/greet?revision=9").status_code == 404
    assert world.get("/executions/namespaces") == ["company.other", "company.team"]
    assert [one["id"] for one in world.get("/executions/namespaces/company.other/flows")] == ["asks", "fails"]
    asked = [{"namespace": "company.team", "id": "greet"}, {"namespace": "company.team", "id": "nope"}]
    (last,) = world.request("POST", "/executions/latest", json=asked).get_json()
    assert (last["id"], last["status"]) == (items[1]["id"], "SUCCESS")
    assert world.request("POST", "/executions/latest", json={"id": "greet"}).status_code == 400


def test_inputs_are_checked_and_nothing_is_started(world: World, items: list[Any]) -> None:
    before = world.get("/executions/search")["total"]
    form = {"times": "0", "token": "s3cret"}
    answer = world.request("POST", "/executions/company.team/greet/validate", data=form)
    found = {one["input"]["id"]: one for one in answer.get_json()["inputs"]}
    assert "times" in found["times"]["errors"][0]["message"] or "1" in found["times"]["errors"][0]["message"]
    assert found["name"]["isDefault"]
    assert not found["name"]["errors"]
    assert "s3cret" not in answer.get_data(as_text=True)
    assert world.request("POST", "/executions/company.team/nope/validate").status_code == 404
    assert world.get("/executions/search")["total"] == before


def test_the_log_of_an_execution_is_removed_when_it_has_ended(world: World) -> None:
    item = world.execute("company.other/fails", "?wait=true")
    until(lambda: len(world.get(f"/logs/{item['id']}")) >= 2)
    assert world.request("DELETE", f"/logs/{item['id']}?minlevel=WARN").status_code == 400
    assert world.request("DELETE", f"/logs/{item['id']}?state=FAILED").status_code == 400
    assert world.request("DELETE", f"/logs/{item['id']}").status_code == 204
    assert world.get(f"/logs/{item['id']}") == []
    assert world.get(f"/executions/{item['id']}")["state"]["current"] == "FAILED"
    waits = world.execute("company.other/asks")
    world.until(waits["id"], "PAUSED")
    refused = world.request("DELETE", f"/logs/{waits['id']}")
    assert (refused.status_code, refused.get_json()["state"]) == (409, "PAUSED")
    assert world.store.audits(item["id"])[0].action == "delete-logs"


def test_a_part_of_a_log_is_removed(world: World) -> None:
    item = world.execute("company.other/fails", "?wait=true")
    list(world.events(f"/logs/{item['id']}/follow"))
    path = f"/logs/{item['id']}"
    of_task = [one["message"] for one in world.get(f"{path}?taskId=broken")]
    assert of_task == ["broken runs", "it broke"]
    rest = [one["seq"] for one in world.get(path) if one.get("taskId") != "broken"]
    assert world.request("DELETE", f"{path}?taskId=broken&minLevel=ERROR&reason=noise").status_code == 204
    assert [one["message"] for one in world.get(f"{path}?taskId=broken")] == ["broken runs"]
    assert world.request("DELETE", f"{path}?filters[taskId][EQUALS]=broken").status_code == 204
    assert [one["seq"] for one in world.get(path)] == rest
    (last, first) = world.store.audits(item["id"])[:2]
    assert (first.reason, first.after) == (
        "noise", {"removed": 1, "lines": {"task_id": "broken", "min_level": "ERROR"}},
    )  # fmt: skip
    assert last.after["removed"] == 1


def test_an_execution_is_deleted(world: World) -> None:
    item = world.execute("company.other/fails", "?wait=true")
    assert world.request("DELETE", f"/executions/{item['id']}?deleteLogs=false&reason=old").status_code == 204
    assert world.request("GET", f"/executions/{item['id']}").status_code == 404
    assert world.request("DELETE", f"/executions/{item['id']}").status_code == 404
    told = world.store.audits(item["id"])[0]
    assert (told.action, told.reason) == ("delete", "old")


def test_one_that_runs_is_deleted_only_when_that_is_said(world: World) -> None:
    item = world.execute("company.other/asks")
    world.until(item["id"], "PAUSED")
    assert world.request("DELETE", f"/executions/{item['id']}").status_code == 409
    assert world.request("DELETE", f"/executions/{item['id']}?includeNonTerminated=true").status_code == 204
    until(lambda: world.request("GET", f"/executions/{item['id']}").status_code == 404)
