"""The REST API against a real store, bus and executor."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.states import State
from tests.integration.api_world import ASKS, BASE, FAILS, FLOW, HANGS, PASSWORD, World, running


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


# -- flows


def test_flows_are_created_read_updated_and_searched(world: World) -> None:
    source = in_namespace("edit.team", FLOW)
    for one in (source, in_namespace("edit.other", FAILS), in_namespace("edit.other", ASKS)):
        assert world.request("POST", "/flows", data=one).status_code == 200
    flow = world.get("/flows/edit.team/greet?source=true")
    assert flow["revision"] == 1
    assert flow["source"] == source
    assert flow["inputs"][0] == {"id": "name", "type": "STRING", "defaults": "world"}
    assert flow["tasks"][1]["tasks"][0]["id"] == "again"
    assert flow["deleted"] is False
    assert "source" not in world.get("/flows/edit.team/greet")

    again = world.request("PUT", "/flows/edit.team/greet", data=source.replace("Says hello", "Says more"))
    assert again.get_json()["revision"] == 2
    assert world.get("/flows/edit.team/greet")["description"] == "Says more"
    assert world.get("/flows/edit.team/greet?revision=1")["description"] == "Says hello"
    assert [one["revision"] for one in world.get("/flows/edit.team/greet/revisions")] == [1, 2]

    page = world.get("/flows/search?filters[namespace][PREFIX]=edit&size=2&sort=id:asc")
    assert (page["total"], [one["id"] for one in page["results"]]) == (3, ["asks", "fails"])
    found = world.get("/flows/search?filters[namespace][PREFIX]=edit.other&filters[q][EQUALS]=FAIL")
    assert [one["id"] for one in found["results"]] == ["fails"]
    assert world.get("/flows/search?filters[labels][EQUALS][team]=data&namespace=edit")["total"] == 1
    assert world.get("/flows/distinct-namespaces?q=edit.t") == ["edit.team"]
    assert [one["id"] for one in world.get("/flows/edit.other")] == ["asks", "fails"]
    assert world.get("/flows/edit.team/greet/tasks/say")["format"] == "{{ vars.greeting }} {{ inputs.name }}"


def test_a_broken_flow_is_refused_with_line_and_path(world: World) -> None:
    broken = FLOW.replace("io.kestra.plugin.core.debug.Return", "io.kestra.plugin.core.debug.Retrun", 1)
    answer = world.request("PUT", "/flows/company.team/greet", data=broken)
    assert answer.status_code == 422
    (error,) = answer.get_json()["_embedded"]["errors"]
    assert error["path"] == "tasks[0].type"
    assert error["line"] == 24
    assert "line 24" in error["message"]
    assert "debug.Return" in error["message"]
    assert world.get("/flows/company.team/greet")["revision"] == 1

    (result, other) = world.request("POST", "/flows/validate", data=f"{broken}\n---\n{FLOW}").get_json()
    assert "line 24" in result["constraints"]
    assert result["violations"][0]["line"] == 24
    assert other["constraints"] is None
    assert (other["flow"], other["namespace"], other["index"]) == ("greet", "company.team", 1)


def test_a_flow_is_created_once_and_updated_at_its_own_address(world: World) -> None:
    assert world.request("POST", "/flows", data=FLOW).status_code == 422
    assert world.request("PUT", "/flows/company.team/other", data=FLOW).status_code == 404
    moved = world.request("PUT", "/flows/company.team/greet", data=FLOW.replace("id: greet", "id: moved", 1))
    assert moved.status_code == 422
    assert moved.get_json()["_embedded"]["errors"][0]["path"] == "id"
    assert world.request("POST", "/flows", data=b"").status_code == 422
    assert world.request("POST", "/flows", data=b"\xff\xfe").status_code == 422


def test_graphs(world: World) -> None:
    graph = world.get("/flows/company.team/greet/graph")
    assert {node["uid"] for node in graph["nodes"]} >= {"say", "more", "again"}
    assert graph["flowables"] == ["more"]
    assert graph["edges"][0]["relation"]["relationType"] == "SEQUENTIAL"
    assert world.request("POST", "/flows/graph", data=FLOW).get_json() == graph
    item = world.execute("company.team/greet")
    assert world.get(f"/executions/{item['id']}/graph") == graph


# -- executions


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
    assert world.get("/executions/search?filters[labels][EQUALS][n]=1")["total"] == 1
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
        ("/logs/search?sort=level:asc", "sorted by timestamp"),
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
        ("/executions/company.team/greet?scheduleDate=2030-01-01", {}, 400, "not served yet"),
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


# -- actions


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


# -- logs


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


# -- following


def test_an_execution_is_followed_to_its_end(world: World) -> None:
    id = world.execute("company.other/hangs")["id"]
    world.until(id, "RUNNING")
    events = world.events(f"/executions/{id}/follow")
    name, first = next(events)
    assert (name, first["state"]["current"]) == ("progress", "RUNNING")
    job = world.worker.hanging[id]
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
    job = world.worker.hanging[id]
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


# -- who may


def from_address(address: str) -> dict[str, Any]:
    """Request options of a client at that address."""
    return {"environ_base": {"REMOTE_ADDR": address}}


def test_without_a_password_there_is_401(world: World) -> None:
    for auth in (None, ("admin", "wrong"), ("nobody", PASSWORD)):
        answer = world.client.get(f"{BASE}/executions/search", auth=auth, **from_address("10.0.0.1"))
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
        assert answer.get_json()["message"]
    assert world.client.post(f"{BASE}/flows", data=FLOW).status_code == 401


def test_wrong_passwords_are_limited_and_right_ones_are_not(world: World) -> None:
    path, here = f"{BASE}/executions/search", from_address("10.0.0.2")
    assert world.client.get(path, auth=("admin", PASSWORD), **here).status_code == 200
    answers = [world.client.get(path, auth=("admin", f"no {n}"), **here) for n in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert "Too many wrong passwords" in answers[-1].get_json()["message"]
    assert world.client.get(path, auth=("admin", PASSWORD), **here).status_code == 200


def test_a_viewer_reads_but_changes_nothing(world: World) -> None:
    world.store.save_user("vera", "viewer", PASSWORD)
    assert world.request("GET", "/executions/search", user="vera").status_code == 200
    assert world.request("POST", "/flows/validate", user="vera", data=FLOW).status_code == 200
    for method, path in (("POST", "/executions/company.team/greet"), ("PUT", "/flows/company.team/greet")):
        answer = world.request(method, path, user="vera", data={})
        assert answer.status_code == 403
        assert "yours is viewer" in answer.get_json()["message"]


def test_a_session_needs_our_own_origin_to_change_something(world: World) -> None:
    browser = world.server.test_client()
    assert browser.get(f"/login/{world.store.make_login_token('admin')}").status_code == 302
    path = f"{BASE}/executions/company.team/greet"
    assert browser.get(f"{BASE}/executions/search").status_code == 200
    assert browser.post(path).status_code == 403
    assert browser.post(path, headers={"Origin": "http://evil.example"}).status_code == 403
    foreign = browser.post(path, headers={"Origin": "http://evil.example"}, auth=("admin", PASSWORD))
    assert foreign.status_code == 403
    assert "message" in foreign.get_json()
    assert browser.post(path, headers={"Origin": "http://localhost"}).status_code == 200


# -- what is not there


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/api/v1/main/execution/search", 404, "Did you mean /api/v1/main/executions/search?"),
        ("GET", "/api/v2/x", 404, "docs/api.md lists all there is"),
        ("DELETE", "/api/v1/main/flows/a/b", 405, "it takes GET, PUT"),
        ("POST", "/api/v1/main/executions/x/actions/kill", 405, "it takes DELETE"),
        ("GET", "/api/v1/main/executions/nobody", 404, "There is no execution nobody."),
        ("GET", "/api/v1/main/executions/nobody/follow", 404, "There is no execution nobody."),
        ("GET", "/api/v1/main/logs/nobody", 404, "There is no execution nobody."),
        ("GET", "/api/v1/main/outputs/nobody", 404, "There is no execution nobody."),
        ("GET", "/api/v1/main/flows/a/b", 404, "There is no flow a.b."),
    ],
)
def test_what_is_not_there_is_said_in_json(world: World, method: str, path: str, status: int, says: str) -> None:
    answer = world.client.open(path, method=method, auth=("admin", PASSWORD))
    assert answer.status_code == status
    assert says in answer.get_json()["message"]
    assert answer.get_json()["_embedded"] == {"errors": []}
