"""Filters in a JSON body, ``{"filters": [{"field", "operation", "value"}]}``, as some clients send them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
import msgspec

from dashboard.api.details import wrong
from data.fields import FIELDS

Pair = tuple[str, str]
_NAMES = {name.lower(): name for name in FIELDS} | {"query": "q"}


class _Filter(msgspec.Struct, frozen=True):
    field: str
    operation: str
    value: str | int | float | bool | list[str | int | float] | dict[str, str]


class _Body(msgspec.Struct, frozen=True):
    filters: list[_Filter] = []


def pairs() -> list[Pair]:
    """The filters of the request's body, as (name, value) of a query string; 400 for a body that is none."""
    given = flask.request.get_data()
    if not given.strip():
        return []
    try:
        body = msgspec.json.decode(given, type=_Body)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise wrong("body", f"expected {{filters: [{{field, operation, value}}]}}: {error}") from error
    return [pair for one in body.filters for pair in _pairs_of(one)]


def _pairs_of(one: _Filter) -> Iterator[Pair]:
    """``field`` is written as in a query string, or as a constant (``FLOW_ID``)."""
    field = _NAMES.get(one.field.replace("_", "").lower(), one.field)
    name = f"filters[{field}][{one.operation}]"
    if isinstance(one.value, dict):
        yield from ((f"{name}[{key}]", value) for key, value in one.value.items())
    elif isinstance(one.value, list):
        yield name, ",".join(_escaped(value) for value in one.value)
    else:
        yield name, str(one.value)


def _escaped(value: Any) -> str:
    return str(value).replace("\\", "\\\\").replace(",", "\\,")
