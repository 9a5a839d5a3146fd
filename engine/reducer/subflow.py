"""The Subflow task: another execution, and its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.effects import Emit
from engine.ids import dated_id, derived_id
from engine.model import Attempt, StateChange, TaskRun, Trigger, evolve, own_labels
from engine.reducer.attempts import after_retry, attempt_failed, end_attempt
from engine.reducer.containers import end_run
from engine.reducer.context import ExpressionFailed, context_of, evaluate
from engine.reducer.cuts import began
from engine.reducer.draft import Draft
from engine.reducer.kill import Order, cascade
from engine.reducer.plan import Node
from engine.reducer.rollup import is_bad
from engine.states import State
from streaming.messages import ExecutionCreated, SubflowEnded

DEPTH = "depth"
"""Variable of a subflow's trigger: how many executions lie above it."""
ROOT = "root"
"""The same, for the id of the first of them."""
_WAITING = frozenset({State.RUNNING, State.KILLING})


def begin_subflow(draft: Draft, run: TaskRun, node: Node) -> None:
    """Ask for the child execution; without ``wait`` the task is done with that."""
    created = _child(draft, run, node)
    number = len(run.attempts) + 1
    attempt = Attempt(number, State.RUNNING, (StateChange(State.RUNNING, draft.at),))
    outputs = {"executionId": created.execution_id}
    run = draft.move(
        run,
        State.RUNNING,
        attempts=(*run.attempts, attempt),
        subflow_execution_id=created.execution_id,
        outputs=outputs,
        retry_at=None,
    )
    draft.effect(Emit(created))
    if not node.task.wait:
        _well(draft, run, State.SUCCESS)


def _child(draft: Draft, run: TaskRun, node: Node) -> ExecutionCreated:
    task, execution = node.task, draft.execution
    context = context_of(draft, node, run)
    key = ("subflow", run.id, len(run.attempts) + 1)
    inherited = execution.labels if task.inheritLabels else {}
    labels = own_labels({**inherited, **evaluate(draft, task.labels, context)})
    return ExecutionCreated(
        event_id=derived_id(*key),
        execution_id=dated_id(_milliseconds(draft.at), *key),
        at=draft.at,
        namespace=evaluate(draft, task.namespace, context),
        flow_id=evaluate(draft, task.flowId, context),
        revision=task.revision or 0,
        inputs=evaluate(draft, task.inputs, context),
        labels={name: draft.hide(str(value)) for name, value in labels.items()},
        trigger=Trigger(node.id, task.type, _variables(draft)),
        parent_id=execution.id,
        parent_task_run_id=run.id,
        chain=execution.chain,
        kind=execution.kind,
    )


def _variables(draft: Draft) -> dict[str, Any]:
    execution, limit = draft.execution, draft.env.subflow_max_depth
    above = execution.trigger.variables if execution.parent_task_run_id and execution.trigger else {}
    depth = 1 + above.get(DEPTH, 0)
    if depth > limit:
        raise ExpressionFailed(f"expected subflows at most {limit} deep (WATCHFLOOR_SUBFLOW_MAX_DEPTH)")
    return {
        "executionId": execution.id,
        "namespace": execution.namespace,
        "flowId": execution.flow_id,
        "flowRevision": execution.revision,
        DEPTH: depth,
        ROOT: above.get(ROOT, execution.id),
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def subflow_ended(draft: Draft, event: SubflowEnded) -> bool:
    """The child ended, or another one took its place. With ``transmitFailed`` the task ends like it (or tries again),
    else as a SUCCESS."""
    run = draft.runs.get(event.task_run_id)
    if run is None or run.state not in _WAITING or run.subflow_execution_id != event.child_id:
        return False
    if event.successor is not None:
        _wait_for(draft, run, event.successor)
        return True
    task = draft.node(run).task
    state = event.state if task.transmitFailed or not (is_bad(event.state) or event.state is State.WARNING) else None
    outputs = {"executionId": event.child_id, "state": event.state.value, "outputs": event.outputs}
    _end(draft, evolve(run, outputs=outputs), state or State.SUCCESS, event)
    return True


def _end(draft: Draft, run: TaskRun, state: State, event: SubflowEnded) -> None:
    if not is_bad(state):
        _well(draft, run, state)
    elif run.state is State.KILLING:
        end_run(draft, end_attempt(run, State.KILLED, draft.at), State.KILLED)
    else:
        attempt_failed(draft, run, state, f"subflow execution {event.child_id} ended {event.state}")


def _well(draft: Draft, run: TaskRun, state: State) -> None:
    end_run(draft, end_attempt(run, state, draft.at), after_retry(draft, run, state))


def _wait_for(draft: Draft, run: TaskRun, successor: str) -> None:
    """The child was RETRIED by a new execution. A kill that came before is said to that one too."""
    run = evolve(run, subflow_execution_id=successor, outputs={"executionId": successor})
    draft.put(run)
    if run.state is State.KILLING:
        cascade(draft, run, Order(derived_id("kill", run.id, successor), "the kill of what runs it"))


def subflow_timed_out(draft: Draft, run: TaskRun) -> bool:
    """Its time is over: the child is killed, and the attempt failed."""
    if run.state is not State.RUNNING:
        return False
    cascade(draft, run, Order(derived_id("timeout", run.id, run.timeout_at), "the timeout of what runs it"))
    attempt_failed(draft, run, State.FAILED, f"timed out after {(run.timeout_at - began(run)).total_seconds():g} s")
    return True
