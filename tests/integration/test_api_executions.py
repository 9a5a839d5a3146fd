"""Executions over the API: started, searched, acted on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api_world import ASKS, FAILS, FLOW, HANGS, World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """One for all tests here: each keeps to executions and flows of its own."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, FLOW, HANGS, FAILS, ASKS) as world:
        yield world


def test_an_execution_from_request_to_end(world: World) -> None:
    item = world.execute(
        "company.team/greet",
        "?wait=true&labels=env:prod&labels=url:http://x",
        data={"name": "Ada", "times": "2", "upload": (io.BytesIO(b"content"), "../a file.txt")},
    )
    assert item["state"]["current"] == "SUCCESS"
    assert item["url"] == f"http://localhost/executions/{item['id']}"
    assert item["outputs"] == {"said": "Hello Ada!"}
    assert item["inputs"] | {"upload": None} == {"name": "Ada", "times": 2, "token": None, "upload": None}
    assert Path(item["inputs"]["upload"].removeprefix("file://")).read_bytes() == b"content"
    assert item["inputs"]["upload"].endswith("/a_file.txt")
    assert {"key": "env", "value": "prod"} in item["labels"]
    assert {"key": "url", "value": "http://x"} in item["labels"]
    assert item["flowRevision"] == 1
    assert item["trigger"]["type"] == "manual"
    assert item["metadata"]["attemptNumber"] == 1
    state = item["state"]
    assert [one["state"] for one in state["histories"]] == ["CREATED", "RUNNING", "SUCCESS"]
    assert state["startDate"] == state["histories"][0]["date"]
    assert state["startDate"].endswith("Z")
    assert state["endDate"] == state["histories"][-1]["date"]
    assert state["duration"].startswith("PT")
    runs = {run["taskId"]: run for run in item["taskRunList"]}
    assert set(runs) == {"say", "more", "again"}
    assert runs["again"]["parentTaskRunId"] == runs["more"]["id"]
    assert runs["say"]["attempts"][0]["state"]["current"] == "SUCCESS"
    assert runs["say"]["attempts"][0]["workerId"] == "worker-1"
    assert "outputs" not in runs["say"]

    assert world.get(f"/outputs/{item['id']}/{runs['say']['id']}") == {"value": "Hello Ada"}
    assert {one["taskId"]: one["keys"] for one in world.get(f"/outputs/{item['id']}")} == {
        "say": ["value"],
        "again": ["value"],
    }
    metrics = world.get(f"/metrics/{item['id']}?sort=value:desc&size=1")
    assert metrics["total"] == 2
    assert metrics["results"][0] | {"timestamp": None, "taskRunId": None} == {
        "namespace": "company.team",
        "flowId": "greet",
        "taskId": "again",
        "executionId": item["id"],
        "taskRunId": None,
        "type": "counter",
        "name": "letters",
        "value": 10.0,
        "timestamp": None,
        "tags": {"unit": "letter"},
    }
    assert world.get(f"/metrics/{item['id']}?taskId=say")["total"] == 1


def test_bad_filters_are_told_all_at_once_with_their_places(world: World) -> None:
    bad = "filters[state][IN]=BROKEN&filters[or][2][flowId][NEAR]=a&filters[kind][EQUALS]=NORMAL"
    answer = world.request("GET", f"/executions/search?{bad}")
    assert answer.status_code == 400
    operator, value = answer.get_json()["problems"]
    assert (operator["field"], operator["op"], operator["group"]) == ("flowId", "NEAR", 2)
    assert "REGEX" in operator["allowed"]
    assert (value["part"], value["group"]) == ("filters[state][IN]", None)
    assert "FAILED" in value["allowed"]
    assert len(answer.get_json()["_embedded"]["errors"]) == 2


def test_values_of_a_field_are_listed_with_counts(world: World) -> None:
    for number in range(3):
        world.execute("company.team/greet", f"?wait=true&labels=of:values&labels=n:{number}")
    mine = "filters[labels][EQUALS][of]=values"
    path = f"/executions/distinct-field-values?{mine}"
    assert world.get(f"{path}&field=namespace&counts=true") == [
        {"value": "company", "count": 3},
        {"value": "company.team", "count": 3},
    ]
    assert world.get(f"{path}&field=labels&key=n&size=2") == ["0", "1"]
    assert set(world.get(f"{path}&field=labels&text=N")) == {"n"}
    assert world.get(f"{path}&field=taskId") == ["more"]
    answer = world.request("GET", "/executions/distinct-field-values?field=colour")
    assert answer.status_code == 400
    assert "expected one of namespace" in answer.get_json()["message"]


