"""Filters of executions: one table of fields and operators, one wire form, and what they mean in Python.

The wire form is ``filters[field][OP]=value``, lists comma-joined, labels ``filters[labels][OP][key]=value``; the page's
URL, the REST API and the live topics share it. The flat parameters of older clients (``state=FAILED``) are taken too.
``data.clauses`` says the same in SQL; a property test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from data.counters import text_of
from data.errors import FilterError
from data.operators import LISTS, NEGATIONS, OPERATORS, Op
from engine.durations import DurationError, parse_duration
from engine.model import Kind
from engine.states import EXECUTION_STATES
from streaming.messages import ExecutionRow

SYSTEM = "system"
ID_START = 8  # shortest beginning of an id that free text finds
ID_END = 4  # shortest end of an id that free text finds
_KEY = re.compile(r"filters\[(\w+)\]\[(\w+)\](?:\[(.+)\])?", re.DOTALL)
_LOST_PLUS = re.compile(r" (\d\d:\d\d)$")


class Condition(msgspec.Struct, frozen=True):
    """One condition. ``values`` are as on the wire, never empty; ``key`` is the label's."""

    field: str
    op: Op
    values: tuple[str, ...]
    key: str | None = None


class Filters(msgspec.Struct, frozen=True):
    """Conditions that must all hold."""

    conditions: tuple[Condition, ...] = ()


# -- values: from the wire to what is compared


def _text(value: str) -> str:
    if not value.strip() or "\x00" in value:
        raise ValueError("expected a text, got an empty one")
    return value


def _one_of(*allowed: str) -> Callable[[str], str]:
    def convert(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}, got {value!r}")
        return value

    return convert


def _date(value: str) -> datetime:
    try:
        date = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", value))
    except ValueError:
        raise ValueError(f"expected an ISO 8601 date such as 2026-01-31T12:00:00Z, got {value!r}") from None
    try:
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"expected a date between the years 1 and 9999 in UTC, got {value!r}") from None


def _duration(value: str) -> timedelta:
    try:
        return timedelta(seconds=parse_duration(value))
    except (DurationError, OverflowError):
        raise ValueError(f"expected an ISO 8601 duration such as PT24H, got {value!r}") from None


def needle(value: str) -> str:
    """What free text is compared with, letter case aside."""
    return " ".join(value.split()).lower()


# -- fields


class Field(msgspec.Struct, frozen=True):
    """A field: its operators, how a value is read, and which attribute of a row it compares."""

    name: str
    ops: tuple[Op, ...]
    convert: Callable[[str], Any]
    value: Callable[[ExecutionRow], Any] | None = None


def _child(row: ExecutionRow) -> str:
    return "MAIN" if row.parent_id is None else "CHILD"


def _scope(row: ExecutionRow) -> str:
    return "SYSTEM" if OPERATORS[Op.PREFIX].test(row.namespace, [SYSTEM]) else "USER"


_EQUAL = (Op.EQUALS, Op.NOT_EQUALS)
_CHOICE = (Op.IN, Op.NOT_IN, *_EQUAL)
_WORDS = (Op.EQUALS, Op.NOT_EQUALS, Op.CONTAINS, Op.STARTS_WITH, Op.ENDS_WITH, Op.IN, Op.NOT_IN)
_ORDER = (
    Op.GREATER_THAN_OR_EQUAL_TO,
    Op.GREATER_THAN,
    Op.LESS_THAN_OR_EQUAL_TO,
    Op.LESS_THAN,
    Op.EQUALS,
    Op.NOT_EQUALS,
)

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("q", (Op.EQUALS,), _text),
        Field("namespace", (*_WORDS, Op.PREFIX), _text, lambda row: row.namespace),
        Field("flowId", _WORDS, _text, lambda row: row.flow_id),
        Field("state", _CHOICE, _one_of(*EXECUTION_STATES), lambda row: row.state),
        Field("kind", _CHOICE, _one_of(*Kind), lambda row: row.kind),
        Field("scope", _EQUAL, _one_of("USER", "SYSTEM"), _scope),
        Field("childFilter", (Op.EQUALS,), _one_of("CHILD", "MAIN"), _child),
        Field("labels", (*_CHOICE, Op.CONTAINS), _text),
        Field("timeRange", (Op.EQUALS,), _duration),
        Field("startDate", _ORDER, _date, lambda row: row.start_date),
        Field("endDate", _ORDER, _date, lambda row: row.end_date),
        Field("parentId", _WORDS, _text, lambda row: row.parent_id),
        Field("triggerExecutionId", _WORDS, _text, lambda row: row.parent_id),
    )
}
_LEGACY_OPS = {
    "state": Op.IN,
    "namespace": Op.PREFIX,
    "startDate": Op.GREATER_THAN_OR_EQUAL_TO,
    "endDate": Op.LESS_THAN_OR_EQUAL_TO,
}
_LEGACY = (
    *("q", "scope", "namespace", "flowId", "startDate", "endDate", "timeRange", "state", "labels"),
    *("triggerExecutionId", "childFilter"),
)


def wanted(condition: Condition) -> list[Any]:
    """The condition's values as what is compared."""
    convert = FIELDS[condition.field].convert
    return [convert(value) for value in condition.values]


