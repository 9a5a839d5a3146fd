"""Actions on many executions over REST."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import pytest

from streaming.operations.runner import Runner
from tests.integration.api_world import ASKS, FAILS, World, running
from tests.threads import in_thread
from tests.waiting import until

ASKS_FLOW = "company.other/asks"
NOTHING = "=1+1"
ODD = [{"key": ["env"], "value": "prod"}]
SYSTEM = [{"key": "system.x", "value": "1"}]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """One for all tests here, with a runner of operations at work."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, ASKS, FAILS, bulk_max_ids=5) as world:
        with in_thread(Runner(world.store, world.bus, most=50, keep_days=1).run):
            yield world


def paused(world: World, count: int, query: str = "") -> list[str]:
    """Executions that wait."""
    ids = [world.execute(ASKS_FLOW, query)["id"] for _ in range(count)]
    for one in ids:
        world.until(one, "PAUSED")
    return ids


def started(world: World, method: str, path: str, **options: Any) -> dict[str, Any]:
    """The operation once it is done."""
    answer = world.request(method, path, **options)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    body = answer.get_json()
    done = until(lambda: (one := world.get(f"/operations/{body['operationId']}"))["state"] == "DONE" and one)
    assert done["totalItems"] == body["totalItems"]
    return done


def test_by_ids_gives_each_its_result_and_the_list_has_it(world: World) -> None:
    ids = paused(world, 2)
    failed = world.execute("company.other/fails")["id"]
    world.until(failed, "FAILED")
    asked = [*ids, failed, NOTHING]
    preview = world.request("POST", "/executions/kill/preview", json={"ids": asked}).get_json()
    assert (preview["totalItems"], preview["possible"], preview["unknown"]) == (4, 2, [NOTHING])
    assert [(one["count"], one["examples"]) for one in preview["refused"]] == [(1, [failed])]
    done = started(world, "DELETE", "/executions/kill/by-ids?reason=drill", json=asked)
    assert (done["done"], done["refused"], done["unknown"], done["left"]) == (2, 1, 1, 0)
    assert (done["actor"], done["origin"], done["reason"], done["selection"]) == ("admin", "api", "drill", {"ids": 4})
    assert world.get("/operations")["results"][0] == done
    path = f"/operations/{done['id']}/results"
    rows = world.get(path)
    assert (rows["total"], [one["result"] for one in rows["results"]]) == (4, ["done", "done", "refused", "unknown"])
    (refused,) = world.get(f"{path}?state=refused")["results"]
    assert (refused["executionId"], refused["state"], refused["flowId"]) == (failed, "FAILED", "fails")
    assert refused["why"] == preview["refused"][0]["why"]
    assert world.get(f"{path}?q={failed[-8:]}")["total"] == 1
    text = world.request("GET", f"{path}/csv").get_data(as_text=True)
    lines = list(csv.DictReader(text.splitlines()))
    assert [(line["position"], line["result"]) for line in lines][2:] == [("3", "refused"), ("4", "unknown")]
    assert lines[3]["executionId"] == f"'{NOTHING}"  # no formula for a spreadsheet


def test_by_query_acts_on_what_matches_and_a_replay_names_what_it_made(world: World) -> None:
    ids = paused(world, 2, "?labels=batch:q1")
    where = "filters[labels][EQUALS][batch]=q1"
    relabelled = started(world, "POST", f"/executions/labels/by-query?{where}", json=[{"key": "batch", "value": "q2"}])
    assert (relabelled["done"], relabelled["details"]) == (2, {"labels": {"batch": "q2"}})
    where = "filters[labels][EQUALS][batch]=q2"
    assert world.get(f"/executions/search?{where}")["total"] == 2
    replayed = started(world, "POST", f"/executions/replay/by-query?{where}&latestRevision=true")
    made = [one["newId"] for one in world.get(f"/operations/{replayed['id']}/results")["results"]]
    assert len(set(made)) == 2
    until(lambda: all(world.store.row(one) for one in made))
    parents = {world.until(one, "PAUSED")["parentId"] for one in made}
    assert parents == set(ids)
    either = "&".join(f"filters[or][{number}][labels][EQUALS][batch]=q{number}" for number in (2, 3))
    killed = started(world, "DELETE", f"/executions/kill/by-query?{either}&childFilter=MAIN")
    assert killed["done"] == 4  # what a replay made is nobody's child


