"""Values given for inputs, checked and brought to their plain form before an execution starts or goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from engine.expressions import ExpressionError, evaluate
from engine.flow.base import is_template
from engine.flow.inputs import Input
from engine.flow.model import Flow
from engine.truth import truth

Render = Callable[[Any], Any]
_ABSENT = object()
_EMPTY_IS_A_VALUE = ("STRING", "SECRET")


class InputError(ValueError):
    """Values don't fit the inputs. ``errors`` maps the id of each wrong input to what was expected and what came."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{name}: {message}" for name, message in errors.items()))


def validate_inputs(flow: Flow, given: Mapping[str, Any], render: Render | None = None) -> dict[str, Any]:
    """The flow's inputs from ``given``: see ``read_inputs``."""
    return read_inputs(flow.inputs, given, render)


def read_inputs(inputs: Iterable[Input], given: Mapping[str, Any], render: Render | None = None) -> dict[str, Any]:
    """Every input with its value, its default or None, nested by dots: ``db.host`` is ``{"db": {"host": …}}``.

    ``given`` may be flat (``{"db.host": …}``, as forms send it) or nested; names that are no input are left out.
    ``render`` evaluates defaults that are templates; without it they stay as written. Raises InputError with all
    that is wrong. None, and an empty text where the type has no use for it, count as not given. One that depends on
    others (``dependsOn``) is None unless they are as it wants them.
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    known = list(inputs)
    strays = [name for name in given if all(name not in (item.id, item.id.split(".")[0]) for item in known)]
    for item in known:
        try:
            asked = _is_asked(item, values, errors)
            _put(values, item.id, _value(item, _find(given, item.id), render) if asked else None)
        except ValueError as error:
            errors[item.id] = f"{error}{_hint(item.id, strays)}"
    if errors:
        raise InputError(errors)
    return values


def changed_inputs(inputs: Iterable[Input], known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """``known`` (nested) with what is ``given`` (flat or nested) in place of it, to be read by ``read_inputs``."""
    found = {item.id: value for item in inputs if (value := _find(given, item.id)) is not _ABSENT}
    heads = {name.split(".")[0] for name in found}
    return {**known, **{name: value for name, value in given.items() if name not in heads}, **found}


def _is_asked(item: Input, values: Mapping[str, Any], errors: Mapping[str, str]) -> bool:
    """Whether what it depends on is so. Where that is wrong itself, nothing can be said of this one."""
    depends = item.dependsOn
    if depends is None:
        return True
    if any(name in errors for name in depends.inputs):
        return False
    try:
        return truth(evaluate(depends.condition, {"inputs": values}))
    except ExpressionError as error:
        raise ValueError(f"dependsOn.condition: {error}") from error


def _value(item: Input, given: Any, render: Render | None) -> Any:
    if given is not _ABSENT and given is not None and (given != "" or item.type in _EMPTY_IS_A_VALUE):
        return item.read(given)
    if item.defaults is not None:
        return _default(item, render)
    if item.required:
        raise ValueError("expected a value, came none")
    return None


def _default(item: Input, render: Render | None) -> Any:
    if not is_template(item.defaults):
        return item.read(item.defaults)
    return item.read(render(item.defaults)) if render else item.defaults


def _find(given: Mapping[str, Any], name: str) -> Any:
    if name in given:
        return given[name]
    found: Any = given
    for step in name.split("."):
        if not isinstance(found, Mapping) or step not in found:
            return _ABSENT
        found = found[step]
    return found


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    *around, last = name.split(".")
    for step in around:
        values = values.setdefault(step, {})
    values[last] = value


def _hint(name: str, strays: list[str]) -> str:
    near = get_close_matches(name, strays, n=1)
    return f" (there is a value for {near[0]!r}, which is no input)" if near else ""
