"""What a flow without end comes to, with a real executor."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from data import Store
from engine.flow import parse
from engine.states import State
from streaming.bus import Bus
from streaming.executor import Executor, environment
from streaming.messages import ExecutionCreated
from tests.integration.executor_world import Worker, running, state_of
from tests.waiting import until
from watchfloor.settings import Settings

TWICE = """
id: twice
namespace: company.team
tasks:
  - id: both
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - {id: left, type: io.kestra.plugin.core.flow.Subflow, namespace: company.team, flowId: twice}
      - {id: right, type: io.kestra.plugin.core.flow.Subflow, namespace: company.team, flowId: twice}
"""
WIDE = """
id: wide
namespace: company.team
tasks:
  - id: rows
    type: io.kestra.plugin.core.flow.ForEach
    concurrencyLimit: 0
    values: "{{ range(1, 300) }}"
    tasks:
      - id: cells
        type: io.kestra.plugin.core.flow.ForEach
        concurrencyLimit: 0
        values: "{{ range(1, 1000) }}"
        tasks: [{id: cell, type: io.kestra.plugin.core.log.Log, message: hi}]
"""


@pytest.fixture
def made(tmp_path: Path, valkey_url: str, database_url: str, store: Store, bus: Bus) -> Executor:
    settings = Settings(
        data_dir=tmp_path,
        redis_url=valkey_url,
        database_url=database_url,
        subflow_max_executions=4,
        execution_max_task_runs=1_500,
    )
    for source in (TWICE, WIDE):
        store.save_flow(parse(source))
    return Executor(settings, store, bus, Worker(bus), environment(settings))


def created(flow_id: str) -> ExecutionCreated:
    return ExecutionCreated("c", "x", datetime.now(UTC), "company.team", flow_id, 1)


def test_a_flow_that_calls_itself_twice_comes_to_an_end_and_names_the_setting(
    made: Executor, store: Store, bus: Bus
) -> None:
    bus.append(created("twice"))
    with running(made):
        until(lambda: state_of(store, "x") is State.FAILED, "the end")
    assert store.descendants("x") == 4 + 6  # those that ran, and those that were refused
    (left, right) = store.children("x")
    assert store.descendants(left.id) + store.descendants(right.id) == 8
    refused = store.children(store.children(left.id)[0].id)[0]
    assert "expected at most 4 executions below one" in str(refused.error)
    assert "WATCHFLOOR_SUBFLOW_MAX_EXECUTIONS" in str(refused.error)


def test_more_task_runs_than_an_execution_may_have_are_refused(made: Executor, store: Store, bus: Bus) -> None:
    bus.append(created("wide"))
    with running(made):
        until(lambda: state_of(store, "x") is State.FAILED, "the end")
    row, execution = store.row("x"), store.load("x")
    assert row is not None
    assert "WATCHFLOOR_EXECUTION_MAX_TASK_RUNS" in str(row.error)
    assert execution is not None
    assert len(execution.task_runs) == 1 + 300 + 1_000
