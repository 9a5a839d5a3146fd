"""Flows over the API that are switched, deleted, taken in and out, several at once; and what leads to what."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from threading import Event as Stop
from threading import Thread
from typing import Any

import pytest

from engine.states import State
from streaming import codec, keys
from streaming.bus import Subscription
from streaming.executor import Executor
from streaming.messages import FlowsChanged
from tests.integration.api_world import HANGS, PASSWORD, World, running
from tests.waiting import until

LOG = "io.kestra.plugin.core.log.Log"
TRIGGERED = """\
id: timed
namespace: {namespace}
# every second
triggers:
  - {{id: soon, type: io.kestra.plugin.core.trigger.Schedule, cron: "* * * * * *", withSeconds: true}}
tasks:
  - {{id: one, type: io.kestra.plugin.core.log.Log, message: hi}}
"""


def plain(namespace: str, id: str, more: str = "") -> str:
    """A small flow."""
    return f"id: {id}\nnamespace: {namespace}\n{more}tasks:\n  - {{id: one, type: {LOG}, message: hi}}\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """One for all tests here: each keeps to a namespace of its own."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url) as world:
        yield world


def keep(world: World, *sources: str) -> None:
    """Save flows."""
    for source in sources:
        assert world.request("POST", "/flows", data=source).status_code == 200


def names(world: World, namespace: str) -> list[str]:
    """Ids of the flows there are in a namespace."""
    return [one["id"] for one in world.get(f"/flows/{namespace}")]


def test_a_deleted_flow_starts_nothing_and_what_runs_goes_on(world: World) -> None:
    keep(world, HANGS.replace("company.other", "gone"), plain("gone.sub", "other"))
    item = world.execute("gone/hangs")
    world.until(item["id"], "RUNNING")
    assert world.request("DELETE", "/flows/gone/hangs?reason=too+old").status_code == 204
    assert world.request("GET", "/flows/gone/hangs").status_code == 404
    assert world.request("GET", "/flows/gone/hangs?revision=1").status_code == 404
    assert names(world, "gone") == []
    assert world.get("/flows/search?namespace=gone")["total"] == 1
    kept = world.get("/flows/gone/hangs?allowDeleted=true")
    assert (kept["deleted"], kept["revision"]) == (True, 2)
    assert world.get("/flows/gone/hangs?allowDeleted=true&revision=1")["deleted"] is False
    for query in ("", "?revision=1"):
        assert world.request("POST", f"/executions/gone/hangs{query}").status_code == 404
    assert world.request("DELETE", "/flows/gone/hangs").status_code == 404
    assert world.get(f"/executions/{item['id']}/flow")["id"] == "hangs"
    job = world.worker.hanging.pop(item["id"])
    world.worker.end(job, State.SUCCESS)
    assert world.until(item["id"], "SUCCESS")["flowRevision"] == 1
    (row, *_) = world.store.audits("gone.hangs")
    assert (row.action, row.reason, row.before) == ("delete-flow", "too old", {"revision": 1})

    keep(world, HANGS.replace("company.other", "gone"))
    assert world.get("/flows/gone/hangs")["revision"] == 3
    assert [one["deleted"] for one in world.get("/flows/gone/hangs/revisions")] == [False, True, False]


@pytest.fixture
def told(world: World) -> Iterator[None]:
    """The executor is told what processes hear, as its own process does it."""
    assert world.executor is not None
    with world.bus.subscription(keys.CONTROL) as heard:
        until(lambda: heard.confirmed or heard.get(0.05))
        stop = Stop()
        thread = Thread(target=_listen, args=(heard, world.executor, stop))
        thread.start()
        yield
        stop.set()
        thread.join()


def _listen(heard: Subscription, executor: Executor, stop: Stop) -> None:
    while not stop.is_set():
        message = heard.get(0.05)
        if message and isinstance(codec.decode_control(message[1]), FlowsChanged):
            executor.flows_changed()


