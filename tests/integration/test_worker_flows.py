"""Flows on the whole product: what tasks leave to later executions, tell their own, and how a waiting request ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.integration.web_server import Server, serving
from tests.waiting import until
from watchfloor.product import Product, running

PASSWORD = "correct horse battery"
COUNTER = """
inputs: [{id: name, type: STRING}, {id: token, type: SECRET, defaults: "hush-hush"}]
tasks:
  - id: before
    type: io.kestra.plugin.core.kv.Get
    key: "{{ inputs.name }}"
  - id: count
    type: io.kestra.plugin.core.kv.Set
    key: "{{ inputs.name }}"
    value: "{{ (outputs.before.value ?? 0) + 1 }}"
  - id: mark
    type: io.kestra.plugin.core.execution.Labels
    labels: {count: "{{ kv(inputs.name) }}", token: "{{ inputs.token }}"}
  - id: figure
    type: io.kestra.plugin.core.metric.Publish
    metrics: [{name: n, type: counter, value: "{{ kv(inputs.name) }}"}]
  - id: check
    type: io.kestra.plugin.core.execution.Assert
    conditions: ["{{ labels.count == (kv(inputs.name) | string) }}"]
  - id: clear
    type: io.kestra.plugin.core.kv.Delete
    key: "{{ inputs.name }}"
    runIf: "{{ labels.count == '2' }}"
outputs: [{id: count, type: STRING, value: "{{ labels.count }}"}]
"""
WAITS = """
inputs: [{id: uri, type: URI}]
tasks: [{id: ask, type: io.kestra.plugin.core.http.Request, uri: "{{ inputs.uri }}"}]
"""
FAILS = """
tasks:
  - id: load
    type: io.kestra.plugin.scripts.shell.Commands
    commands: ["echo no disk left >&2", "exit 3"]
errors:
  - id: tell
    type: io.kestra.plugin.core.debug.Return
    format: "{{ errorLogs() | jq('.[] | .taskId + \\": \\" + .message') }}"
"""
FLOWS = {"counter": COUNTER, "waits": WAITS, "fails": FAILS}


class Client:
    """The REST API of a product."""

    def __init__(self, product: Product) -> None:
        self.base = f"{product.url}/api/v1/main"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = ("admin", PASSWORD)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """An answer's JSON."""
        answer = self.session.request(method, self.base + path, timeout=60, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def execute(self, flow: str, query: str = "?wait=true", **inputs: str) -> Any:
        """Execute a flow."""
        parts = {name: (None, value) for name, value in inputs.items()} or {"": (None, "")}
        return self.ask("POST", f"/executions/test/{flow}{query}", files=parts)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("product")
    (folder / "flows").mkdir()
    for name, text in FLOWS.items():
        (folder / "flows" / f"{name}.yaml").write_text(f"id: {name}\nnamespace: test\n{text}")
    settings = {"WATCHFLOOR_ADMIN_PASSWORD": PASSWORD, "WATCHFLOOR_DATABASE_URL": module_database_url}
    with running(folder / "data", folder / "flows", **settings) as product:
        client = Client(product)
        until(lambda: client.ask("GET", "/flows/search?filters[namespace][EQUALS]=test")["total"] == len(FLOWS))
        yield client


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def test_values_outlive_executions_and_labels_are_set_while_one_runs(client: Client) -> None:
    first, second, third = (client.execute("counter", name="runs") for _ in range(3))
    assert [one["state"]["current"] for one in (first, second, third)] == ["SUCCESS"] * 3
    assert [one["outputs"] for one in (first, second, third)] == [{"count": "1"}, {"count": "2"}, {"count": "1"}]
    labels = {one["key"]: one["value"] for one in second["labels"]}
    assert labels == {"count": "2", "token": "******"}
    metrics = client.ask("GET", f"/metrics/{second['id']}")["results"]
    assert ("n", "counter", 2.0) in [(one["name"], one["type"], one["value"]) for one in metrics]
    found = client.ask("GET", "/executions/search?filters[labels][EQUALS][count]=2&filters[flowId][EQUALS]=counter")
    assert [one["id"] for one in found["results"]] == [second["id"]]


def test_a_kill_ends_a_request_that_waits(client: Client, server: Server) -> None:
    execution_id = client.execute("waits", query="", uri=f"{server.url}/silent")["id"]
    assert server.waiting.wait(15)
    begun = time.monotonic()
    client.ask("DELETE", f"/executions/{execution_id}/actions/kill")
    state = until(
        lambda: (now := client.ask("GET", f"/executions/{execution_id}"))["state"]["current"] == "KILLED" and now
    )
    assert time.monotonic() - begun < 5
    assert state["taskRunList"][0]["attempts"][0]["state"]["current"] == "KILLED"


def test_errors_know_the_lines_of_what_failed(client: Client) -> None:
    item = client.execute("fails")
    assert item["state"]["current"] == "FAILED"
    run = next(run for run in item["taskRunList"] if run["taskId"] == "tell")
    assert "load: no disk left" in client.ask("GET", f"/outputs/{item['id']}/{run['id']}")["value"]