def test_a_disabled_flow_is_not_executed(world: World) -> None:
    log = "{id: a, type: io.kestra.plugin.core.log.Log, message: hi}"
    source = f"id: off\nnamespace: company.team\ndisabled: true\ntasks: [{log}]\n"
    assert world.request("POST", "/flows", data=source).status_code == 200
    refused = world.request("POST", "/executions/company.team/off")
    assert refused.status_code == 409
    assert refused.get_json()["message"] == (
        "Flow company.team.off is disabled: enable it in its source to execute it."
    )
    assert world.get("/executions?namespace=company.team&flowId=off")["total"] == 0


def test_executions_are_searched(world: World) -> None:
    first = world.execute("company.team/greet", "?wait=true&labels=n:1&labels=of:search")
    second = world.execute("company.other/fails", "?wait=true&labels=of:search")
    mine = "/executions/search?filters[labels][EQUALS][of]=search"
    found = world.get(f"{mine}&filters[state][IN]=FAILED,WARNING")
    assert (found["total"], [one["id"] for one in found["results"]]) == (1, [second["id"]])
    light = found["results"][0]
    assert light["state"]["current"] == "FAILED"
    assert "taskRunList" not in light
    assert light["error"]
    assert world.get(f"{mine}&state=SUCCESS")["results"][0]["id"] == first["id"]
    assert world.get(f"{mine}&filters[labels][EQUALS][n]=1")["total"] == 1
    by_start = world.get(f"{mine}&sort=state.startDate:asc&size=1&page=2")
    assert (by_start["total"], [one["id"] for one in by_start["results"]]) == (2, [second["id"]])
    of_flow = world.get("/executions?namespace=company.other&flowId=fails&size=1")
    assert [one["id"] for one in of_flow["results"]] == [second["id"]]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/executions/search?filters[state][IN]=BROKEN", "filters[state][IN]"),
        ("/executions/search?filters[color][EQUALS]=red", "there is no field 'color'"),
        ("/executions/search?filters[state][REGEX]=F", "state has no operator 'REGEX'"),
        ("/executions/search?size=100000", "size: expected a whole number from 1 to 500"),
        ("/executions/search?page=0", "page: expected a whole number"),
        ("/executions/search?sort=color:asc", "can't sort by 'color'"),
        ("/executions?namespace=a", "missing: flowId"),
        ("/flows/search?filters[state][IN]=FAILED", "flows have no such field"),
        ("/flows/company.team/greet?source=maybe", "source: expected true or false"),
        ("/logs/search?filters[level][EQUALS]=LOUD", "expected one of TRACE"),
        ("/logs/search?sort=level:asc", "expected one of timestamp"),
    ],
)
def test_what_is_wrong_with_a_query_is_said(world: World, path: str, says: str) -> None:
    answer = world.request("GET", path)
    assert answer.status_code == 400
    assert says in answer.get_json()["message"]
    assert answer.get_json()["_embedded"]["errors"]


@pytest.mark.parametrize(
    ("path", "options", "status", "says"),
    [
        ("/executions/company.team/nosuch", {}, 404, "There is no flow company.team.nosuch"),
        ("/executions/company.team/greet?revision=9", {}, 404, "revision 9"),
        ("/executions/company.team/greet", {"data": {"times": "0"}}, 422, "at least 1"),
        ("/executions/company.team/greet", {"json": ["no"]}, 400, "JSON object"),
        ("/executions/company.team/greet?labels=oops", {}, 400, "key:value"),
        ("/executions/company.team/greet?labels=system.x:y", {}, 400, "system."),
        ("/executions/company.team/greet?scheduleDate=tomorrow", {}, 400, "scheduleDate: expected an ISO 8601 date"),
        ("/executions/company.team/greet?kind=LOOP", {}, 400, "kind: expected one of NORMAL, TEST, PLAYGROUND"),
        ("/executions/company.team/greet/validate?labels=env", {}, 400, "labels: expected a label as key:value"),
        ("/executions/company.team/greet/validate?labels=system.x:1", {}, 400, "'system.x' is refused"),
    ],
)
def test_executions_that_can_not_start(
    world: World, path: str, options: dict[str, Any], status: int, says: str
) -> None:
    before = world.get("/executions/search")["total"]
    answer = world.request("POST", path, **options)
    assert answer.status_code == status
    assert says in answer.get_json()["message"]
    assert world.get("/executions/search")["total"] == before


def test_inputs_may_be_json(world: World) -> None:
    assert world.execute("company.team/greet", "?wait=true", json={"name": "Bob"})["outputs"] == {"said": "Hello Bob!"}


def test_secret_inputs_are_not_shown(world: World) -> None:
    item = world.execute("company.team/greet", "?wait=true", data={"token": "hush hush", "name": "say hush hush"})
    assert item["inputs"]["token"] == "******"
    assert item["outputs"] == {"said": "Hello say ******!"}
    run = next(run for run in item["taskRunList"] if run["taskId"] == "say")
    assert world.get(f"/outputs/{item['id']}/{run['id']}") == {"value": "Hello say ******"}
    assert "hush" not in str(list(world.events(f"/executions/{item['id']}/follow")))


