"""The retry behavior CREATE_NEW_EXECUTION: this execution is RETRIED, and a new one takes its place."""

from __future__ import annotations

from engine.effects import Emit, StopTasks
from engine.ids import dated_id, derived_id
from engine.model import TaskRun
from engine.reducer.draft import Draft
from engine.reducer.kill import end_now, open_runs
from engine.reducer.plan import ROOT
from engine.states import State
from streaming.messages import ExecutionCreated


def renew(draft: Draft, failed: TaskRun) -> None:
    """End this execution as RETRIED and ask for the next one, with the same inputs."""
    draft.move(failed, State.RETRIED, retry_at=None)
    stopped = []
    for run in open_runs(draft):
        if draft.node(run).container or run.id == failed.id:
            continue
        if run.attempts:
            stopped.append(run.last_attempt_id)
        end_now(draft, run)
    for container_id in draft.open_containers():
        draft.set_progress(container_id, None)
        draft.move(draft.runs[container_id], State.RETRIED)
    if stopped:
        draft.effect(StopTasks(draft.id, tuple(stopped)))
    draft.set_progress(ROOT, None)
    draft.become(State.RETRIED)
    draft.effect(Emit(_next_execution(draft)))


def _next_execution(draft: Draft) -> ExecutionCreated:
    execution = draft.execution
    key = ("retried", execution.id)
    return ExecutionCreated(
        event_id=derived_id(*key),
        execution_id=dated_id(int(draft.at.timestamp() * 1000), *key),
        at=draft.at,
        namespace=execution.namespace,
        flow_id=execution.flow_id,
        revision=execution.revision,
        inputs=execution.inputs,
        labels=execution.labels,
        trigger=execution.trigger,
        parent_id=execution.id,
        original_id=execution.original_id or execution.id,
        attempt_number=execution.attempt_number + 1,
    )
