"""Runnable task types that ask, keep and tell: how their properties are read and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from engine.flow import TASK_TYPES, FlowError, WorkingDirectory, parse
from engine.flow.tasks import TASKS as KINDS
from engine.worker.tasks import TASKS, kind_of

CORE = "io.kestra.plugin.core."


def source(name: str, **properties: Any) -> str:
    """A flow of one task."""
    from io import StringIO

    out = StringIO()
    task = {"id": "t", "type": name if "." in name and name.startswith("io.") else CORE + name, **properties}
    YAML(typ="safe", pure=True).dump({"id": "f", "namespace": "n", "tasks": [task]}, out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("http.Request", {"uri": "{{ inputs.x }}"}),
        ("http.Request", {"uri": "http://x", "method": "{{ inputs.m }}", "options": {"allowFailed": True}}),
        ("http.Request", {"uri": "http://x", "options": {"allowedResponseCodes": [404, "{{ inputs.code }}"]}}),
        ("http.Request", {"uri": "http://x", "options": {"timeout": {"connectTimeout": "PT5S"}}}),
        ("io.kestra.plugin.fs.http.Download", {"uri": "http://x", "saveAs": "x.csv"}),
        ("execution.Assert", {"conditions": ["{{ true }}"]}),
        ("execution.Labels", {"labels": {"a": 1}}),
        ("execution.Labels", {"labels": [{"key": "a", "value": "b"}]}),
        ("execution.Labels", {"labels": "{{ outputs.x.vars }}"}),
        ("metric.Publish", {"metrics": [{"name": "a", "type": "counter", "value": 1}]}),
        ("kv.Set", {"key": "a", "value": None}),
        ("kv.Set", {"key": "a", "value": {"b": 1}, "kvType": "JSON", "ttl": "PT1H", "overwrite": False}),
        ("kv.Get", {"key": "a", "errorOnMissing": "{{ true }}"}),
        ("kv.Delete", {"key": "a", "namespace": "other"}),
    ],
)
def test_what_is_taken(name: str, properties: dict[str, Any]) -> None:
    flow = parse(source(name, **properties))
    assert not flow.warnings
    assert kind_of(flow.tasks[0].raw["type"]) is not None


@pytest.mark.parametrize(
    ("name", "properties", "message"),
    [
        ("http.Request", {}, "the key is missing"),
        ("http.Request", {"uri": "http://x", "method": "BREW"}, "`method`: expected one of GET, POST"),
        ("http.Request", {"uri": "http://x", "options": {"timeout": {"connectTimeout": "soon"}}}, "soon"),
        ("http.Request", {"uri": "http://x", "options": {"allowedResponseCodes": ["all"]}}, "such as 404, came 'all'"),
        ("http.Request", {"uri": "http://x", "headers": ["a"]}, "expected a mapping or text"),
        ("execution.Assert", {"conditions": []}, "expected at least 1 item"),
        ("execution.Labels", {"labels": {"system.x": "y"}}, "'system.x' is refused"),
        ("execution.Labels", {"labels": ["a"]}, "expected a mapping, or a list of key and value"),
        ("metric.Publish", {"metrics": []}, "expected at least 1 item"),
        ("kv.Set", {"key": "a"}, "the key is missing"),
        ("kv.Set", {"key": "a", "value": 1, "kvType": "BLOB"}, "expected one of STRING, NUMBER"),
        ("kv.Set", {"key": "a", "value": 1, "ttl": "soon"}, "soon"),
    ],
)
def test_what_is_refused(name: str, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(FlowError) as caught:
        parse(source(name, **properties))
    assert message in str(caught.value)


def test_every_runnable_type_of_the_model_has_its_function_and_reads_only_keys_the_model_has() -> None:
    served = (WorkingDirectory,)  # a worker does something for them when their tasks are through
    runnable = {name: model for name, model in TASK_TYPES.items() if not model.flowable or model in served}
    assert set(runnable) == set(TASKS)
    for name, model in runnable.items():
        assert set(TASKS[name].properties) <= {field.alias or key for key, field in model.model_fields.items()}, name
    assert all(kind_of(old) is TASKS[new] for old, new in KINDS.old_names.items() if new in TASKS)
