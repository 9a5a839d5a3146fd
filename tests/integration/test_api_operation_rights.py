"""Operations of somebody who may look at one namespace: what is elsewhere is as if it were not there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import pytest

from streaming.operations.runner import Runner
from tests.integration.api_world import ASKS, BASE, PASSWORD, World, in_namespace, running
from tests.integration.homes import only
from tests.threads import in_thread
from tests.waiting import until

MINE, HIDDEN = "team.a/asks", "secret.b/asks"
NOTHING = "made-up"

pytestmark = only("sqlite")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """One for all tests here, with a runner of operations at work."""
    flows = [in_namespace(flow.partition("/")[0], ASKS) for flow in (MINE, HIDDEN)]
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, *flows) as world:
        with in_thread(Runner(world.store, world.bus, most=50, keep_days=1).run):
            yield world


def person(world: World, name: str, **grants: str) -> str:
    """Somebody with rights in these namespaces."""
    body = {"name": name, "password": PASSWORD, "role": "none", "grants": grants}
    assert world.request("POST", "/users", json=body).status_code == 200
    return name


def paused(world: World, flow: str) -> str:
    """An execution that waits."""
    execution_id = world.execute(flow)["id"]
    world.until(execution_id, "PAUSED")
    return execution_id


def started(world: World, user: str, method: str, path: str, **options: Any) -> dict[str, Any]:
    """The operation once it is done."""
    answer = world.request(method, path, user=user, **options)
    assert answer.status_code == 202, answer.text
    read = f"/operations/{answer.get_json()['operationId']}"
    return until(lambda: (one := world.get(read, user=user))["state"] == "DONE" and one)


def results(world: World, user: str, operation: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of its executions."""
    return world.get(f"/operations/{operation['id']}/results", user=user)["results"]


def state(world: World, execution_id: str) -> str:
    return world.get(f"/executions/{execution_id}")["state"]["current"]


def facts(item: dict[str, Any]) -> dict[str, Any]:
    """All that is told of one but which it is."""
    return {name: value for name, value in item.items() if name not in ("position", "executionId")}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/executions/kill/by-ids"),
        ("DELETE", "/executions/by-ids?includeNonTerminated=true"),
        ("POST", "/executions/replay/by-ids"),
        ("POST", "/executions/pause/by-ids"),
    ],
)
def test_by_ids_what_is_hidden_is_answered_as_what_is_not_there(world: World, method: str, path: str) -> None:
    ada = person(world, f"ada{len(path)}", team="operator")
    mine, hidden = paused(world, MINE), paused(world, HIDDEN)
    before = world.get("/executions/search?filters[namespace][EQUALS]=secret.b")["total"]
    operation = started(world, ada, method, path, json=[hidden, mine, NOTHING])
    assert (operation["unknown"], operation["done"] + operation["refused"]) == (2, 1)
    of_hidden, _, of_nothing = results(world, ada, operation)
    assert facts(of_hidden) == facts(of_nothing) == {"result": "unknown"}
    assert state(world, hidden) == "PAUSED"
    assert world.get("/executions/search?filters[namespace][EQUALS]=secret.b")["total"] == before


def test_a_preview_knows_nothing_of_what_is_hidden(world: World) -> None:
    ada = person(world, "previewer", team="operator")
    ids = [paused(world, HIDDEN), paused(world, MINE), NOTHING]
    found = world.request("POST", "/executions/kill/preview", user=ada, json={"ids": ids}).get_json()
    assert (found["possible"], found["refused"], found["unknown"]) == (1, [], [ids[0], NOTHING])


def test_where_one_may_only_look_it_is_refused_and_told_why(world: World) -> None:
    ada = person(world, "looker", team="operator", secret="viewer")
    hidden = paused(world, HIDDEN)
    operation = started(world, ada, "DELETE", "/executions/kill/by-ids", json=[hidden, NOTHING])
    assert (operation["refused"], operation["unknown"], operation["done"]) == (1, 1, 0)
    assert "operator in secret.b; yours is viewer" in results(world, ada, operation)[0]["why"]
    assert state(world, hidden) == "PAUSED"


def test_a_retry_asks_for_the_rights_of_then(world: World) -> None:
    ada = person(world, "retrier", team="operator", secret="operator")
    ids = [paused(world, HIDDEN), paused(world, MINE)]
    first = started(world, ada, "POST", "/executions/pause/by-ids", json=ids)
    assert first["refused"] == 2
    changed = world.request("PUT", f"/users/{ada}", json={"grants": {"team": "operator"}})
    assert changed.status_code == 200
    until(lambda: world.request("GET", f"/executions/{ids[0]}", user=ada).status_code == 404)
    again = started(world, ada, "POST", f"/operations/{first['id']}/retry")
    assert (again["refused"], again["unknown"]) == (1, 1)
    assert facts(results(world, ada, again)[0]) == {"result": "unknown"}


def test_results_of_before_tell_nothing_of_what_is_hidden_by_now(world: World) -> None:
    ada = person(world, "former", team="operator", secret="operator")
    ids = [paused(world, HIDDEN), paused(world, MINE)]
    operation = started(world, ada, "POST", "/executions/replay/by-ids", json=ids)
    assert [facts(one)["result"] for one in results(world, ada, operation)] == ["done", "done"]
    assert results(world, ada, operation)[0]["namespace"] == "secret.b"
    body = {"name": "ci", "role": "viewer", "namespaces": ["team"]}
    token = world.request("POST", "/tokens", user=ada, json=body).get_json()["token"]
    path = f"{BASE}/operations/{operation['id']}/results"
    bearer = {"Authorization": f"Bearer {token}"}
    of_hidden, of_mine = world.client.get(path, headers=bearer).get_json()["results"]
    assert (facts(of_hidden), of_mine["namespace"]) == ({"result": "unknown"}, "team.a")
    lines = list(csv.DictReader(world.client.get(f"{path}/csv", headers=bearer).text.splitlines()))
    assert [(line["result"], bool(line["newId"])) for line in lines] == [("unknown", False), ("done", True)]
