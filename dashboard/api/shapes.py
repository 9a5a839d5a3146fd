"""Records as clients of the protocol know them: camelCase, ISO dates and durations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML

from data.records import MetricRow, StoredFlow
from engine.durations import format_duration
from engine.model import Attempt, Execution, History, TaskRun
from engine.states import TERMINAL, State
from streaming.messages import ExecutionRow, LogEntry

TENANT = "main"


def present(**members: Any) -> dict[str, Any]:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def state(history: History, current: State) -> dict[str, Any]:
    """A state with its history. ``duration`` is up to the end, or up to the last change of what still runs."""
    start, last = history[0].date, history[-1].date
    ended = current in TERMINAL or current is State.PAUSED
    return present(
        current=current,
        histories=[{"state": change.state, "date": change.date} for change in history],
        duration=format_duration((last - start).total_seconds()),
        startDate=start,
        endDate=last if ended else None,
    )


def labels(given: Mapping[str, str]) -> list[dict[str, str]]:
    """Labels as a list."""
    return [{"key": key, "value": value} for key, value in given.items()]


def execution(item: Execution) -> dict[str, Any]:
    """An execution with its task runs. ``version``, ``error`` and ``lastTask`` are ours."""
    runs = sorted(item.task_runs.values(), key=lambda run: (run.history[0].date, run.id))
    trigger = item.trigger
    return present(
        id=item.id,
        tenantId=TENANT,
        namespace=item.namespace,
        flowId=item.flow_id,
        flowRevision=item.revision,
        taskRunList=[task_run(item, run) for run in runs],
        inputs=item.inputs,
        outputs=item.outputs,
        labels=labels(item.labels),
        variables=item.variables,
        state=state(item.history, item.state),
        parentId=item.parent_id,
        originalId=item.original_id or item.id,
        trigger={"id": trigger.id, "type": trigger.type, "variables": trigger.variables} if trigger else None,
        metadata={"attemptNumber": item.attempt_number, "originalCreatedDate": item.start_date},
        kind=item.kind,
        scheduleDate=item.schedule_date,
        breakpoints=[breakpoint_of(one) for one in item.breakpoints] or None,
        version=item.version,
        error=item.error,
        lastTask=item.last_task,
    )


def breakpoint_of(text: str) -> dict[str, str]:
    """``task`` or ``task.value`` as a record."""
    task, _, value = text.partition(".")
    return present(id=task, value=value or None)


def row_state(row: ExecutionRow) -> dict[str, Any]:
    """A state without its history."""
    last = row.end_date or row.changed_at
    return present(
        current=row.state,
        duration=format_duration((last - row.start_date).total_seconds()),
        startDate=row.start_date,
        endDate=row.end_date,
    )


def execution_status(row: ExecutionRow) -> dict[str, Any]:
    """Which state an execution is in, for whoever follows several."""
    return {
        "executionId": row.id,
        "tenantId": TENANT,
        "namespace": row.namespace,
        "flowId": row.flow_id,
        "revision": row.revision,
        "state": row_state(row),
    }


def light_execution(row: ExecutionRow) -> dict[str, Any]:
    """An execution as lists have it: no task runs, values or history."""
    trigger = {"id": row.trigger_id, "type": row.trigger_type} if row.trigger_id else None
    return present(
        id=row.id,
        tenantId=TENANT,
        namespace=row.namespace,
        flowId=row.flow_id,
        flowRevision=row.revision,
        labels=labels(row.labels),
        state=row_state(row),
        parentId=row.parent_id,
        originalId=row.original_id or row.id,
        trigger=trigger,
        metadata={"attemptNumber": row.attempt_number},
        kind=row.kind,
        scheduleDate=row.schedule_date,
        version=row.version,
        error=row.error,
        lastTask=row.last_task,
    )


def task_run(item: Execution, run: TaskRun) -> dict[str, Any]:
    """A task run. Its outputs are at ``/outputs``."""
    return present(
        id=run.id,
        executionId=item.id,
        namespace=item.namespace,
        flowId=item.flow_id,
        taskId=run.task_id,
        parentTaskRunId=run.parent_id,
        value=run.value,
        iteration=run.iteration,
        attempts=[attempt(one) for one in run.attempts],
        state=state(run.history, run.state),
        error=run.error,
    )


def attempt(item: Attempt) -> dict[str, Any]:
    """One try of a task run."""
    return present(
        state=state(item.history, item.state) if item.history else {"current": item.state, "histories": []},
        workerId=item.worker_id,
        error=item.error,
    )


def log_entry(entry: LogEntry) -> dict[str, Any]:
    """A log line. ``seq`` (rising over everything) and ``lineNumber`` (in its attempt) are ours."""
    return present(
        namespace=entry.namespace,
        flowId=entry.flow_id,
        taskId=entry.task_id,
        executionId=entry.execution_id,
        taskRunId=entry.task_run_id,
        attemptNumber=entry.attempt,
        timestamp=entry.date,
        level=entry.level,
        message=entry.message,
        seq=entry.seq,
        lineNumber=entry.number,
    )


def log_line(entry: LogEntry) -> str:
    """A log line of a downloaded file."""
    return f"{iso(entry.date)} {entry.level} {entry.task_id or '-'} {entry.message}\n"


def iso(moment: datetime) -> str:
    """ISO 8601, UTC as ``Z``, milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def metric_entry(item: Execution, metric: MetricRow) -> dict[str, Any]:
    """A figure a task gave."""
    return {
        "namespace": item.namespace,
        "flowId": item.flow_id,
        "taskId": metric.task_id,
        "executionId": metric.execution_id,
        "taskRunId": metric.task_run_id,
        "type": metric.type,
        "name": metric.name,
        "value": metric.value,
        "timestamp": metric.date,
        "tags": metric.tags,
    }


def flow(stored: StoredFlow, *, source: bool = False) -> dict[str, Any]:
    """A flow's own keys as JSON, its revision, and its text when ``source``."""
    more = {"source": stored.source} if source else {}
    return {
        **_keys(stored.source),
        "tenantId": TENANT,
        "id": stored.id,
        "namespace": stored.namespace,
        "revision": stored.revision,
        "disabled": stored.disabled,
        "deleted": stored.deleted,
        "updated": stored.updated_at,
        **more,
    }


@lru_cache(maxsize=2_048)
def _keys(source: str) -> Mapping[str, Any]:
    loaded = YAML(typ="safe", pure=True).load(source)
    return loaded if isinstance(loaded, dict) else {}


def page(results: Sequence[Any], total: int) -> dict[str, Any]:
    """One page of many."""
    return {"results": list(results), "total": total}