def test_retry_and_stop_answer_by_the_state_of_the_operation(world: World) -> None:
    (one,) = paused(world, 1)
    done = started(world, "POST", "/executions/pause/by-ids", json=[one])
    assert done["refused"] == 1
    again = started(world, "POST", f"/operations/{done['id']}/retry")
    assert (again["retryOf"], again["refused"]) == (done["id"], 1)
    stopped = world.request("POST", f"/operations/{done['id']}/stop")
    assert (stopped.status_code, stopped.get_json()["state"]) == (409, "DONE")
    assert world.request("POST", "/operations/nothing/stop").status_code == 404
    assert world.request("GET", "/operations/nothing").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("DELETE", "/executions/kill/by-ids", [], 400, "at least one"),
        ("DELETE", "/executions/kill/by-ids", {"ids": "x"}, 400, "expected a list"),
        ("POST", "/executions/pause/by-ids", list("abcdef"), 400, "at most 5 ids (WATCHFLOOR_BULK_MAX_IDS), got 6"),
        ("DELETE", "/executions/by-query", None, 400, "at least one filter"),
        ("DELETE", "/executions/by-query?states=FAILED&q=x", None, 400, "'states' here; it takes filters[field]"),
        ("DELETE", "/executions/kill/by-query?q=x&filter[state][IN]=FAILED", None, 400, "filter[state][IN]"),
        ("POST", "/executions/kill/preview?q=x&isKillCascade=false", None, 400, "isOnKillCascade"),
        ("DELETE", "/executions/by-ids?deleteLog=false", ["a"], 400, "deleteLogs"),
        ("GET", "/executions/search?states=FAILED", None, 400, "triggerExecutionId, childFilter"),
        ("GET", "/executions/export/by-query/csv?colums=id", None, 400, "columns"),
        ("DELETE", "/executions/by-query?filters[nothing][EQUALS]=1", None, 400, "nothing"),
        ("POST", "/executions/pause/by-query?filters[state][IN]=CREATED", None, 400, "none does now"),
        ("POST", "/executions/unqueue/by-ids?newState=SUCCESS", ["a"], 400, "RUNNING, CANCELLED, FAILED"),
        ("POST", "/executions/unqueue/by-query?newState=SUCCESS&q=x", None, 400, "RUNNING, CANCELLED, FAILED"),
        ("POST", "/executions/unqueue/by-query?filters[flowId][EQUALS]=nobody", None, 400, "none does now"),
        ("POST", "/executions/change-status/by-ids", ["a"], 400, "newStatus"),
        ("POST", "/executions/labels/by-ids", {"executionsId": ["a"]}, 400, "labels"),
        ("POST", "/executions/labels/by-ids", {"executionsId": ["a"], "executionLabels": SYSTEM}, 400, "system.x"),
        ("POST", "/executions/labels/by-ids", {"executionsId": ["a"], "executionLabels": 5}, 400, "labels"),
        ("POST", "/executions/labels/by-ids", {"executionsId": ["a"], "executionLabels": ODD}, 400, "['env']"),
        ("POST", "/executions/labels/by-query?filters[state][IN]=PAUSED", 5, 400, "labels"),
        ("POST", "/executions/labels/preview", {"ids": ["a"], "labels": "env"}, 400, "labels"),
        ("GET", "/operations/nothing/results?state=odd", None, 404, "no operation"),
    ],
)
def test_what_can_not_be_asked_is_refused_with_a_reason(
    world: World, method: str, path: str, body: Any, status: int, says: str
) -> None:
    answer = world.request(method, path, **({} if body is None else {"json": body}))
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert says in answer.get_json()["message"]
