"""Snapshots of one execution as browsers get them: without large outputs, which are there on demand."""

from __future__ import annotations

from typing import Any

from engine.model import Execution, TaskRun, evolve
from streaming import codec
from streaming.rows import row_of

_OUTPUTS_MAX_BYTES = 4_096


def light(run: TaskRun) -> TaskRun:
    """``run`` without its outputs when they are large: the live way carries what changes, not what can be asked for."""
    if run.outputs and len(codec.encode(run.outputs)) > _OUTPUTS_MAX_BYTES:
        return evolve(run, outputs={})
    return run


def of_execution(execution: Execution | None) -> Any:
    """Row, history, task runs and facts; the row is ``None`` for an execution that does not exist, or not yet."""
    if execution is None:
        return {"row": None, "history": [], "task_runs": []}
    return {
        "row": row_of(execution),
        "history": execution.history,
        "task_runs": [light(run) for run in execution.task_runs.values()],
        "inputs": execution.inputs,
        "outputs": execution.outputs,
        "variables": execution.variables,
        "trigger": execution.trigger,
        "parent_task_run_id": execution.parent_task_run_id,
    }
