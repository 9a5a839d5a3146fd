"""What pydantic finds wrong, in the words of a flow file: what was expected, what came, what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_NOUNS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (str, "text"),
    (list, "a list"),
    (tuple, "a list"),
    (dict, "a mapping"),
)
_PATTERNS = {
    r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$": "an id of letters, digits, - and _ that starts with a letter or digit",
    r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$": "an id of letters, digits, -, _ and . that starts with a letter or digit",
    r"^[a-z0-9][a-z0-9._-]*$": "a namespace of lower-case letters, digits, -, _ and ., such as company.team",
}
_MESSAGES: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda ctx: "the key is missing",
    "string_type": lambda ctx: "expected text",
    "int_type": lambda ctx: "expected a whole number",
    "int_parsing": lambda ctx: "expected a whole number",
    "int_from_float": lambda ctx: "expected a whole number",
    "float_type": lambda ctx: "expected a number",
    "float_parsing": lambda ctx: "expected a number",
    "bool_type": lambda ctx: "expected true or false",
    "bool_parsing": lambda ctx: "expected true or false",
    "dict_type": lambda ctx: "expected a mapping (key: value)",
    "model_type": lambda ctx: "expected a mapping (key: value)",
    "list_type": lambda ctx: "expected a list (lines that start with -)",
    "tuple_type": lambda ctx: "expected a list (lines that start with -)",
    "literal_error": lambda ctx: f"expected one of {ctx['expected']}",
    "enum": lambda ctx: f"expected one of {ctx['expected']}",
    "greater_than_equal": lambda ctx: f"expected at least {ctx['ge']}",
    "less_than_equal": lambda ctx: f"expected at most {ctx['le']}",
    "too_short": lambda ctx: f"expected at least {ctx['min_length']} item{'s' * (ctx['min_length'] > 1)}",
    "string_too_long": lambda ctx: f"expected at most {ctx['max_length']} characters",
    "string_pattern_mismatch": lambda ctx: f"expected {_PATTERNS.get(ctx['pattern'], 'text like ' + ctx['pattern'])}",
}
_COMPLETE = ("value_error", "kind")
_WITHOUT_CAME = ("missing",)


def message_of(problem: dict[str, Any]) -> str:
    """The message of one of ``ValidationError.errors()``."""
    kind, ctx = problem["type"], problem.get("ctx") or {}
    if kind == "again":
        kind, ctx = ctx["kind"], ctx["ctx"] or {}
    text = problem["msg"].removeprefix("Value error, ")
    if kind in _COMPLETE:
        return text
    message = _MESSAGES[kind](ctx) if kind in _MESSAGES else text
    return message if kind in _WITHOUT_CAME else f"{message}, came {came(problem['input'])}"


def came(value: Any) -> str:
    """A value as the author wrote it, shortened, and what it is."""
    if value is None:
        return "nothing"
    noun = next((noun for kind, noun in _NOUNS if isinstance(value, kind)), type(value).__name__)
    if isinstance(value, (list, tuple, dict)):
        return noun if value else f"{noun} with nothing in it"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({noun})"
