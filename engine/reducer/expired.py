"""The last event of an execution: retention is done with it."""

from __future__ import annotations

from engine.model import Execution
from engine.reducer.env import Applied
from engine.reducer.reported import is_reported
from engine.states import TERMINAL
from streaming.messages import ExecutionExpired


def execution_expired(execution: Execution | None, event: ExecutionExpired) -> Applied:
    """Nothing of it is left, unless it was restarted since it was chosen or runs something still."""
    if execution is None or not has_ended(execution) or execution.history[-1].date >= event.ended_before:
        return Applied(execution)
    return Applied(None)


def has_ended(execution: Execution) -> bool:
    """Whether nothing of it runs any more, ``afterExecution`` included. What is reported may have left tasks open."""
    if execution.state not in TERMINAL:
        return False
    return is_reported(execution) or all(run.state in TERMINAL for run in execution.task_runs.values())
