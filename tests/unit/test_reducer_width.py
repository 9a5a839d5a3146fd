"""The cost of an event doesn't grow with the width of its flow."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from engine.effects import Submit
from engine.flow import Flow
from engine.ids import derived_id
from engine.model import Execution, Kind
from engine.reducer import apply
from engine.states import State
from streaming import codec
from streaming.messages import Event, ExecutionCreated, ExecutionReported, Job, TaskEnded, TaskReported, TaskStarted
from tests.unit.reducer_world import ENV, START, flow_of


def each(width: int) -> Flow:
    return flow_of(f"""
tasks:
  - id: each
    type: ~ForEach
    values: "{{{{ range(1, {width}) }}}}"
    concurrencyLimit: 0
    tasks:
      - {{id: get, !Log}}
      - {{id: put, type: io.kestra.plugin.core.log.Log, message: "{{{{ outputs.get[taskrun.value].size }}}}"}}
""")


def parallel(width: int) -> Flow:
    tasks = "\n".join(f"      - {{id: t{i}, !Log}}" for i in range(width))
    return flow_of(f"tasks:\n  - id: p\n    type: ~Parallel\n    tasks:\n{tasks}\n")


def dag(width: int) -> Flow:
    """All but the last at the same time, ten at once; the last waits for all of them."""
    free = [f"      - {{task: {{id: t{i}, !Log}}}}" for i in range(width - 1)]
    needs = ", ".join(f"t{i}" for i in range(width - 1))
    last = f"      - {{task: {{id: last, !Log}}, dependsOn: [{needs}]}}"
    tasks = "\n".join([last, *free])
    return flow_of(f"tasks:\n  - id: dag\n    type: ~Dag\n    concurrent: 10\n    tasks:\n{tasks}\n")


def run(flow: Flow) -> tuple[Execution, int, int, float]:
    """Run to the end: the execution, how many events, bytes of all changed rows, seconds."""
    applied = apply(None, ExecutionCreated("c", "e", START, flow.namespace, flow.id, 1), flow, ENV)
    jobs = [effect.job for effect in applied.effects if isinstance(effect, Submit)]
    events, size = 0, 0
    begin = time.process_time()
    while jobs:
        job = jobs.pop()
        for event in (_started(job), _ended(job)):
            applied = apply(applied.execution, event, flow, ENV)
            events += 1
            jobs += [effect.job for effect in applied.effects if isinstance(effect, Submit)]
            size += len(codec.encode([applied.execution.task_runs[i] for i in applied.changed]))
    return applied.execution, events, size, time.process_time() - begin


def _started(job: Job) -> Event:
    return TaskStarted("s", job.execution_id, START, job.task_run_id, job.attempt, "w")


def _ended(job: Job) -> Event:
    return TaskEnded("x", job.execution_id, START, job.task_run_id, job.attempt, State.SUCCESS, outputs={"size": 1})


@pytest.mark.parametrize("shape", [each, parallel, dag])
def test_ten_times_wider_costs_about_ten_times_as_much(shape: Callable[[int], Flow]) -> None:
    run(shape(20))
    narrow, events, size, seconds = run(shape(200))
    wide, wide_events, wide_size, wide_seconds = run(shape(2000))
    assert narrow.state is wide.state is State.SUCCESS
    assert wide_events == 10 * events
    assert wide_size < 15 * size
    assert wide_seconds / wide_events < 3 * seconds / events
    print(f"{shape.__name__}: {events / seconds:,.0f} events/s at 200, {wide_events / wide_seconds:,.0f} at 2,000")


def test_reports_are_cheap() -> None:
    execution, count = None, 0
    begin = time.process_time()
    for number in range(1000):
        execution = None
        for event in _lifecycle(f"e{number}"):
            execution = apply(execution, event, None, ENV).execution
            count += 1
    seconds = time.process_time() - begin
    assert execution is not None
    assert execution.state is State.SUCCESS
    print(f"{count / seconds:,.0f} reports/s")
    assert count / seconds > 5_000


def _lifecycle(execution_id: str) -> list[Event]:
    def execution(state: State) -> Event:
        return ExecutionReported(f"{state}", execution_id, START, "n", "f", state, Kind.SYNTHETIC)

    def task(task_id: str, state: State) -> Event:
        return TaskReported(f"{task_id}{state}", execution_id, START, derived_id(execution_id, task_id), task_id, state)

    tasks = [task(name, state) for name in ("a", "b", "c") for state in (State.RUNNING, State.SUCCESS)]
    return [execution(State.CREATED), execution(State.RUNNING), *tasks, execution(State.SUCCESS)]
