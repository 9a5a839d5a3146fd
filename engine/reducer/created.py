"""The first event of an execution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.flow import Flow, is_template
from engine.inputs import InputError, validate_inputs
from engine.model import Execution, Hidden, StateChange, Tally, evolve, own_labels
from engine.reducer.context import ExpressionFailed, context_of, evaluate
from engine.reducer.copies import take_over
from engine.reducer.draft import Draft
from engine.reducer.env import Env
from engine.reducer.lifecycle import enter, tell_parent
from engine.reducer.plan import Plan
from engine.reducer.scheduled import begin_when_due
from engine.secrecy import inputs_of, part
from engine.states import State
from streaming.messages import ExecutionCreated


def create(
    event: ExecutionCreated, flow: Flow | None, plan: Plan, env: Env, begin_copied: Callable[[Draft], None]
) -> Draft:
    """The execution that was asked for, with its first tasks about to begin; FAILED when it can't begin.

    ``begin_copied`` begins one that has task runs of another already.
    """
    draft = Draft(_new(event, flow), event.at, plan, env, Tally())
    problem = event.problem or _prepare(draft, event, flow, check=event.unchecked)
    if problem is None and event.copied is not None:
        problem = take_over(draft, event.copied)
    if problem is None:
        begin_when_due(draft, enter if event.copied is None else begin_copied)
    else:
        draft.log(None, "ERROR", problem)
        draft.note_error(None, problem)
        draft.become(State.FAILED)
        tell_parent(draft)
    return draft


def _new(event: ExecutionCreated, flow: Flow | None) -> Execution:
    inputs, hidden = part(flow.inputs if flow else (), event.inputs)
    return Execution(
        id=event.execution_id,
        namespace=event.namespace,
        flow_id=event.flow_id,
        revision=event.revision,
        state=State.CREATED,
        history=(StateChange(State.CREATED, event.at),),
        inputs=inputs,
        labels={**(own_labels(flow.labels) if flow else {}), **event.labels},
        trigger=event.trigger,
        parent_id=event.parent_id,
        parent_task_run_id=event.parent_task_run_id,
        original_id=event.original_id,
        attempt_number=event.attempt_number,
        chain=event.chain,
        renewal=event.renewal,
        hidden=Hidden(inputs=hidden),
        breakpoints=event.breakpoints,
        kind=event.kind,
        schedule_date=event.schedule_date,
    )


def prepare_again(draft: Draft) -> str | None:
    """For an execution that never began: what keeps it from beginning now, ``None`` when nothing does."""
    item = draft.execution
    event = ExecutionCreated(
        event_id="",
        execution_id=item.id,
        at=draft.at,
        namespace=item.namespace,
        flow_id=item.flow_id,
        revision=item.revision,
        inputs=inputs_of(item),
        labels=item.labels,
    )
    return _prepare(draft, event, draft.plan.flow, check=True)


def _prepare(draft: Draft, event: ExecutionCreated, flow: Flow | None, *, check: bool = False) -> str | None:
    """Fill in inputs and variables; what keeps the execution from beginning, ``None`` when nothing does.

    ``check``: the inputs were not checked before.
    """
    name = f"{event.namespace}.{event.flow_id}"
    if flow is None:
        return f"there is no flow {name}" + (f" with revision {event.revision}" if event.revision else "")
    if flow.disabled:
        return f"flow {name} is disabled"
    try:
        inputs = _inputs(draft, event, flow, check or event.parent_task_run_id is not None)
    except (InputError, ExpressionFailed) as error:
        return f"inputs: {error}"
    shown, hidden = part(flow.inputs, inputs)
    draft.set(inputs=shown, hidden=evolve(draft.execution.hidden, inputs=hidden))
    variables = _variables(draft, flow)
    shown = draft.hide(variables)
    hidden_ones = {name: value for name, value in variables.items() if shown[name] != value}
    draft.set(variables=shown, hidden=evolve(draft.execution.hidden, variables=hidden_ones))
    draft.set(labels={**draft.hide(_labels(draft, flow)), **event.labels})
    return None


def _inputs(draft: Draft, event: ExecutionCreated, flow: Flow, check: bool) -> dict[str, Any]:
    """The inputs, with defaults that are templates rendered. What was given is never rendered."""
    given = dict(event.inputs)
    open_defaults = [item for item in flow.inputs if is_template(item.defaults)]
    if not check and not open_defaults:
        return given
    for item in open_defaults:
        given = _without(given, item.id.split("."), item.defaults)
    context = context_of(draft)
    return validate_inputs(flow, given, lambda template: evaluate(draft, template, context))


def _without(values: dict[str, Any], path: list[str], default: Any) -> dict[str, Any]:
    """``values`` without the one at ``path`` when that is the unrendered default."""
    first, *rest = path
    if first not in values:
        return values
    if rest and isinstance(values[first], dict):
        return {**values, first: _without(values[first], rest, default)}
    return {key: value for key, value in values.items() if key != first or value != default}


def _labels(draft: Draft, flow: Flow) -> dict[str, str]:
    """The flow's labels, rendered; one that can't be stays as written."""
    context = context_of(draft)
    return {name: str(_rendered(draft, text, context)) for name, text in own_labels(flow.labels).items()}


def _variables(draft: Draft, flow: Flow) -> dict[str, Any]:
    """The flow's variables, rendered in order. One that needs what isn't there yet stays a template (``render`` it)."""
    rendered: dict[str, Any] = dict(flow.variables)
    context = {**context_of(draft), "vars": rendered}
    for name, value in flow.variables.items():
        rendered[name] = _rendered(draft, value, context)
    return rendered


def _rendered(draft: Draft, value: Any, context: dict[str, Any]) -> Any:
    try:
        return evaluate(draft, value, context)
    except ExpressionFailed:
        return value
