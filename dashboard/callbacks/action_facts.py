"""What the dialog of an action on one execution needs to know of it."""

from __future__ import annotations

from typing import Any

from dashboard.callbacks.action_request import Request
from dashboard.components.action_forms import Facts
from dashboard.services import Services
from engine.flow import Flow, FlowError, Pause, parse_stored
from engine.flow.inputs import Input
from engine.model import Execution
from engine.states import Action, State

_ASK_FOR_INPUTS = frozenset({Action.REPLAY, Action.RESUME})


def gather(services: Services, request: Request, revision: int | None = None) -> Facts:
    """The facts; of many, or of one that is not there, there are none. ``revision``: the one that is chosen."""
    execution = None if request.many else services.store.execution(request.id)
    if execution is None:
        return Facts(request.action, request.many)
    own = execution.revision
    flow = flow_of(services, execution, own if revision is None else revision)
    return Facts(
        request.action,
        state=execution.state,
        revision=own,
        revisions=tuple(one.revision for one in services.store.revisions(execution.namespace, execution.flow_id)),
        flow=flow,
        labels=execution.labels,
        task_run=execution.task_runs.get(request.task_run_id or ""),
        inputs=asked_for(execution, request, flow),
        breakpoints=getattr(execution, "breakpoints", ()),
    )


def flow_of(services: Services, execution: Execution, revision: int) -> Flow | None:
    """The flow in a revision, ``None`` when its source is not there or can't be read any more."""
    stored = services.store.flow(execution.namespace, execution.flow_id, revision)
    try:
        return parse_stored(stored.source) if stored else None
    except FlowError:
        return None


def asked_for(execution: Execution, request: Request, flow: Flow | None) -> tuple[Input, ...]:
    """The inputs that an action asks for: those of a paused task, or a flow's own with what they were."""
    if flow is None or request.action not in _ASK_FOR_INPUTS:
        return ()
    if request.action is Action.RESUME:
        return _on_resume(execution, request.task_run_id, flow)
    return tuple(_as_it_was(item, execution) for item in flow.inputs) if request.task_run_id is None else ()


def _on_resume(execution: Execution, task_run_id: str | None, flow: Flow) -> tuple[Input, ...]:
    if execution.paused_by_hand:
        return ()
    runs = (run for run in execution.task_runs.values() if run.state is State.PAUSED and task_run_id in (None, run.id))
    tasks = (flow.tasks_by_id.get(run.task_id) for run in runs)
    return next((task.onResume for task in tasks if isinstance(task, Pause) and task.onResume), ())


def _as_it_was(item: Input, execution: Execution) -> Input:
    """The input with the value that the execution had as its default. A hidden one never leaves the server."""
    if item.id in execution.hidden.inputs:
        return item.model_copy(update={"required": False, "defaults": None, "description": "Left empty: as it was."})
    value = value_at(execution.inputs, item.id)
    return item if value is None else item.model_copy(update={"defaults": value})


def value_at(values: Any, name: str) -> Any:
    """The value of an input, nested by the dots in its id; ``None`` when there is none."""
    for step in name.split("."):
        values = values.get(step) if isinstance(values, dict) else None
    return values
