"""From what a trigger starts to the event that asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.flow import is_template
from engine.ids import derived_id
from engine.inputs import InputError, validate_inputs
from engine.model import Trigger, own_labels
from engine.triggers.known import Known, Start
from streaming.messages import ExecutionCreated


def created(known: Known, start: Start, at: datetime) -> ExecutionCreated:
    """The event. Inputs that can't be filled in or don't fit make an execution that has FAILED, with the reason."""
    labels = {**own_labels(known.trigger.labels), **start.labels}
    context = known.context(start.variables)
    problem = None
    try:
        given = rendered(known, {**known.trigger.inputs, **start.inputs}, context, at)
        labels = {key: str(rendered(known, value, context, at)) for key, value in labels.items()}
        inputs = validate_inputs(known.flow, given)
    except InputError as error:
        inputs, problem = {}, f"inputs of trigger {known.trigger.id}: {error}"
    except ValueError as error:
        inputs, problem = {}, f"trigger {known.trigger.id}: {error}"
    return ExecutionCreated(
        event_id=derived_id(*start.key),
        execution_id=start.execution_id,
        at=at,
        namespace=known.flow.namespace,
        flow_id=known.flow.id,
        revision=known.revision,
        inputs=inputs,
        labels=labels,
        trigger=Trigger(known.trigger.id, known.trigger.type, start.variables, start.notify or notifies(known)),
        problem=problem,
        chain=start.chain,
    )


def notifies(known: Known) -> bool:
    """Whether the trigger wants to know how its executions end."""
    return bool(known.trigger.stopAfter)


def rendered(known: Known, value: Any, context: Mapping[str, Any], now: datetime) -> Any:
    """``value`` with its templates filled in, in lists and mappings too. Raises ``ValueError``."""
    if is_template(value):
        return known.render(value, context, now)
    if isinstance(value, Mapping):
        return {key: rendered(known, one, context, now) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rendered(known, one, context, now) for one in value]
    return value
