"""The retry behavior CREATE_NEW_EXECUTION: this execution is RETRIED, and a new one takes its place."""

from __future__ import annotations

from engine.effects import Emit, StopTasks
from engine.ids import derived_id, successor_id
from engine.model import Renewal, TaskRun
from engine.reducer import retry
from engine.reducer.attempts import abandon
from engine.reducer.draft import Draft
from engine.reducer.kill import end_now, open_runs
from engine.reducer.plan import ROOT
from engine.secrecy import inputs_of
from engine.states import State
from streaming.messages import ExecutionCreated, SubflowEnded


def renew(draft: Draft, failed: TaskRun) -> None:
    """End this execution as RETRIED and ask for the next one, with the same inputs."""
    draft.move(failed, State.RETRIED)
    stopped = []
    for run in open_runs(draft):
        if draft.node(run).container or run.id == failed.id:
            continue
        if run.attempts:
            stopped.append(run.last_attempt_id)
        end_now(draft, run)
    for container_id in draft.open_containers():
        draft.set_progress(container_id, None)
        abandon(draft, draft.runs[container_id], stopped)
        draft.move(draft.runs[container_id], State.RETRIED)
    if stopped:
        draft.effect(StopTasks(draft.id, tuple(stopped)))
    draft.set_progress(ROOT, None)
    draft.become(State.RETRIED)
    following = _next_execution(draft, failed)
    if following.parent_task_run_id is not None:
        draft.effect(Emit(_replaced(draft, following)))
    draft.effect(Emit(following))


def _replaced(draft: Draft, following: ExecutionCreated) -> SubflowEnded:
    """What tells a waiting Subflow task which execution it waits for now. It comes before that can end."""
    return SubflowEnded(
        event_id=derived_id("subflow-replaced", draft.id, draft.execution.attempt_number),
        execution_id=following.parent_id or "",
        at=draft.at,
        task_run_id=following.parent_task_run_id or "",
        child_id=draft.id,
        state=State.RETRIED,
        successor=following.execution_id,
    )


def _next_execution(draft: Draft, failed: TaskRun) -> ExecutionCreated:
    execution = draft.execution
    of_subflow = execution.parent_task_run_id is not None
    tries, since = retry.renewals(execution, failed)
    return ExecutionCreated(
        event_id=derived_id("retried", execution.id, execution.attempt_number),
        execution_id=successor_id(execution.id, draft.at),
        at=draft.at,
        namespace=execution.namespace,
        flow_id=execution.flow_id,
        revision=execution.revision,
        inputs=inputs_of(execution),
        labels=execution.labels,
        trigger=execution.trigger,
        parent_id=execution.parent_id if of_subflow else execution.id,
        parent_task_run_id=execution.parent_task_run_id,
        original_id=execution.original_id or execution.id,
        attempt_number=execution.attempt_number + 1,
        renewal=Renewal(failed.task_id, tries + 1, since),
        chain=execution.chain,
        kind=execution.kind,
    )
