"""Flows over the API: kept, read, searched, checked, drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from dashboard.api.absent import ABSENT, Absent
from tests.integration.api_world import ASKS, FAILS, FLOW, HANGS, World, in_namespace, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """One for all tests here: each keeps to executions and flows of its own."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, FLOW, HANGS, FAILS, ASKS) as world:
        yield world


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
    for path in ("/flows/company.team/greet", f"/executions/{item['id']}"):
        answer = world.request("GET", f"{path}/graph?subflows=more")
        assert answer.status_code == 400
        assert answer.get_json()["_embedded"]["errors"][0]["path"] == "subflows"


CALLS = """\
id: {id}
namespace: drawn
tasks:
  - id: box
    type: io.kestra.plugin.core.flow.Sequential
    tasks:
      - {{id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: {namespace}, flowId: {flow}}}
  - {{id: last, type: io.kestra.plugin.core.log.Log, message: hi}}
"""


def test_subflows_are_drawn_in_the_graph(world: World) -> None:
    for source in (
        CALLS.format(id="outer", namespace="drawn", flow="inner"),
        CALLS.format(id="inner", namespace="company.team", flow="greet"),
    ):
        assert world.request("POST", "/flows", data=source).status_code == 200
    graph = world.get("/flows/drawn/outer/graph?subflows=call,call.call")
    uids = [node["uid"] for node in graph["nodes"]]
    assert len(set(uids)) == len(uids)
    assert {"call", "call.box", "call.call", "call.call.say", "call.call.more", "call.last", "last"} <= set(uids)
    edges = {(edge["source"], edge["target"]) for edge in graph["edges"]}
    assert {end for edge in edges for end in edge} <= set(uids)
    assert {("call", "call.root.start"), ("call.root.end", "box.end"), ("call.call.root.end", "call.box.end")} <= edges
    assert ("call", "box.end") not in edges
    boxes = {box["cluster"]["uid"]: box for box in graph["clusters"]}
    assert boxes["cluster.call"]["parents"] == ["cluster.box"]
    assert boxes["cluster.call.call"]["parents"] == ["cluster.box", "cluster.call", "call.cluster.box"]
    inside = [uid for box in boxes.values() for uid in box["nodes"]]
    assert len(set(inside)) == len(inside)
    assert all(node["uid"] in boxes[node["cluster"]]["nodes"] for node in graph["nodes"] if node["cluster"])
    assert set(graph["flowables"]) >= {"call", "call.call", "call.call.more"}


@pytest.mark.parametrize("one", ABSENT, ids=lambda one: f"{one.method} {one.path}")
def test_what_is_not_here_says_why(world: World, one: Absent) -> None:
    answer = world.request(one.method, re.sub(r"\{\w+\}", "x", one.path))
    assert answer.status_code == 404
    assert one.why[1:] in answer.get_json()["message"]
