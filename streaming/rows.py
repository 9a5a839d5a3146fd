"""The list row of an execution."""

from __future__ import annotations

from engine.model import Execution
from engine.states import State
from streaming.messages import ExecutionRow


def row_of(execution: Execution) -> ExecutionRow:
    """The row that lists, filters and counts work on."""
    trigger = execution.trigger
    return ExecutionRow(
        id=execution.id,
        version=execution.version,
        namespace=execution.namespace,
        flow_id=execution.flow_id,
        revision=execution.revision,
        state=execution.state,
        start_date=execution.start_date,
        changed_at=execution.changed_at or execution.history[-1].date,
        kind=execution.kind,
        end_date=execution.end_date,
        labels=execution.labels,
        trigger_id=trigger.id if trigger else None,
        trigger_type=trigger.type if trigger else None,
        parent_id=execution.parent_id,
        original_id=execution.original_id,
        attempt_number=execution.attempt_number,
        error=execution.error,
        last_task=execution.last_task,
        schedule_date=execution.schedule_date if execution.state is State.CREATED else None,
        triggered_by=trigger.execution_id if trigger else None,
    )
