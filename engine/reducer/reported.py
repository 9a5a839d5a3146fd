"""Executions that something else runs: they are what was reported last, and the reducer starts nothing for them."""

from __future__ import annotations

from typing import Any

from engine.model import Execution, Kind, StateChange, TaskRun, evolve
from engine.reducer.env import Applied
from engine.states import STATES, TERMINAL, State
from streaming.messages import ExecutionReported, TaskReported


def is_reported(execution: Execution) -> bool:
    """Whether others run it: a synthetic one, or a foreign one."""
    return execution.kind is Kind.SYNTHETIC or is_foreign(execution)


def is_foreign(execution: Execution) -> bool:
    """Whether its id is ``<source>:<native id>``."""
    return ":" in execution.id


def execution_reported(execution: Execution | None, event: ExecutionReported) -> Applied:
    """Create it, or move it on. Older reports than what is known, and reports after the end, are dropped."""
    if execution is None:
        return Applied(_created(event))
    if not is_reported(execution) or not _is_news(execution.state, execution.history[-1], event.state, event):
        return Applied(execution)
    changes: dict[str, Any] = {"error": event.error} if event.error is not None and execution.error is None else {}
    return Applied(_moved(execution, event.state, event, **changes))


def _created(event: ExecutionReported) -> Execution:
    return Execution(
        id=event.execution_id,
        namespace=event.namespace,
        flow_id=event.flow_id,
        revision=event.revision,
        state=event.state,
        history=(StateChange(event.state, event.at),),
        version=1,
        changed_at=event.at,
        kind=event.kind,
        inputs=event.inputs,
        labels=event.labels,
        error=event.error,
    )


def _moved(execution: Execution, state: State, event: Any, **changes: Any) -> Execution:
    history = (*execution.history, StateChange(state, event.at))
    version = execution.version + 1
    return evolve(execution, state=state, history=history, version=version, changed_at=event.at, **changes)


def _is_news(before: State, last: StateChange, state: State, event: ExecutionReported | TaskReported) -> bool:
    if state is before or event.at < last.date:
        return False
    return before not in TERMINAL or state in TERMINAL or state is State.RESTARTED


def task_reported(execution: Execution | None, event: TaskReported) -> Applied:
    """Create or move on a task run of a reported execution; dropped like those of executions."""
    if execution is None or not is_reported(execution) or not STATES[event.state].of_task_run:
        return Applied(execution)
    run = execution.task_runs.get(event.task_run_id)
    change = StateChange(event.state, event.at)
    if run is None:
        run = TaskRun(event.task_run_id, event.task_id, event.state, (change,), error=event.error)
    elif _is_news(run.state, run.history[-1], event.state, event):
        run = evolve(run, state=event.state, history=(*run.history, change), error=event.error or run.error)
    else:
        return Applied(execution)
    changed = evolve(
        execution,
        version=execution.version + 1,
        changed_at=max(event.at, execution.changed_at or event.at),
        last_task=run.task_id,
        task_runs=execution.task_runs.set(run.id, run),
    )
    return Applied(changed, (run.id,))