# -- from and to the wire


def parse(args: Any) -> Filters:
    """Filters of a query string's (name, value) pairs, a MultiDict or a dict; other parameters are left alone.

    Raises ``FilterError`` naming the part, what is allowed, and what came.
    """
    merged: dict[tuple[str, Op, str | None, int], list[str]] = {}
    for number, (name, value) in enumerate(_pairs(args)):
        if (read := _read(name, value)) is None:
            continue
        field, op, key, values = read
        merged.setdefault((field, op, key, 0 if op in LISTS else number), []).extend(values)
    conditions = [Condition(field, op, tuple(values), key) for (field, op, key, _), values in merged.items()]
    for condition in conditions:
        _check(condition)
    return Filters(tuple(conditions))


def parse_query_string(text: str) -> Filters:
    """Filters of a query string, with or without its question mark."""
    return parse(parse_qsl(text.removeprefix("?"), keep_blank_values=True))


def to_query_string(filters: Filters) -> str:
    """The wire form; ``parse_query_string`` gives the same filters back."""
    return "&".join(f"{quote(_name(c), safe='[]')}={quote(','.join(c.values), safe=',:')}" for c in filters.conditions)


def _pairs(args: Any) -> Iterable[tuple[str, str]]:
    if isinstance(args, Mapping):
        return args.items(multi=True) if hasattr(args, "getlist") else args.items()  # type: ignore[call-arg]
    return args


def _read(name: str, value: str) -> tuple[str, Op, str | None, list[str]] | None:
    if name in _LEGACY:
        return _read_as(name, name, _LEGACY_OPS.get(name, Op.EQUALS), None, value) if value else None
    if not name.startswith("filters"):
        return None
    match = _KEY.fullmatch(name)
    if match is None:
        raise FilterError(name, "expected filters[field][OPERATOR]=value; groups of filters are not known here")
    field, op, key = match.groups()
    if field not in FIELDS:
        raise FilterError(name, f"there is no field {field!r}; the fields are {', '.join(FIELDS)}")
    if op not in FIELDS[field].ops:
        raise FilterError(name, f"{field} has no operator {op!r}; it has {', '.join(FIELDS[field].ops)}")
    return _read_as(name, field, Op(op), key, value)


def _read_as(name: str, field: str, op: Op, key: str | None, value: str) -> tuple[str, Op, str | None, list[str]]:
    if field == "labels":
        key, value = _label(name, key, value)
    elif key is not None:
        raise FilterError(name, f"{field} takes no key in brackets")
    return field, op, key, [v for v in value.split(",") if v] if op in LISTS else [value]


def _label(name: str, key: str | None, value: str) -> tuple[str, str]:
    if key is None:
        key, colon, value = value.partition(":")
        if not colon:
            raise FilterError(name, f"expected a label as key:value, got {key!r}")
    return key, value


def _check(condition: Condition) -> None:
    if not condition.values:
        raise FilterError(_name(condition), "expected at least one value")
    try:
        wanted(condition)
    except ValueError as error:
        raise FilterError(_name(condition), str(error)) from None


def _name(condition: Condition) -> str:
    key = "" if condition.key is None else f"[{condition.key}]"
    return f"filters[{condition.field}][{condition.op}]{key}"


# -- what they mean


Test = Callable[[ExecutionRow, datetime], bool]


def matches(filters: Filters, row: ExecutionRow, now: datetime) -> bool:
    """Whether an execution is in the list that ``filters`` make at the moment ``now``."""
    return all(test(row, now) for test in _tests(filters))


@lru_cache(maxsize=512)
def _tests(filters: Filters) -> tuple[Test, ...]:
    return tuple(_SPECIAL.get(c.field, _plain_test)(c) for c in filters.conditions)


def _plain_test(condition: Condition) -> Test:
    value, test, values = FIELDS[condition.field].value, OPERATORS[condition.op].test, wanted(condition)
    assert value is not None
    return lambda row, now: test(value(row), values)


def _text_test(condition: Condition) -> Test:
    text, part = condition.values[0].strip(), needle(condition.values[0])

    def test(row: ExecutionRow, now: datetime) -> bool:
        return part in text_of(row) or finds_id(row.id, text)

    return test


def finds_id(execution_id: str, text: str) -> bool:
    """Whether free text means this id: its beginning (the time in it makes a shorter one useless) or its end."""
    begins = len(text) >= ID_START and execution_id.startswith(text)
    return begins or (len(text) >= ID_END and execution_id.endswith(text))


def _label_test(condition: Condition) -> Test:
    op, values, key = condition.op, wanted(condition), condition.key
    test = OPERATORS[NEGATIONS.get(op, op)].test
    asked = op not in NEGATIONS
    return lambda row, now: test(row.labels.get(key or ""), values) is asked


def _range_test(condition: Condition) -> Test:
    (back,) = wanted(condition)
    return lambda row, now: row.start_date >= since(now, back)


def since(now: datetime, back: timedelta) -> datetime:
    """``now - back``, or the beginning of time."""
    try:
        return now - back
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


_SPECIAL: dict[str, Callable[[Condition], Test]] = {
    "q": _text_test,
    "labels": _label_test,
    "timeRange": _range_test,
}
