"""Which log lines a request asks for: flat parameters, or the filters' wire form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import flask
import msgspec

from data.errors import FilterError
from data.log_search import LogSearchQuery
from data.records import LogQuery
from engine.durations import DurationError, parse_duration
from streaming.messages import LEVELS, Level

_KEY = re.compile(r"filters\[(\w+)\]\[(\w+)\]")


def _level(value: str) -> Level:
    level = value.upper()
    if level not in get_args(Level):
        raise ValueError(f"expected one of {', '.join(LEVELS)}, got {value!r}")
    return level  # type: ignore[return-value]


def _number(value: str) -> int:
    if not value.isdigit() or len(value) > 9:
        raise ValueError(f"expected a whole number, got {value!r}")
    return int(value)


def _date(value: str) -> datetime:
    try:
        date = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
    except ValueError:
        raise ValueError(f"expected an ISO 8601 date such as 2026-01-31T12:00:00Z, got {value!r}") from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _back(value: str) -> datetime:
    try:
        return datetime.now(UTC) - timedelta(seconds=parse_duration(value))
    except (DurationError, OverflowError):
        raise ValueError(f"expected an ISO 8601 duration such as PT24H, got {value!r}") from None


class _Field(msgspec.Struct, frozen=True):
    """A parameter: the member of the query it sets, how it is read, and the operators of its filter form."""

    member: str
    read: Callable[[str], Any] = str
    ops: tuple[str, ...] = ("EQUALS",)


_ONE = {
    "minLevel": _Field("min_level", _level, ("EQUALS", "GREATER_THAN_OR_EQUAL_TO")),
    "level": _Field("min_level", _level, ("EQUALS", "GREATER_THAN_OR_EQUAL_TO")),
    "taskId": _Field("task_id"),
    "taskRunId": _Field("task_run_id"),
    "attempt": _Field("attempt", _number),
    "attemptNumber": _Field("attempt", _number),
    "q": _Field("q"),
}
_MANY = {
    **_ONE,
    "namespace": _Field("namespace", str, ("EQUALS", "PREFIX", "IN")),
    "flowId": _Field("flow_id"),
    "executionId": _Field("execution_id"),
    "startDate": _Field("since", _date, ("GREATER_THAN_OR_EQUAL_TO", "GREATER_THAN", "EQUALS")),
    "endDate": _Field("until", _date, ("LESS_THAN_OR_EQUAL_TO", "LESS_THAN", "EQUALS")),
    "timeRange": _Field("since", _back),
}


def of_execution(execution_id: str, order: str = "time") -> LogQuery:
    """Lines of one execution."""
    if order not in ("time", "task"):
        raise FilterError("order", f"expected time or task, got {order!r}")
    return LogQuery(execution_id, order=order, **dict(_members(_ONE)))  # type: ignore[arg-type]


def of_all(before: int | None, oldest_first: bool) -> LogSearchQuery:
    """Lines of any execution."""
    return LogSearchQuery(before=before, oldest_first=oldest_first, **dict(_members(_MANY)))


def _members(fields: dict[str, _Field]) -> Iterator[tuple[str, Any]]:
    for name, value in flask.request.args.items(multi=True):
        field = _field(fields, name)
        if field is None or not value:
            continue
        try:
            yield field.member, field.read(value)
        except ValueError as error:
            raise FilterError(name, str(error)) from None


def _field(fields: dict[str, _Field], name: str) -> _Field | None:
    if not name.startswith("filters"):
        return fields.get(name)
    match = _KEY.fullmatch(name)
    if match is None:
        raise FilterError(name, "expected filters[field][OPERATOR]=value")
    field, op = match.groups()
    if field not in fields:
        raise FilterError(name, f"there is no field {field!r}; the fields are {', '.join(fields)}")
    if op not in fields[field].ops:
        raise FilterError(name, f"{field} has no operator {op!r}; it has {', '.join(fields[field].ops)}")
    return fields[field]
