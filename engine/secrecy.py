"""Values that nothing shows: those of SECRET inputs and what is made of them. They are kept apart from what is shown.

Everything an execution shows (``inputs``, ``variables``, ``outputs``, errors, lines) has ``******`` in their place;
``Execution.hidden`` holds what stands there, for expressions alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.expressions import HIDDEN, forms_of, mask_tree
from engine.flow import ArrayInput, Input
from engine.model import Execution

_SECRET = "SECRET"


def is_secret(item: Input) -> bool:
    """Whether its value must not be shown."""
    return item.type == _SECRET or (isinstance(item, ArrayInput) and item.itemType == _SECRET)


def part(inputs: Iterable[Input], values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """``values`` of ``inputs`` as they may be shown, and the hidden ones by the ids of their inputs.

    A value that has a secret in it is hidden too, and shown with that masked.
    """
    given = [(item, value) for item in inputs if (value := _find(values, item.id)) is not None]
    secret = {item.id: value for item, value in given if is_secret(item)}
    if not secret:
        return dict(values), {}
    forms = forms_of(_texts(secret.values()))
    shown, hidden = dict(values), {}
    for item, value in given:
        seen = _masked(value) if item.id in secret else mask_tree(value, forms)
        if seen != value:
            hidden[item.id] = value
            shown = _put(shown, item.id.split("."), seen)
    return shown, hidden


def _masked(value: Any) -> Any:
    return [HIDDEN] * len(value) if isinstance(value, list) else HIDDEN


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))


def reveal(shown: Mapping[str, Any], hidden: Mapping[str, Any]) -> dict[str, Any]:
    """What ``part`` was given."""
    values = dict(shown)
    for name, value in hidden.items():
        values = _put(values, name.split("."), value)
    return values


def inputs_of(execution: Execution) -> dict[str, Any]:
    """Its inputs as they were given, the hidden ones too: for another execution, never to be shown."""
    hidden = execution.hidden.inputs
    return reveal(execution.inputs, hidden) if hidden else execution.inputs


def variables_of(execution: Execution) -> dict[str, Any]:
    """Its variables with the hidden ones."""
    hidden = execution.hidden.variables
    return {**execution.variables, **hidden} if hidden else execution.variables


def outputs_of(execution: Execution, task_run_id: str, outputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a task run with what was hidden of them."""
    hidden = execution.hidden.outputs.get(task_run_id)
    return outputs if hidden is None else reveal(outputs, hidden)


def secrets_of(execution: Execution) -> tuple[str, ...]:
    """The texts that lines, errors and outputs of its tasks must not show."""
    hidden = execution.hidden
    if not hidden.inputs and not hidden.outputs:
        return ()
    of_inputs = (value for name, value in hidden.inputs.items() if _find(execution.inputs, name) == _masked(value))
    return tuple(_texts((*of_inputs, *(one for each in hidden.outputs.values() for one in each.values()))))


def _find(values: Any, name: str) -> Any:
    for step in name.split("."):
        values = values.get(step) if isinstance(values, Mapping) else None
    return values


def _put(values: Mapping[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    first, *rest = path
    below = values.get(first)
    return {**values, first: _put(below if isinstance(below, Mapping) else {}, rest, value) if rest else value}
