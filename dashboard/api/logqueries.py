"""Which log lines a request asks for: flat parameters, or the filters' wire form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import flask
import msgspec

from data.errors import FilterError
from data.fields import date_of
from data.filters import split_list
from data.log_search import LogSearchQuery, Where
from data.operators import LISTS, Op
from data.records import LogQuery
from engine.durations import DurationError, parse_duration
from streaming.messages import LEVELS, Level

_KEY = re.compile(r"filters\[(\w+)\]\[(\w+)\]")
_TICK = timedelta(microseconds=1)


def _level(value: str) -> Level:
    level = value.upper()
    if level not in get_args(Level):
        raise ValueError(f"expected one of {', '.join(LEVELS)}, got {value!r}")
    return level  # type: ignore[return-value]


def _number(value: str) -> int:
    if not value.isdigit() or len(value) > 9:
        raise ValueError(f"expected a whole number, got {value!r}")
    return int(value)


def _after(value: str) -> datetime:
    return date_of(value) + _TICK


def _before(value: str) -> datetime:
    return date_of(value) - _TICK


def _back(value: str) -> datetime:
    try:
        return datetime.now(UTC) - timedelta(seconds=parse_duration(value))
    except (DurationError, OverflowError):
        raise ValueError(f"expected an ISO 8601 duration such as PT24H, got {value!r}") from None


class _Sets(msgspec.Struct, frozen=True):
    """A condition that is members of the query, read by ``read``; each can be set once."""

    members: tuple[str, ...]
    read: Callable[[str], Any] = str


class _Field(msgspec.Struct, frozen=True):
    """A parameter, by the operators of its filter form; the first one is that of its flat form.

    Those in ``sets`` set members of the query. Those in ``compares`` are conditions of their own, on values that
    ``read`` gives: any number of them must hold.
    """

    sets: Mapping[Op, _Sets] = {}
    compares: tuple[Op, ...] = ()
    read: Callable[[str], Any] = str

    @property
    def ops(self) -> tuple[Op, ...]:
        """All of them."""
        return (*self.sets, *self.compares)


_AT_LEAST = _Sets(("min_level",), _level)
_LEVEL = _Field(
    {
        Op.EQUALS: _Sets(("min_level", "max_level"), _level),
        Op.GREATER_THAN_OR_EQUAL_TO: _AT_LEAST,
        Op.LESS_THAN_OR_EQUAL_TO: _Sets(("max_level",), _level),
    }
)
_MIN_LEVEL = _Field({Op.EQUALS: _AT_LEAST, Op.GREATER_THAN_OR_EQUAL_TO: _AT_LEAST})
_Q = _Field({Op.EQUALS: _Sets(("q",))})
_ATTEMPT = _Field({Op.EQUALS: _Sets(("attempt",), _number)})
_ONE = {
    "minLevel": _MIN_LEVEL,
    "level": _LEVEL,
    "taskId": _Field({Op.EQUALS: _Sets(("task_id",))}),
    "taskRunId": _Field({Op.EQUALS: _Sets(("task_run_id",))}),
    "attempt": _ATTEMPT,
    "attemptNumber": _ATTEMPT,
    "q": _Q,
}
_CHOICE = (Op.EQUALS, Op.NOT_EQUALS, Op.IN, Op.NOT_IN)
_WORDS = (*_CHOICE, Op.CONTAINS, Op.STARTS_WITH, Op.ENDS_WITH)
_SOME = (Op.EQUALS, Op.IN)
_MANY = {
    "minLevel": _MIN_LEVEL,
    "level": _LEVEL,
    "q": _Q,
    "taskId": _Field(compares=_WORDS),
    "taskRunId": _Field(compares=_CHOICE),
    "attempt": _Field(compares=_CHOICE, read=_number),
    "attemptNumber": _Field(compares=_CHOICE, read=_number),
    "namespace": _Field(compares=(Op.PREFIX, *_WORDS)),
    "flowId": _Field(compares=_WORDS),
    "executionId": _Field(compares=_SOME),
    "triggerId": _Field(compares=_SOME),
    "startDate": _Field(
        {
            Op.GREATER_THAN_OR_EQUAL_TO: _Sets(("since",), date_of),
            Op.GREATER_THAN: _Sets(("since",), _after),
        }
    ),
    "endDate": _Field(
        {
            Op.LESS_THAN_OR_EQUAL_TO: _Sets(("until",), date_of),
            Op.LESS_THAN: _Sets(("until",), _before),
        }
    ),
    "timeRange": _Field({Op.EQUALS: _Sets(("since",), _back)}),
}
_COLUMNS = {"attemptNumber": "attempt"}


def is_of_lines(name: str) -> bool:
    """Whether a parameter chooses lines of an execution."""
    return name in _ONE or name.startswith("filters[")


def of_execution(execution_id: str, order: str = "time") -> LogQuery:
    """Lines of one execution."""
    if order not in ("time", "task"):
        raise FilterError("order", f"expected time or task, got {order!r}")
    members, _ = _read(_ONE)
    return LogQuery(execution_id, order=order, **members)  # type: ignore[arg-type]


def of_all(before: int | None, oldest_first: bool) -> LogSearchQuery:
    """Lines of any execution."""
    members, where = _read(_MANY)
    return LogSearchQuery(before=before, oldest_first=oldest_first, where=where, **members)


def _read(fields: Mapping[str, _Field]) -> tuple[dict[str, Any], tuple[Where, ...]]:
    """Members of the query, and conditions of their own. Raises ``FilterError`` naming the parameter that is wrong."""
    members: dict[str, Any] = {}
    where: list[Where] = []
    for name, field, op, value in _given(fields):
        known = fields[field]
        try:
            if op in known.sets:
                _set(members, known.sets[op], value)
            else:
                values = split_list(value) if op in LISTS else [value]
                where.append(Where(_COLUMNS.get(field, field), op, tuple(map(known.read, values))))
        except ValueError as error:
            raise FilterError(name, str(error)) from None
    return members, tuple(where)


def _set(members: dict[str, Any], sets: _Sets, value: str) -> None:
    read = sets.read(value)
    for member in sets.members:
        if members.setdefault(member, read) != read:
            raise ValueError("there is another condition on the same; one is expected")


def _given(fields: Mapping[str, _Field]) -> Iterator[tuple[str, str, Op, str]]:
    """(parameter, field, operator, value) of the request."""
    for name, value in flask.request.args.items(multi=True):
        if not value:
            continue
        if name.startswith("filters"):
            yield name, *_condition(fields, name), value
        elif name in fields:
            yield name, name, fields[name].ops[0], value


def _condition(fields: Mapping[str, _Field], name: str) -> tuple[str, Op]:
    match = _KEY.fullmatch(name)
    if match is None:
        raise FilterError(name, "expected filters[field][OPERATOR]=value")
    field, op = match.groups()
    if field not in fields:
        raise FilterError(name, f"there is no field {field!r}; the fields are {', '.join(fields)}")
    if op not in fields[field].ops:
        raise FilterError(name, f"{field} has no operator {op!r}; it has {', '.join(fields[field].ops)}")
    return field, Op(op)
