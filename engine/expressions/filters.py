"""All filters and tests by name, each guarded: no missing names in, nothing too large out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from jinja2 import Undefined
from jinja2.utils import Namespace

from engine.expressions import dates, formats, lists, operators, text
from engine.expressions.errors import ExpressionError
from engine.expressions.limits import running
from engine.expressions.values import each, measure

_TAKES_MISSING = frozenset({"default", "defined", "undefined"})


def guarded(name: str, body: Callable[..., Any]) -> Callable[..., Any]:
    """``body`` with a look at the clock before, strict arguments, and a measured result."""
    strict = name not in _TAKES_MISSING
    if body.__name__ == "<lambda>":
        body.__name__ = body.__qualname__ = name  # what an error about its arguments says

    @wraps(body)
    def run(*args: Any, **kwargs: Any) -> Any:
        budget = running()
        budget.tick()
        if strict:
            for arg in args:
                if isinstance(arg, Undefined):
                    arg._fail_with_undefined_error()
        result = body(*args, **kwargs)
        if not isinstance(result, (bool, int)):
            measure(result, budget)
        return result

    return run


def _guard_all(table: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    return {name: guarded(name, body) for name, body in table.items()}


FILTERS: dict[str, Callable[..., Any]] = _guard_all(
    {**text.FILTERS, **lists.FILTERS, **dates.FILTERS, **formats.FILTERS, "default": lists.default}
)

HIDDEN: dict[str, Callable[..., Any]] = {
    **_guard_all(
        {
            "wf_each": each,
            "wf_concat": operators.concat,
            "wf_contains": operators.contains,
            "wf_matches": text.matches,
            "wf_range": operators.between,
            "wf_measured": lambda value: value,
        }
    ),
    "wf_namespace": lambda value: Namespace(),
    # The generator writes these two itself; the names must be known.
    "wf_coalesce": lambda left, right: left,
    "wf_if_undefined": lambda left, right: left,
}


def _empty(value: Any) -> bool:
    return value is None or (not isinstance(value, (int, float)) and not len(value))


TESTS: dict[str, Callable[..., Any]] = _guard_all(
    {
        "defined": lambda value: not isinstance(value, Undefined),
        "undefined": lambda value: isinstance(value, Undefined),
        "none": lambda value: value is None,
        "null": lambda value: value is None,
        "empty": _empty,
        "even": lambda value: value % 2 == 0,
        "odd": lambda value: value % 2 == 1,
        "divisibleby": lambda value, by: value % by == 0,
        "string": lambda value: isinstance(value, str),
        "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
        "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
        "float": lambda value: isinstance(value, float),
        "boolean": lambda value: isinstance(value, bool),
        "true": lambda value: value is True,
        "false": lambda value: value is False,
        "map": lambda value: isinstance(value, Mapping),
        "mapping": lambda value: isinstance(value, Mapping),
        "iterable": lambda value: isinstance(value, (list, tuple, Mapping)),
        "sequence": lambda value: isinstance(value, (list, tuple)),
        "json": lambda value: _is_json(value),
        "equalto": lambda value, other: value == other,
        "equals": lambda value, other: value == other,
        "eq": lambda value, other: value == other,
        "ne": lambda value, other: value != other,
        "gt": lambda value, other: value > other,
        "ge": lambda value, other: value >= other,
        "lt": lambda value, other: value < other,
        "le": lambda value, other: value <= other,
        "in": lambda value, other: operators.contains(other, value),
        "contains": operators.contains,
        "startswith": lambda value, start: text.text(value).startswith(start),
        "endswith": lambda value, end: text.text(value).endswith(end),
        "match": text.matches,
    }
)


def _is_json(value: Any) -> bool:
    try:
        formats.from_json(value)
    except ExpressionError:
        return False
    return isinstance(value, str)
