"""The fields of ``data.filters`` as the filter bar offers them: names, words of operators, how a value is given."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from data.filters import FIELDS
from data.operators import Op
from engine.model import Kind
from engine.states import EXECUTION_STATES

Widget = Literal["values", "choice", "label", "date", "range", "text"]

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


class _Look(msgspec.Struct, frozen=True):
    """How a field is offered. ``op`` is the operator a new chip begins with."""

    title: str
    widget: Widget
    op: Op
    hint: str = ""
    choices: tuple[str, ...] = ()


_LOOKS: dict[str, _Look] = {
    "state": _Look("State", "choice", Op.IN, "RUNNING, FAILED, …", tuple(EXECUTION_STATES)),
    "namespace": _Look("Namespace", "values", Op.IN, "company.team"),
    "flowId": _Look("Flow", "values", Op.IN, "the flow's id"),
    "labels": _Look("Label", "label", Op.EQUALS, "key:value"),
    "timeRange": _Look("Time range", "range", Op.EQUALS, "the last hour, day, week …"),
    "startDate": _Look("Start date", "date", Op.GREATER_THAN_OR_EQUAL_TO, "a day and time"),
    "endDate": _Look("End date", "date", Op.LESS_THAN_OR_EQUAL_TO, "a day and time"),
    "triggerId": _Look("Trigger", "values", Op.IN, "the trigger's id"),
    "taskId": _Look("Task", "values", Op.IN, "the task's id"),
    "triggerExecutionId": _Look("Triggered by", "text", Op.EQUALS, "the id of an execution"),
    "parentId": _Look("Parent", "text", Op.EQUALS, "the id of an execution"),
    "flowRevision": _Look("Revision", "values", Op.EQUALS, "the flow's revision"),
    "childFilter": _Look("Child or main", "choice", Op.EQUALS, "MAIN: no subflows", ("MAIN", "CHILD")),
    "kind": _Look("Kind", "choice", Op.IN, "NORMAL, TEST, …", tuple(Kind)),
    "scope": _Look("Scope", "choice", Op.EQUALS, "USER or SYSTEM", ("USER", "SYSTEM")),
    "q": _Look("Text", "text", Op.EQUALS, "ids, flows, labels, error text"),
}


def fields() -> list[dict[str, Any]]:
    """All fields in the order they are offered, for the browser."""
    known = [name for name in _LOOKS if name in FIELDS]
    return [_field(name) for name in (*known, *(name for name in FIELDS if name not in _LOOKS))]


def _field(name: str) -> dict[str, Any]:
    ops = FIELDS[name].ops
    look = _LOOKS.get(name, _Look(_title(name), "text", ops[0]))
    return {
        "name": name,
        "title": look.title,
        "widget": look.widget,
        "op": look.op if look.op in ops else ops[0],
        "ops": [[op, OP_WORDS.get(op, op.lower().replace("_", " "))] for op in ops],
        "hint": look.hint,
        "choices": look.choices,
    }


def _title(name: str) -> str:
    """``taskRunCount`` → ``Task run count``."""
    return re.sub(r"(?<!^)([A-Z])", lambda found: f" {found[1].lower()}", name).capitalize()


def ranges() -> list[dict[str, str]]:
    """The presets of the time range, for the browser."""
    return [{"value": value, "title": title} for value, title in RANGES]
