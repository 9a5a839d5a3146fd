"""The fields of ``data.fields`` as the filter bar offers them: words of operators, how a value is given."""

from __future__ import annotations

from typing import Any

from data.fields import FIELDS, Field
from data.operators import Op

OP_WORDS: dict[str, str] = {
    "EQUALS": "is",
    "NOT_EQUALS": "is not",
    "IN": "is any of",
    "NOT_IN": "is none of",
    "CONTAINS": "contains",
    "STARTS_WITH": "begins with",
    "ENDS_WITH": "ends with",
    "REGEX": "matches",
    "PREFIX": "is in",
    "GREATER_THAN_OR_EQUAL_TO": "from",
    "GREATER_THAN": "after",
    "LESS_THAN_OR_EQUAL_TO": "until",
    "LESS_THAN": "before",
}
"""Operators in the words of a chip: ``namespace is any of a, b``."""

RANGES = (
    ("PT5M", "Last 5 minutes"),
    ("PT15M", "Last 15 minutes"),
    ("PT1H", "Last hour"),
    ("PT12H", "Last 12 hours"),
    ("PT24H", "Last 24 hours"),
    ("PT48H", "Last 2 days"),
    ("PT168H", "Last 7 days"),
    ("PT720H", "Last 30 days"),
    ("PT8760H", "Last year"),
)
"""Presets of the time range."""

_ORDER = ("state", "namespace", "flowId", "labels", "timeRange", "startDate", "endDate", "triggerId", "taskId")
_HINTS = {
    "q": "ids, flows, labels, error text",
    "state": "RUNNING, FAILED, …",
    "namespace": "company.team",
    "flowId": "id of the flow",
    "labels": "key:value",
    "timeRange": "the last hour, day, week …",
    "startDate": "a day and time",
    "endDate": "a day and time",
    "kind": "NORMAL, TEST, …",
    "scope": "USER or SYSTEM",
    "childFilter": "MAIN: not triggered by an execution",
    "triggerExecutionId": "id of the execution that triggered it",
    "parentId": "id of the execution it was made by, or of",
}
_WIDGETS = {"labels": "label", "duration": "range", "date": "date"}


def fields() -> list[dict[str, Any]]:
    """All fields in the order they are offered, for the browser."""
    return [_field(FIELDS[name]) for name in (*_ORDER, *(name for name in FIELDS if name not in _ORDER))]


def _field(field: Field) -> dict[str, Any]:
    listed = Op.IN in field.ops and (field.values or field.suggests) and field.kind != "labels"
    return {
        "name": field.name,
        "title": field.title,
        "widget": _WIDGETS.get(field.kind) or _widget(field),
        "op": Op.IN if listed else field.ops[0],
        "ops": [[op, OP_WORDS[op]] for op in field.ops],
        "hint": _HINTS.get(field.name, field.summary),
        "choices": field.values,
        "suggests": field.suggests,
    }


def _widget(field: Field) -> str:
    return "choice" if field.values else "values" if field.suggests else "text"


def ranges() -> list[dict[str, str]]:
    """The presets of the time range, for the browser."""
    return [{"value": value, "title": title} for value, title in RANGES]