@pytest.mark.usefixtures("told")
def test_triggers_stop_with_their_flow_and_begin_again(world: World) -> None:
    keep(world, TRIGGERED.format(namespace="ticks"))
    states = "/triggers/ticks/timed"
    dated = lambda: world.get(states)["results"][0].get("nextEvaluationDate")  # noqa: E731
    until(dated)
    assert world.request("POST", "/flows/disable/by-ids", json=[{"namespace": "ticks", "id": "timed"}]).get_json() == {
        "count": 1
    }
    until(lambda: not dated())
    flow = world.get("/flows/ticks/timed?source=true")
    assert (flow["disabled"], flow["revision"]) == (True, 2)
    assert flow["source"] == TRIGGERED.format(namespace="ticks").replace("id: timed", "id: timed\ndisabled: true")
    answer = world.request("POST", "/executions/ticks/timed?revision=1")
    assert answer.status_code == 409
    world.request("POST", "/flows/enable/by-query?filters[namespace][EQUALS]=ticks")
    until(dated)
    assert world.get("/flows/ticks/timed?source=true")["source"].count("disabled") == 1
    assert world.request("DELETE", "/flows/delete/by-query?namespace=ticks").get_json() == {"count": 1}
    until(lambda: all(state.gone for state in world.store.trigger_states(gone=True) if state.namespace == "ticks"))
    actions = [row.action for row in world.store.audits("ticks.timed")]
    assert actions == ["delete-flow", "save-flow", "save-flow", "save-flow"]


def test_disabled_is_written_where_it_stands(world: World) -> None:
    keep(world, plain("lines", "a", "disabled: false   # not yet\n"), plain("lines", "b", "disabled: true\n"))
    both = [{"namespace": "lines", "id": one} for one in "ab"]
    assert world.request("POST", "/flows/disable/by-ids", json=both).get_json() == {"count": 2}
    first = world.get("/flows/lines/a?source=true")
    assert (first["revision"], "disabled: true   # not yet\n" in first["source"]) == (2, True)
    assert world.get("/flows/lines/b")["revision"] == 1
    one_line = f"{{id: c, namespace: lines, tasks: [{{id: one, type: {LOG}, message: hi}}]}}"
    keep(world, one_line)
    answer = world.request("POST", "/flows/disable/by-ids", json=[*both, {"namespace": "lines", "id": "c"}])
    assert answer.status_code == 422
    assert answer.get_json()["_embedded"]["errors"][0]["path"] == "disabled"


def test_revisions_are_removed_but_those_in_use(world: World) -> None:
    source = HANGS.replace("company.other", "revised")
    keep(world, source)
    item = world.execute("revised/hangs")
    world.until(item["id"], "RUNNING")
    for number in (2, 3, 4):
        assert world.request("PUT", "/flows/revised/hangs", data=f"{source}# {number}\n").status_code == 200
    path = "/flows/revised/hangs/revisions"
    assert world.request("DELETE", f"{path}?revisions=2,3").status_code == 204
    assert [one["revision"] for one in world.get(path)] == [1, 4]
    for numbers, status, says in (
        ("1", 409, "has not ended runs revision 1"),
        ("4", 409, "is the newest one"),
        ("3", 404, "no revision 3"),
        ("x", 400, "expected numbers"),
    ):
        answer = world.request("DELETE", f"{path}?revisions={numbers}")
        assert (answer.status_code, says in answer.get_json()["message"]) == (status, True), answer.get_json()
    assert [one["revision"] for one in world.get(path)] == [1, 4]


def test_bulk_saves_all_or_none_and_deletes_only_where_that_is_said(world: World) -> None:
    body = "\n---\n".join(plain("bulk", one) for one in ("a", "b"))
    saved = world.request("POST", "/flows/bulk", data=body).get_json()
    assert [(one["id"], one["revision"]) for one in saved] == [("a", 1), ("b", 1)]
    broken = world.request("POST", "/flows/bulk", data=f"{plain('bulk', 'c')}\n---\nid: [")
    assert broken.status_code == 422
    assert broken.get_json()["_embedded"]["errors"][0]["path"].startswith("[1].")
    assert names(world, "bulk") == ["a", "b"]
    keep(world, plain("bulk.sub", "kept"))
    assert world.request("POST", "/flows/bulk?namespace=bulk", data=plain("bulk", "c")).status_code == 200
    assert names(world, "bulk") == ["a", "b", "c"]
    assert world.request("POST", "/flows/bulk?delete=true", data=plain("bulk", "c")).status_code == 400
    assert world.request("POST", "/flows/bulk?delete=true&namespace=bulk", data=plain("bulk", "c")).status_code == 200
    assert (names(world, "bulk"), names(world, "bulk.sub")) == (["c"], ["kept"])


