"""The example flows: every file is sound, says what it is for, and together they keep something moving."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.flow import TASK_TYPES, Flow, FlowTrigger, PythonScript, Subflow, parse

FLOWS = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))


def _read(path: Path) -> Flow:
    return parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_is_a_flow_without_warnings(path: Path) -> None:
    flow = _read(path)
    assert not [str(warning) for warning in flow.warnings]
    assert flow.id == path.stem
    assert flow.description
    assert flow.labels
    assert flow.schedules() or any(isinstance(trigger, FlowTrigger) for trigger in flow.triggers)


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_python_in_it_compiles(path: Path) -> None:
    for task in _read(path).tasks_by_id.values():
        if isinstance(task, PythonScript):
            compile(task.script, f"{path.stem}.{task.id}", "exec")


def test_there_are_eight_at_least_and_each_task_type_is_shown() -> None:
    flows = [_read(path) for path in FLOWS]
    assert len(flows) >= 8
    used = {task.type for flow in flows for task in flow.tasks_by_id.values()}
    assert TASK_TYPES.keys() - used == {"io.kestra.plugin.scripts.python.Commands"}


def test_subflows_exist() -> None:
    flows = {(flow.namespace, flow.id): flow for flow in map(_read, FLOWS)}
    for flow in flows.values():
        for task in flow.tasks_by_id.values():
            if isinstance(task, Subflow):
                child = flows[task.namespace, task.flowId]
                assert task.inputs.keys() <= {item.id for item in child.inputs}