def test_an_execution_is_of_a_kind_and_so_is_what_is_made_of_it(world: World) -> None:
    tried = world.execute("company.team/greet", "?wait=true&kind=TEST")
    assert tried["kind"] == "TEST"
    again = world.request("POST", f"/executions/{tried['id']}/actions/replay").get_json()
    assert again["kind"] == "TEST"
    found = world.get("/executions/search?filters[kind][EQUALS]=TEST&size=10")["results"]
    assert {one["id"] for one in found} == {tried["id"], again["id"]}
    assert world.execute("company.team/greet", "?wait=true")["kind"] == "NORMAL"


def test_an_execution_begins_at_its_date(world: World) -> None:
    date = datetime.now(UTC) + timedelta(seconds=2)
    item = world.execute("company.team/greet", f"?scheduleDate={date.isoformat()}")
    assert item["state"]["current"] == "CREATED"
    assert item["taskRunList"] == []
    assert datetime.fromisoformat(item["scheduleDate"]) == date
    (row,) = world.get(f"/executions/search?filters[id][EQUALS]={item['id']}")["results"]
    assert datetime.fromisoformat(row["scheduleDate"]) == date
    ended = world.until(item["id"], "SUCCESS")
    began = next(one["date"] for one in ended["state"]["histories"] if one["state"] == "RUNNING")
    assert datetime.fromisoformat(began) >= date
    (audited,) = world.store.audits(item["id"])
    assert datetime.fromisoformat(audited.after["scheduleDate"]) == date


def test_a_date_is_given_up_by_a_kill(world: World) -> None:
    item = world.execute("company.team/greet", "?scheduleDate=2999-01-01T00:00:00Z")
    assert [one.key for one in world.store.timers() if one.execution_id == item["id"]] == ["start"]
    assert world.request("DELETE", f"/executions/{item['id']}/actions/kill").status_code == 200
    assert world.until(item["id"], "KILLED")["taskRunList"] == []
    assert [one for one in world.store.timers() if one.execution_id == item["id"]] == []


def test_pause_resume_and_kill(world: World) -> None:
    item = world.execute("company.other/hangs")
    id = item["id"]
    world.until(id, "RUNNING")
    paused = world.request("POST", f"/executions/{id}/actions/pause?reason=because")
    assert paused.status_code == 200, paused.get_data(as_text=True)
    assert paused.get_json()["state"]["current"] == "PAUSED"

    again = world.request("POST", f"/executions/{id}/actions/pause")
    assert again.status_code == 409
    body = again.get_json()
    assert (body["state"], body["allowed"], body["action"]) == ("PAUSED", ["RUNNING"], "pause")
    assert body["message"] == "Pause works in RUNNING; the execution is PAUSED now."

    assert world.request("POST", f"/executions/{id}/actions/resume").get_json()["state"]["current"] == "RUNNING"
    killed = world.request("DELETE", f"/executions/{id}/actions/kill")
    assert killed.status_code == 200
    assert killed.get_json()["state"]["current"] in ("KILLING", "KILLED")
    audit = [(row.action, row.actor, row.reason, row.origin) for row in world.store.audits(id)]
    assert ("pause", "admin", "because", "api") in audit


def test_a_pause_task_is_resumed_with_inputs(world: World) -> None:
    id = world.execute("company.other/asks")["id"]
    world.until(id, "PAUSED")
    refused = world.request("POST", f"/executions/{id}/actions/resume", data={"approved": "perhaps"})
    assert refused.status_code in (409, 422)
    assert world.get(f"/executions/{id}")["state"]["current"] == "PAUSED"
    assert world.request("POST", f"/executions/{id}/actions/resume", data={"approved": "true"}).status_code == 200
    item = world.until(id, "SUCCESS")
    run = next(run for run in item["taskRunList"] if run["taskId"] == "after")
    assert world.get(f"/outputs/{id}/{run['id']}") == {"value": True}


def test_restart(world: World) -> None:
    id = world.execute("company.other/fails", "?wait=true")["id"]
    answer = world.request("POST", f"/executions/{id}/actions/restart")
    assert answer.status_code == 200
    assert answer.get_json()["id"] == id
    assert answer.get_json()["metadata"]["attemptNumber"] == 2
    world.until(id, "FAILED")
    assert world.request("POST", f"/executions/{id}/actions/restart?revision=x").status_code == 400


def test_actions_on_what_is_not_there(world: World) -> None:
    for method, action in (("DELETE", "kill"), ("POST", "pause"), ("POST", "resume"), ("POST", "restart")):
        answer = world.request(method, f"/executions/nobody/actions/{action}")
        assert (answer.status_code, answer.get_json()["message"]) == (404, "There is no execution nobody.")
