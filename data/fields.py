"""The fields that executions are filtered by: one table, from which the wire form, SQL, the live lists, the docs and
the page's pickers are made."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

import msgspec

from data.operators import OPERATORS, Op
from engine.durations import DurationError, parse_duration
from engine.model import Kind
from engine.states import EXECUTION_STATES
from streaming.messages import ExecutionRow

SYSTEM = "system"
ID_START = 8  # shortest beginning of an id that free text finds
ID_END = 4  # shortest end of an id that free text finds
_OTHER_KINDS = ("LOOP",)  # of the protocol; no execution here is of them
_LOST_PLUS = re.compile(r" (\d\d:\d\d)$")
_REVISION_MAX = 2**31 - 1


class DateFilter(StrEnum):
    """Which date a time range is about."""

    START_DATE = "START_DATE"
    END_DATE = "END_DATE"
    START_OR_END_DATE = "START_OR_END_DATE"


# -- values: from the wire to what is compared


def _text(value: str) -> str:
    if not value.strip() or "\x00" in value:
        raise ValueError("expected a text, got an empty one")
    return value


def _any_text(value: str) -> str:
    if "\x00" in value:
        raise ValueError("expected a text without a NUL character")
    return value


def _one_of(*allowed: str) -> Callable[[str], str]:
    def convert(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}, got {value!r}")
        return value

    return convert


def _revision(value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) <= _REVISION_MAX):
        raise ValueError(f"expected the number of a revision, got {value!r}")
    return int(value)


def date_of(value: str) -> datetime:
    """An ISO 8601 date, in UTC where it has no offset. Raises ``ValueError``."""
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


# -- the table

Widget = Literal["text", "choice", "labels", "duration", "date", "id", "number"]


class Field(msgspec.Struct, frozen=True):
    """A field: its operators (the first is the one to offer), how a value is read, which value of a row it compares.

    ``kind`` says how a value is chosen, ``values`` among which ones (empty: any), ``suggests`` that those there are
    can be listed with their counts. ``summary`` is for people.
    """

    name: str
    title: str
    kind: Widget
    ops: tuple[Op, ...]
    convert: Callable[[str], Any]
    summary: str
    value: Callable[[ExecutionRow], Any] | None = None
    values: tuple[str, ...] = ()
    suggests: bool = False


def _child(row: ExecutionRow) -> str:
    return "MAIN" if row.triggered_by is None else "CHILD"


def _scope(row: ExecutionRow) -> str:
    return "SYSTEM" if OPERATORS[Op.PREFIX].test(row.namespace, [SYSTEM]) else "USER"


_EQUAL = (Op.EQUALS, Op.NOT_EQUALS)
_CHOICE = (Op.IN, Op.NOT_IN, *_EQUAL)
_WORDS = (*_EQUAL, Op.CONTAINS, Op.STARTS_WITH, Op.ENDS_WITH, Op.IN, Op.NOT_IN, Op.REGEX)
_IDS = (*_EQUAL, Op.CONTAINS, Op.STARTS_WITH, Op.ENDS_WITH, Op.IN, Op.NOT_IN)
_OWN_IDS = (*_EQUAL, Op.STARTS_WITH, Op.ENDS_WITH, Op.IN, Op.NOT_IN)
_SIZES = (Op.GREATER_THAN_OR_EQUAL_TO, Op.GREATER_THAN, Op.LESS_THAN_OR_EQUAL_TO, Op.LESS_THAN)
_SCOPES, _CHILDREN = ("USER", "SYSTEM"), ("MAIN", "CHILD")
_STATES = tuple(state.value for state in EXECUTION_STATES)
_KINDS = (*(kind.value for kind in Kind), *_OTHER_KINDS)

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("q", "Text", "text", (Op.EQUALS,), _text,
              "text, found in namespace, flow, labels, trigger and error, and at the beginning or end of an id"),
        Field("namespace", "Namespace", "choice", (Op.IN, Op.NOT_IN, Op.CONTAINS, Op.PREFIX, *_EQUAL, Op.STARTS_WITH,
              Op.ENDS_WITH, Op.REGEX), _text, "PREFIX: it and those under it", lambda row: row.namespace,
              suggests=True),
        Field("flowId", "Flow", "text", _WORDS, _text, "", lambda row: row.flow_id, suggests=True),
        Field("flowRevision", "Flow revision", "number", (*_EQUAL, Op.IN, Op.NOT_IN, *_SIZES), _revision,
              "number of the revision", lambda row: row.revision, suggests=True),
        Field("state", "State", "choice", _CHOICE, _one_of(*_STATES), "states", lambda row: row.state, _STATES, True),
        Field("kind", "Kind", "choice", _CHOICE, _one_of(*_KINDS), ", ".join(_KINDS), lambda row: row.kind, _KINDS,
              True),
        Field("scope", "Scope", "choice", _EQUAL, _one_of(*_SCOPES),
              "USER, SYSTEM (namespace `system` and those under it)", _scope, _SCOPES),
        Field("childFilter", "Children", "choice", (Op.EQUALS,), _one_of(*_CHILDREN),
              "MAIN: not triggered by another execution; CHILD", _child, _CHILDREN),
        Field("labels", "Labels", "labels", (*_EQUAL, Op.IN, Op.NOT_IN, Op.CONTAINS, Op.REGEX), _any_text,
              "`filters[labels][EQUALS][env]=prod`, or `env:prod`; IN of several keys (`env:prod,team:x`): either",
              None, suggests=True),
        Field("timeRange", "Time range", "duration", (Op.EQUALS,), _duration, "a duration back from now, `PT24H`"),
        Field("startDate", "Started", "date", (*_SIZES, *_EQUAL), date_of, "ISO 8601", lambda row: row.start_date),
        Field("endDate", "Ended", "date", (*_SIZES, *_EQUAL), date_of, "ISO 8601", lambda row: row.end_date),
        Field("triggerId", "Trigger", "text", _WORDS, _text, "id of the trigger that started it",
              lambda row: row.trigger_id, suggests=True),
        Field("triggerExecutionId", "Triggered by", "id", _IDS, _text,
              "id of the execution that triggered it, by a Subflow task or a Flow trigger; a replay keeps it",
              lambda row: row.triggered_by),
        Field("parentId", "Parent", "id", _IDS, _text,
              "id of the execution that made it by a Subflow task, or that it was made of", lambda row: row.parent_id),
        Field("originalId", "Original", "id", _OWN_IDS, _text,
              "id of the execution that it repeats; its own when it repeats none",
              lambda row: row.original_id or row.id),
        Field("id", "Id", "id", _OWN_IDS, _text, "its own id",
              lambda row: row.id),
        Field("taskId", "Task", "text", _WORDS, _text, "the task that changed last: where it is, or ended",
              lambda row: row.last_task, suggests=True),
    )
}  # fmt: skip


def since(now: datetime, back: timedelta) -> datetime:
    """``now - back``, or the beginning of time."""
    try:
        return now - back
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def needle(value: str) -> str:
    """What free text is compared with, letter case aside."""
    return " ".join(value.split()).lower()
