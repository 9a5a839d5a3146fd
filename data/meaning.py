"""What filters say at one moment in one database, before they become clauses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import structs

from data.counters import NO_TASK
from data.errors import FilterError
from data.fields import DateFilter, since
from data.filters import Condition, Filters, wanted
from data.matching import columns_of, is_of_range
from data.operators import OPERATORS, Op, position_of
from data.signatures import LABEL_END, label_start
from data.tables import flow_count, label_count, search_text, task_count
from data.texts import short
from engine.model import SYSTEM_PREFIX

EXPRESSION_MAX = 10_000  # values that a regular expression may find
_NAMES = ("namespace", "flowId")
COLUMNS = {
    "namespace": "namespace",
    "flowId": "flow_id",
    "flowRevision": "revision",
    "state": "state",
    "kind": "kind",
    "triggerId": "trigger_id",
    "taskId": "last_task",
    "startDate": "start_at",
    "endDate": "end_at",
    "parentId": "parent_id",
    "triggerExecutionId": "triggered_by",
    "id": "id",
}


class Meaning(msgspec.Struct, frozen=True):
    """What filters say at one moment: dates instead of durations, values instead of regular expressions.

    All ``conditions``, one of ``groups`` (when there are any), and one of the two of ``either`` (start or end) hold.
    """

    conditions: tuple[Condition, ...] = ()
    groups: tuple[tuple[Condition, ...], ...] = ()
    either: tuple[tuple[Condition, ...], ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """Names of all fields in it; ``labels`` of the system are ``systemLabels``."""
        found = [*self.conditions, *(c for group in (*self.groups, *self.either) for c in group)]
        return frozenset("systemLabels" if is_system_label(c) else c.field for c in found)

    def plus(self, *conditions: Condition) -> Meaning:
        """The same with more conditions."""
        return structs.replace(self, conditions=(*self.conditions, *conditions))


def is_system_label(condition: Condition) -> bool:
    """Whether it is about a label that signatures leave out."""
    return condition.field == "labels" and (condition.key or "").startswith(SYSTEM_PREFIX)


def meaning(connection: sa.Connection, filters: Filters, now: datetime) -> Meaning:
    """What ``filters`` say at ``now``, in this database."""
    ranged = [c for c in filters.conditions if is_of_range(c, filters.dates)]
    others = [_dated(c, now) for c in filters.conditions if c not in ranged]
    sides = tuple(tuple(_dated(c, now, column) for c in ranged) for column in columns_of(filters.dates))
    either = sides if ranged and filters.dates is DateFilter.START_OR_END_DATE else ()
    top = [*others, *(sides[0] if ranged and not either else ())]
    known = _Known(connection)
    return Meaning(
        tuple(known.values(c) for c in top),
        tuple(tuple(known.values(_dated(c, now)) for c in group) for group in filters.groups),
        either,
    )


def _dated(condition: Condition, now: datetime, column: str | None = None) -> Condition:
    """A part of the time range as a condition on the date ``column`` (``None``: its own)."""
    if condition.field != "timeRange":
        return structs.replace(condition, field=column) if column else condition
    (back,) = wanted(condition)
    return Condition(column or "startDate", Op.GREATER_THAN_OR_EQUAL_TO, (since(now, back).isoformat(),))


class _Known:
    """Looks up the values that regular expressions find."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def values(self, condition: Condition) -> Condition:
        """A regular expression as a list of the values it finds; other conditions as they are."""
        if condition.op is not Op.REGEX:
            return condition
        test, asked = OPERATORS[Op.REGEX].test, wanted(condition)
        found = [value for value in self._connection.scalars(_known(condition)) if test(value, asked)]
        if len(found) > EXPRESSION_MAX:
            part = f"filters[{condition.field}][REGEX]"
            raise FilterError(part, f"it finds more than {EXPRESSION_MAX:,} values: make it narrower")
        return structs.replace(condition, op=Op.IN, values=tuple(sorted(found)))


def _known(condition: Condition) -> sa.Select[Any]:
    if condition.field in _NAMES:
        return sa.select(flow_count.c[COLUMNS[condition.field]]).distinct().where(flow_count.c.grain == 0)
    if condition.field == "taskId":
        return sa.select(task_count.c.task_id).distinct().where(task_count.c.task_id != NO_TASK)
    if is_system_label(condition):
        return sa.select(label_count.c.value).distinct().where(label_count.c.key == short(condition.key or ""))
    value = signed_value(condition)
    return sa.select(value).distinct().where(value.is_not(None))


def signed_value(condition: Condition) -> Any:
    """The column of ``search_text``, or for a label its value there."""
    if condition.field != "labels":
        return search_text.c[COLUMNS[condition.field]]
    return label_value(condition.key or "")


def label_value(key: str) -> Any:
    """The value of a label in ``search_text``, NULL where there is none."""
    start, labels = label_start(key), search_text.c.labels
    at = position_of(labels, start)
    rest = sa.func.substr(labels, at + len(start))
    value = sa.func.substr(rest, 1, position_of(rest, LABEL_END) - 1)
    return sa.case((at > 0, value), else_=sa.null())
