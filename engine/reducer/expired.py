"""The last event of an execution: retention is done with it."""

from __future__ import annotations

from engine.model import Execution
from engine.reducer.env import Applied
from engine.states import TERMINAL
from streaming.messages import ExecutionExpired


def execution_expired(execution: Execution | None, event: ExecutionExpired) -> Applied:
    """Nothing of it is left, unless it was restarted since it was chosen."""
    if execution is None or execution.state not in TERMINAL or execution.history[-1].date >= event.ended_before:
        return Applied(execution)
    return Applied(None)
