"""Tasks that need the store or tell their execution something: kv, Assert, Labels, Publish; kv(), errorLogs()."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import fsspec
import pytest

from data import Store
from engine.model import evolve
from engine.states import State
from engine.worker.limits import Limits
from streaming.bus import Bus
from streaming.messages import LogBatch, LogLine, TaskEnded
from tests.integration.homes import only
from tests.integration.worker_world import CORE, World, job


class Tasks(World):
    """A world over a real store, where each task is a new attempt."""

    def __init__(self, bus: Bus, folder: Path, store: Store, database_url: str) -> None:
        limits = Limits(kv_max_bytes=50, kv_max_keys=3, max_metrics=2)
        super().__init__(bus, folder, limits, secrets=("hunter-2",), database_url=database_url)
        self.store = store
        self._attempts = count(1)

    def task(self, name: str, context: dict[str, Any] | None = None, **properties: Any) -> TaskEnded:
        """Run a task of the core types."""
        given = {"flow": {"namespace": "ns"}, "execution": {"id": "execution"}} | (context or {})
        return self.run(evolve(job(f"{CORE}{name}", context=given, **properties), attempt=next(self._attempts)))

    def value(self, expression: str, **context: Any) -> Any:
        """What an expression gives on a worker."""
        ended = self.task("output.OutputValues", context, values={"it": expression})
        assert ended.state is State.SUCCESS, ended.error
        return ended.outputs["values"]["it"]


@pytest.fixture
def world(bus: Bus, tmp_path: Path, store: Store, database_url: str) -> Iterator[Tasks]:
    world = Tasks(bus, tmp_path, store, database_url)
    yield world
    world.close()


# -- key-value stores


@pytest.mark.parametrize(
    ("properties", "value", "kind"),
    [
        ({"value": "{{ 40 + 2 }}"}, 42, "NUMBER"),
        ({"value": "no {{ 40 + 2 }}"}, "no 42", "STRING"),
        ({"value": {"a": ["{{ true }}"]}}, {"a": [True]}, "JSON"),
        ({"value": "{{ 40 + 2 }}", "kvType": "STRING"}, "42", "STRING"),
        ({"value": "42", "kvType": "NUMBER"}, 42, "NUMBER"),
        ({"value": "4.5", "kvType": "NUMBER"}, 4.5, "NUMBER"),
        ({"value": "True", "kvType": "BOOLEAN"}, True, "BOOLEAN"),
        ({"value": "2030-12-31T23:59:00Z", "kvType": "DATETIME"}, "2030-12-31T23:59:00Z", "DATETIME"),
        ({"value": "2030-12-31", "kvType": "DATE"}, "2030-12-31", "DATE"),
        ({"value": "PT5M", "kvType": "DURATION"}, "PT5M", "DURATION"),
        ({"value": '{"a": 1}', "kvType": "JSON"}, {"a": 1}, "JSON"),
    ],
)
def test_a_value_is_kept_with_its_type(world: Tasks, properties: dict[str, Any], value: Any, kind: str) -> None:
    assert world.task("kv.Set", key="k", **properties).state is State.SUCCESS
    found = world.store.kv("ns", "k")
    assert found is not None
    assert (found.value, found.type) == (value, kind)
    assert world.task("kv.Get", key="k").outputs == {"value": value}
    assert world.value("{{ kv('k') }}") == value


@pytest.mark.parametrize(
    ("properties", "error"),
    [
        ({"key": "a b", "value": 1}, "key: expected letters, digits, ., - and _"),
        ({"key": "k", "value": "many", "kvType": "NUMBER"}, "value: expected a number (kvType NUMBER), came 'many'"),
        ({"key": "k", "value": "yes", "kvType": "BOOLEAN"}, "value: expected true or false"),
        ({"key": "k", "value": "soon", "kvType": "DATE"}, "value: expected a date such as 2030-12-31"),
        ({"key": "k", "value": "{", "kvType": "JSON"}, "value: expected JSON"),
        ({"key": "k", "value": 1, "kvType": "{{ 'BLOB' }}"}, "kvType: expected one of STRING, NUMBER"),
        ({"key": "k", "value": 1, "ttl": "PT0S"}, "ttl: expected a duration above PT0S, came 'PT0S'"),
        ({"key": "k", "value": "x" * 60}, "50 are allowed (WATCHFLOOR_KV_MAX_BYTES)"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(world: Tasks, properties: dict[str, Any], error: str) -> None:
    ended = world.task("kv.Set", **properties)
    assert ended.state is State.FAILED
    assert ended.error is not None
    assert error in ended.error
    assert world.store.kv_list("ns") == []


def test_too_many_keys_are_refused(world: Tasks) -> None:
    states = [world.task("kv.Set", key=f"k{number}", value=number).state for number in range(4)]
    assert states == [State.SUCCESS] * 3 + [State.FAILED]
    assert world.task("kv.Set", key="k0", value="again").state is State.SUCCESS


def test_overwrite_ttl_and_namespace(world: Tasks) -> None:
    world.task("kv.Set", key="k", value=1, namespace="other", ttl="PT1H", kvDescription="what it is")
    assert world.task("kv.Set", key="k", value=2, namespace="other", overwrite=False).state is State.FAILED
    found = world.store.kv("other", "k")
    assert found is not None
    assert (found.value, found.description) == (1, "what it is")
    assert found.expires_at is not None
    assert 3500 < (found.expires_at - datetime.now(UTC)).total_seconds() <= 3600
    assert world.task("kv.Get", key="k").outputs == {"value": None}
    assert world.value("{{ kv('k', 'other') }}") == 1


def test_a_missing_key(world: Tasks) -> None:
    assert world.task("kv.Get", key="k").outputs == {"value": None}
    assert world.task("kv.Get", key="k", errorOnMissing=True).error == "the key 'k' is not in the store of 'ns'"
    assert world.value("{{ kv('k', errorOnMissing=false) ?? 'none' }}") == "none"
    error = world.task("debug.Return", format="{{ kv('k') }}").error
    assert error is not None
    assert "the key 'k' is not in the store of 'ns'" in error


def test_delete(world: Tasks) -> None:
    world.task("kv.Set", key="k", value=1)
    assert world.task("kv.Delete", key="k").outputs == {"deleted": True}
    assert world.task("kv.Delete", key="k").outputs == {"deleted": False}
    assert world.task("kv.Delete", key="k", errorOnMissing=True).state is State.FAILED


@only("sqlite")
def test_a_locked_database_is_waited_for(world: Tasks, tmp_path: Path) -> None:
    world.task("kv.Set", key="k", value=1)
    blocker = sqlite3.connect(tmp_path / "watchfloor.db", isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(1.5, lambda: blocker.execute("COMMIT"))  # longer than one try waits
    timer.start()
    ended = world.task("kv.Set", key="k", value=2)
    timer.join()
    blocker.close()
    assert ended.state is State.SUCCESS


# -- Assert, Labels, Publish


def test_assert_lets_what_is_true_pass(world: Tasks) -> None:
    ended = world.task("execution.Assert", conditions=["{{ 1 < 2 }}", "{{ 'x' }}", "true"])
    assert ended.state is State.SUCCESS
    assert {one.name: one.value for one in ended.metrics} == {"success": 3, "failed": 0}


def test_assert_says_what_is_false_as_it_is_written(world: Tasks) -> None:
    given = ["{{ 1 > 2 }}", "{{ true }}", "{{ 0 }}"]
    ended = world.task("execution.Assert", conditions=given)
    assert ended.state is State.FAILED
    assert ended.error == "2 of 3 conditions are false"
    assert world.said("ERROR")[:2] == ["False: {{ 1 > 2 }}", "False: {{ 0 }}"]
    assert {one.name: one.value for one in ended.metrics} == {"success": 1, "failed": 2}
    assert world.task("execution.Assert", conditions=given, errorMessage="too {{ 'hot' }}").error == "too hot"


@pytest.mark.parametrize(
    "labels",
    [
        {"team": "{{ 'data' }}", "n": 1},
        [{"key": "team", "value": "data"}, {"key": "n", "value": "{{ 1 }}"}],
        '{"team": "data", "n": 1}',
        "{{ {'team': 'data', 'n': 1} }}",
    ],
)
def test_labels_travel_with_the_end(world: Tasks, labels: Any) -> None:
    assert world.task("execution.Labels", labels=labels).labels == {"team": "data", "n": "1"}


@pytest.mark.parametrize(
    ("labels", "error"),
    [
        ({"{{ 'system.' }}kind": "x"}, "labels: 'system.kind' is refused"),
        ({"team": ""}, "labels: expected a key and a value, got 'team': ''"),
        ("{{ [1] }}", "labels: expected a map, or a list of key and value, got list"),
        ("no json", "labels: expected JSON"),
    ],
)
def test_labels_that_are_refused(world: Tasks, labels: Any, error: str) -> None:
    ended = world.task("execution.Labels", labels=labels)
    assert (ended.state, ended.labels) == (State.FAILED, {})
    assert ended.error is not None
    assert ended.error.startswith(error)


def test_publish_gives_metrics(world: Tasks) -> None:
    metrics = [
        {"name": "rows", "type": "counter", "value": "{{ 40 + 2 }}", "tags": {"table": "{{ 'orders' }}"}},
        {"name": "took", "type": "timer", "value": "PT1.5S"},
    ]
    rows, took = world.task("metric.Publish", metrics=metrics).metrics
    assert (rows.name, rows.type, rows.value, rows.tags) == ("rows", "counter", 42.0, {"table": "orders"})
    assert (took.name, took.type, took.value) == ("took", "timer", 1.5)


@pytest.mark.parametrize(
    ("metrics", "error"),
    [
        ([{"name": "a", "type": "gauge", "value": 1}], "metrics: expected a metric of type counter or timer"),
        (
            [{"name": "a", "type": "counter", "value": "many"}],
            "metrics: expected a metric with name, type and a number",
        ),
        ([{"type": "counter", "value": 1}], "metrics: expected a metric with name"),
        ([{"name": "a", "value": 1}] * 3, "metrics: one attempt may give 2 (WATCHFLOOR_TASK_MAX_METRICS), these are 3"),
        ("{{ 1 }}", "metrics: expected a list, got int"),
    ],
)
def test_metrics_that_are_none(world: Tasks, metrics: Any, error: str) -> None:
    ended = world.task("metric.Publish", metrics=metrics)
    assert ended.state is State.FAILED
    assert ended.error is not None
    assert ended.error.startswith(error)


def test_secrets_are_hidden_in_outputs_labels_tags_and_errors(world: Tasks) -> None:
    assert world.task("debug.Return", format="a hunter-2 b").outputs == {"value": "a ****** b"}
    assert world.task("execution.Labels", labels={"k": "hunter-2"}).labels == {"k": "******"}
    metrics = [{"name": "m", "value": 1, "tags": {"k": "hunter-2"}}]
    assert world.task("metric.Publish", metrics=metrics).metrics[0].tags == {"k": "******"}
    assert world.task("execution.Fail", errorMessage="no hunter-2").error == "no ******"
    assert "hunter-2" not in "".join(line.message for line in world.lines)


# -- functions


def test_files_are_read_by_address_and_by_name_in_the_namespace(world: Tasks) -> None:
    with fsspec.open(f"{world.files_url}/_files/ns/sql/count.sql", "wb", auto_mkdir=True) as file:
        file.write(b"SELECT 1")
    assert world.value("{{ read('sql/count.sql') }}") == "SELECT 1"
    assert world.value("{{ fileSize(fileURI('sql/count.sql')) }}") == 8
    assert world.value("{{ read(fileURI('sql/count.sql', 'ns')) }}") == "SELECT 1"
    error = world.task("debug.Return", format="{{ fileURI('nothing.sql') }}").error
    assert error is not None
    assert "the namespace 'ns' has no file 'nothing.sql'" in error


def test_error_logs_are_the_error_lines_of_the_execution(world: Tasks) -> None:
    said = ((1, "INFO", "begins"), (2, "ERROR", "no disk"), (3, "ERROR", "gives up"))
    lines = tuple(LogLine(number, datetime.now(UTC), level, text) for number, level, text in said)
    world.store.append_logs("1-1", [LogBatch("execution", "ns", "flow", "load", "run-1", 1, lines)])
    logs = world.value("{{ errorLogs() }}", error={"taskId": "load", "message": "no disk"})
    assert [(one["taskId"], one["message"]) for one in logs] == [("load", "no disk"), ("load", "gives up")]
    assert world.value("{{ errorLogs() | length }}", execution={"id": "another"}) == 0
