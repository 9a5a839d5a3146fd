"""Field types and settings shared by the models of a flow file."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PrivateAttr, StringConstraints

from engine.durations import DurationError, parse_duration


class Model(BaseModel):
    """A part of a flow file. Names are the file's own; keys it doesn't know are ignored (and reported as warnings)."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, coerce_numbers_to_str=True, defer_build=True
    )

    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def raw(self) -> dict[str, Any]:
        """It as plain values, as written. Don't change it."""
        return self._raw


def is_template(value: Any) -> bool:
    """Whether ``value`` is text with an expression in it, so that it is known only when it runs."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _duration(value: Any) -> Any:
    if is_template(value):
        return value
    seconds = parse_duration(value)
    if seconds < 0:
        raise DurationError(f"expected a duration of at least PT0S, came {value!r}")
    return seconds


def _count(value: Any) -> Any:
    if is_template(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"expected a whole number of at least 1, came {value!r}")
    return value


def labels_of(value: Any) -> Any:
    """``{key: value}``; the list form ``[{key, value}]`` means the same."""
    pairs = isinstance(value, list) and all(
        isinstance(item, dict) and {"key", "value"} <= item.keys() for item in value
    )
    return {str(item["key"]): item["value"] for item in value} if pairs else value


def scalar_text(value: Any) -> Any:
    """Text of a number or boolean, as people write it; anything else as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


def one_or_many(value: Any) -> Any:
    """Before-validator: a single item may stand without its list."""
    return value if isinstance(value, (list, tuple)) else [value]


def _words(value: Any) -> Any:
    return shlex.split(value) if isinstance(value, str) else value


_WORDS = {dict: "a mapping", list: "a list", str: "text"}


def either(*types: type) -> BeforeValidator:
    """Field of one of ``types``; numbers and booleans count as text."""

    def check(value: Any) -> Any:
        text = scalar_text(value) if str in types else value
        if not isinstance(text, types):
            raise ValueError(f"expected {' or '.join(_WORDS[kind] for kind in types)}, came {value!r}")
        return text

    return BeforeValidator(check)


def some(value: Any) -> Any:
    """Before-validator: a list must have an item. (Pydantic's own check counts only the items without errors.)"""
    if isinstance(value, (list, tuple, dict)) and not value:
        raise ValueError("expected at least 1 item, came none")
    return value


def choice(*names: str) -> Any:
    """Type of a field that is one of ``names``, or a template that gives one when it runs."""

    def check(value: str) -> str:
        if value not in names and not is_template(value):
            raise ValueError(f"expected one of {', '.join(names)}, came {value!r}")
        return value

    return Annotated[str, AfterValidator(check)]


Text = Annotated[str, BeforeValidator(scalar_text)]
Seconds = Annotated[float, BeforeValidator(_duration)]
"""A duration of the file, in seconds."""
Duration = Annotated[float | str, BeforeValidator(_duration)]
"""Seconds, or a template that gives an ISO 8601 duration when it runs."""
Count = Annotated[int | str, BeforeValidator(_count)]
"""At least 1, or a template that gives a number when it runs."""
Condition = Annotated[str, BeforeValidator(scalar_text)]
"""Template whose result is false when it is "false", "0", "-0", "" or null."""
Labels = Annotated[dict[str, Text], BeforeValidator(labels_of)]
Strings = Annotated[tuple[Text, ...], BeforeValidator(one_or_many)]
Command = Annotated[tuple[Text, ...], BeforeValidator(_words)]

Id = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$", max_length=256)]
FlowId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$", max_length=100)]
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=150)]
InputId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]*(\.[a-zA-Z0-9][a-zA-Z0-9_-]*)*$")]
