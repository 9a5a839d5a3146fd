"""Replay, and restart with another revision: a new execution, made of this one. This one keeps its state."""

from __future__ import annotations

from engine.effects import Emit
from engine.ids import dated_id, derived_id
from engine.inputs import changed_inputs
from engine.model import TaskRun, evolve, own_labels
from engine.reducer.copies import misplaced
from engine.reducer.draft import Draft
from engine.secrecy import inputs_of
from streaming.messages import ActionRequested, Copied, ExecutionCreated

REPLAY = "system.replay"
REPLAYED = "system.replayed"
RESTARTED = "system.restarted"


def replay(draft: Draft, event: ActionRequested) -> str | None:
    """Once more, from the start or from a task run, with this revision or another, with these inputs or others."""
    target = None
    if event.task_run_id is not None:
        target = draft.execution.task_runs.get(event.task_run_id)
        if target is None:
            return f"There is no task run {event.task_run_id} in this execution to replay from."
        if (problem := misplaced(draft.plan, target)) is not None:
            return f"It can't be replayed from there: {problem}."
        if event.inputs:
            return "Inputs can change only in a replay from the start; leave out the task run, or the inputs."
    copied = _copied(draft, target) if target is not None else None
    created = _new_one(draft, event, {REPLAY: "true"}, copied)
    draft.set(labels={**draft.execution.labels, REPLAYED: "true"})
    draft.log(None, "INFO", f"replayed by {event.actor}{_from(target)} as {created.execution_id}")
    return _ask_for(draft, created)


def restart_elsewhere(draft: Draft, event: ActionRequested) -> str | None:
    """What ended well is taken over, everything else runs again, with the revision that is asked for."""
    created = _new_one(draft, event, {RESTARTED: "true"}, _copied(draft))
    created = evolve(created, attempt_number=draft.execution.attempt_number + 1)
    which = f"revision {event.revision}" if event.revision else "the newest revision"
    draft.log(None, "INFO", f"restarted by {event.actor} with {which} as {created.execution_id}")
    return _ask_for(draft, created)


def _ask_for(draft: Draft, created: ExecutionCreated) -> None:
    draft.made = created.execution_id
    draft.effect(Emit(created))


def _from(target: TaskRun | None) -> str:
    if target is None:
        return ""
    return f" from task {target.task_id}" + (f" ({target.value})" if target.value is not None else "")


def _copied(draft: Draft, target: TaskRun | None = None) -> Copied:
    """All task runs without what stays behind: their past, attempts and folders."""
    runs = draft.execution.task_runs.values()
    lean = [evolve(run, history=run.history[-1:], attempts=(), folder=None) for run in runs]
    return Copied(tuple(lean), target.id if target else None, draft.execution.hidden.outputs)


def _new_one(draft: Draft, event: ActionRequested, label: dict[str, str], copied: Copied | None) -> ExecutionCreated:
    execution, flow = draft.execution, draft.plan.flow
    moment = int(draft.accepted_at.timestamp() * 1000)
    return ExecutionCreated(
        event_id=derived_id("anew", event.event_id),
        execution_id=event.new_id or dated_id(moment, "anew", execution.id, event.event_id),
        at=draft.at,
        namespace=execution.namespace,
        flow_id=execution.flow_id,
        revision=execution.revision if event.revision is None else event.revision,
        inputs=changed_inputs(flow.inputs if flow else (), inputs_of(execution), event.inputs),
        labels={**own_labels(execution.labels), **label},
        trigger=evolve(execution.trigger, notify=False) if execution.trigger else None,
        parent_id=execution.id,
        original_id=execution.original_id or execution.id,
        actor=event.actor,
        chain=execution.chain,
        breakpoints=event.breakpoints,
        copied=copied,
        unchecked=True,
        kind=execution.kind,
    )