def packed(**files: str | bytes) -> io.BytesIO:
    """A zip of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as written:
        for name, text in files.items():
            written.writestr(name.replace("_", "."), text)
    buffer.seek(0)
    return buffer


def sent(world: World, content: io.BytesIO, name: str) -> Any:
    """An import of a file."""
    return world.request("POST", "/flows/import", data={"fileUpload": (content, name)})


def test_what_is_exported_can_be_imported(world: World) -> None:
    keep(world, plain("out", "a", "description: '=1+1'\nlabels: {env: prod}\n"), plain("out", "b"))
    by_query = world.request("GET", "/flows/export/by-query?namespace=out")
    assert by_query.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(by_query.data)) as read:
        assert read.namelist() == ["out.a.yml", "out.b.yml"]
        assert read.read("out.b.yml").decode() == plain("out", "b")
    by_ids = world.request("POST", "/flows/export/by-ids", json=[{"namespace": "out", "id": "b"}])
    with zipfile.ZipFile(io.BytesIO(by_ids.data)) as read:
        assert read.namelist() == ["out.b.yml"]
    rows = list(csv.DictReader(io.StringIO(world.request("GET", "/flows/export/by-query/csv?namespace=out").text)))
    assert [(row["id"], row["revision"], row["labels"]) for row in rows] == [("a", "1", "env:prod"), ("b", "1", "")]
    assert rows[0]["description"] == "'=1+1"
    assert world.request("POST", "/flows/export/by-ids", json=[{"namespace": "out", "id": "x"}]).status_code == 404

    assert world.request("DELETE", "/flows/delete/by-ids", json=[{"namespace": "out", "id": "a"}]).status_code == 200
    assert sent(world, io.BytesIO(by_query.data), "flows.zip").get_json() == []
    assert names(world, "out") == ["a", "b"]


def test_an_import_saves_what_is_a_flow_and_says_what_is_none(world: World) -> None:
    (bad,) = sent(world, packed(a_yml=plain("brought", "a"), b_yaml="id: [", c_txt="no flow"), "x.zip").get_json()
    assert bad.startswith("b.yaml: line 1")
    assert names(world, "brought") == ["a"]
    two = f"{plain('brought', 'b')}---\n{plain('brought', 'c')}"
    assert sent(world, io.BytesIO(two.encode()), "two.yaml").get_json() == []
    assert names(world, "brought") == ["a", "b", "c"]
    assert sent(world, io.BytesIO(b"PK\x03\x04 nothing of it"), "x.zip").status_code == 422
    assert sent(world, io.BytesIO(b"\xff"), "x.yaml").status_code == 422
    bomb = packed(a_yml=b"#" * (65 << 20))
    assert sent(world, bomb, "x.zip").status_code == 413
    assert world.request("POST", "/flows/import", data={"other": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/flows/delete/by-query", None),
        ("POST", "/flows/disable/by-query?page=1", None),
        ("POST", "/flows/disable/by-ids", []),
        ("POST", "/flows/enable/by-ids", ["a"]),
        ("DELETE", "/flows/delete/by-ids", [{"namespace": "x"}]),
        ("POST", "/flows/disable/by-query?filters[taskId][EQUALS]=a", None),
    ],
)
def test_what_would_mean_everything_or_nothing_is_refused(world: World, method: str, path: str, body: Any) -> None:
    assert world.request(method, path, json=body).status_code == 400


def test_one_that_is_not_there_leaves_the_others(world: World) -> None:
    keep(world, plain("both", "a"))
    pair = [{"namespace": "both", "id": "a"}, {"namespace": "both", "id": "missing"}]
    for method, path in (("DELETE", "/flows/delete/by-ids"), ("POST", "/flows/disable/by-ids")):
        assert world.request(method, path, json=pair).status_code == 404
    assert world.get("/flows/both/a")["disabled"] is False


def test_rights_are_those_of_each_namespace(world: World) -> None:
    keep(world, plain("mine", "a"), plain("theirs", "a"))
    grants = {"mine": "operator", "theirs": "viewer"}
    person = {"name": "kim", "password": PASSWORD, "role": "none", "grants": grants}
    assert world.request("POST", "/users", json=person).status_code == 200
    ask = lambda method, path, **more: world.request(method, path, user="kim", **more).status_code  # noqa: E731
    both = [{"namespace": one, "id": "a"} for one in ("mine", "theirs")]
    assert ask("POST", "/flows/disable/by-ids", json=both) == 403
    assert ask("DELETE", "/flows/delete/by-ids", json=both) == 403
    assert ask("DELETE", "/flows/theirs/a") == 403
    assert ask("DELETE", "/flows/theirs/a/revisions?revisions=1") == 403
    assert ask("POST", "/flows/bulk", data=plain("theirs", "b")) == 403
    assert ask("POST", "/flows/bulk?delete=true&namespace=theirs", data=plain("mine", "a")) == 403
    (bad,) = world.request(
        "POST", "/flows/import", user="kim", data={"fileUpload": (packed(a_yml=plain("theirs", "b")), "x.zip")}
    ).get_json()
    assert "you need the role operator in theirs" in bad
    assert ask("POST", "/flows/export/by-ids", json=both) == 200
    assert ask("POST", "/flows/disable/by-query?filters[flowId][EQUALS]=a") == 200
    assert (world.get("/flows/mine/a")["disabled"], world.get("/flows/theirs/a")["disabled"]) == (True, False)
    assert names(world, "theirs") == ["a"]


def test_sources_are_searched(world: World) -> None:
    keep(world, plain("texts", "a", "description: A Needle here\n"), plain("texts.sub", "b"), plain("other", "needle"))
    found = world.get("/flows/source?q=needle&namespace=texts")
    assert found["total"] == 1
    assert found["results"][0]["fragments"] == ["description: A Needle here"]
    assert found["results"][0]["model"]["id"] == "a"
    assert world.get("/flows/source?q=namespace:+texts&size=1")["total"] == 2
    assert world.request("GET", "/flows/source").status_code == 400


def test_flows_know_what_leads_to_them_and_where_they_lead(world: World) -> None:
    call = "  - {{id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: deps, flowId: {}}}\n"
    hears = (
        "triggers:\n  - id: after\n    type: io.kestra.plugin.core.trigger.Flow\n    conditions:\n"
        "      - {type: io.kestra.plugin.core.condition.ExecutionFlow, namespace: deps, flowId: b}\n"
    )
    keep(
        world,
        plain("deps", "a") + call.format("b"),
        plain("deps", "b") + call.format('"{{ inputs.x }}"'),
        plain("deps", "c", hears),
        plain("deps", "alone") + call.format("missing"),
    )
    edges = lambda query: [  # noqa: E731
        (one["source"], one["target"], one["relation"]) for one in world.get(f"/flows/deps/{query}")["edges"]
    ]
    task, trigger = ("deps.a", "deps.b", "FLOW_TASK"), ("deps.b", "deps.c", "FLOW_TRIGGER")
    assert edges("b/dependencies") == [task, trigger]
    assert edges("b/dependencies?destinationOnly=true") == [trigger]
    assert edges("a/dependencies") == [task]
    assert edges("a/dependencies?expandAll=true") == [task, trigger]
    assert world.get("/flows/deps/alone/dependencies") == {
        "nodes": [{"uid": "deps.alone", "namespace": "deps", "id": "alone"}],
        "edges": [],
    }
