"""The cost of an event doesn't grow with the width of its flow."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

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
from tests.unit.steps import steps


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


def run(flow: Flow) -> tuple[Execution, int, int]:
    """Run to the end: the execution, how many events, bytes of all changed rows."""
    applied = apply(None, ExecutionCreated("c", "e", START, flow.namespace, flow.id, 1), flow, ENV)
    jobs = [effect.job for effect in applied.effects if isinstance(effect, Submit)]
    events, size = 0, 0
    while jobs:
        job = jobs.pop()
        for event in (_started(job), _ended(job)):
            applied = apply(applied.execution, event, flow, ENV)
            events += 1
            jobs += [effect.job for effect in applied.effects if isinstance(effect, Submit)]
            size += len(codec.encode([applied.execution.task_runs[i] for i in applied.changed]))
    return applied.execution, events, size


def _started(job: Job) -> Event:
    return TaskStarted("s", job.execution_id, START, job.task_run_id, job.attempt, "w")


def _ended(job: Job) -> Event:
    return TaskEnded("x", job.execution_id, START, job.task_run_id, job.attempt, State.SUCCESS, outputs={"size": 1})


@pytest.mark.parametrize("shape", [each, parallel, dag])
def test_ten_times_wider_costs_about_ten_times_as_much(shape: Callable[[int], Flow]) -> None:
    run(shape(20))  # templates are read, and the like
    (narrow, events, size), ran = steps(partial(run, shape(100)))
    (wide, wide_events, wide_size), wide_ran = steps(partial(run, shape(1000)))
    assert narrow.state is wide.state is State.SUCCESS
    assert wide_events == 10 * events
    assert wide_size < 11 * size
    assert wide_ran < 11 * ran


def test_a_report_costs_the_same_however_many_came_before() -> None:
    assert reported(1_000) == reported(10)


def reported(tasks: int) -> int:
    """Lines that run for the last report of an execution with so many task runs."""
    *before, last = _reports(tasks)
    execution = None
    for event in before:
        execution = apply(execution, event, None, ENV).execution
    applied, ran = steps(lambda: apply(execution, last, None, ENV))
    assert applied.execution.task_runs[last.task_run_id].state is State.SUCCESS
    return ran


def _reports(tasks: int) -> list[Event]:
    def task(task_id: str, state: State) -> Event:
        return TaskReported(f"{task_id}{state}", "e", START, derived_id("e", task_id), task_id, state)

    begun = ExecutionReported("begun", "e", START, "n", "f", State.RUNNING, Kind.SYNTHETIC)
    return [begun, *(task(f"t{n}", state) for n in range(tasks) for state in (State.RUNNING, State.SUCCESS))]
