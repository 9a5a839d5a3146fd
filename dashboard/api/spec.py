"""What an endpoint is: declared once, read by the routes, the docs' test and whoever describes the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from dashboard.permissions import AnyVerb, Verb

BASE = "/api/v1/main"
Where = Literal["query", "body"]
_NAMES = re.compile(r"\{(\w+)\}")


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of an endpoint, beside those in its path. ``type`` is for people: ``integer``, ``[string]``."""

    name: str
    type: str
    summary: str
    default: str | None = None
    required: bool = False
    where: Where = "query"


class Endpoint(msgspec.Struct, frozen=True):
    """One method on one path (below ``BASE``).

    ``handler(api, **path parameters)`` gives a Flask response. ``verb`` is asked of the table of permissions before it;
    ``narrows``: there is no namespace in the path, so the handler itself keeps to those the person may.
    ``strict``: a parameter that is none of these is an error, not left alone. ``good`` are the statuses of success; an
    ``answer`` that is a number is the only one.
    ``ours``: not of the protocol we took over, but our addition to it. ``open``: no login is needed, something in the
    path stands for it.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    summary: str
    answer: str
    parameters: tuple[Parameter, ...] = ()
    ours: bool = False
    open: bool = False
    verb: AnyVerb | None = None
    narrows: bool = False
    strict: bool = False
    good: tuple[int, ...] = (200,)

    @property
    def needs(self) -> AnyVerb:
        """What the person who calls it must be allowed; looking, when nothing else is said."""
        return self.verb or Verb.READ

    @property
    def flat(self) -> tuple[Parameter, ...]:
        """Parameters that filter too, where there are filters: those of older clients, and the date they are about."""
        own = {one.name for one in self.parameters}
        flat = _FLAT.get(self.path.split("/")[1], ()) if FILTERS in self.parameters else ()
        return tuple(one for one in flat if one.name not in own)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters in the path."""
        return tuple(_NAMES.findall(self.path))

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return rule_of(self.path)


def rule_of(path: str) -> str:
    """A path of the API as Flask writes it."""
    return BASE + _NAMES.sub(r"<\1>", path)


PAGE = Parameter("page", "integer", "Which page, from 1.", "1")
SIZE = Parameter("size", "integer", "Rows of a page.", "10")
SORT = Parameter("sort", "[string]", "`field:asc` or `field:desc`.")
FILTERS = Parameter("filters[field][OPERATOR]", "[filter]", "Conditions that must all hold.")
REVISION = Parameter("revision", "integer", "A revision of the flow; the newest when not given.")
REASON = Parameter("reason", "string", "Why, for the audit.")
YAML_BODY = Parameter("body", "application/x-yaml", "A flow.", required=True, where="body")
INPUTS_BODY = Parameter("body", "multipart/form-data", "One part an input, files as file parts.", where="body")
_TEXT = Parameter("q", "string", "Text.")
_NAMESPACE = Parameter("namespace", "string", "A namespace, with those under it.")
_FLOW = Parameter("flowId", "string", "A flow.")
_LABELS = Parameter("labels", "[string]", "`key:value`, repeatable.")
_SINCE = Parameter("startDate", "date-time", "From this date on.")
_UNTIL = Parameter("endDate", "date-time", "Up to this date.")
_RANGE = Parameter("timeRange", "duration", "Back from now.")
_FLAT: dict[str, tuple[Parameter, ...]] = {
    "executions": (
        Parameter("dateFilter", "DateFilter", "Which date a time range is about."),
        _TEXT, Parameter("scope", "string", "USER or SYSTEM."), _NAMESPACE, _FLOW, _SINCE, _UNTIL, _RANGE,
        Parameter("state", "string", "States, joined by commas."), _LABELS,
        Parameter("triggerExecutionId", "string", "The execution that triggered it."),
        Parameter("childFilter", "string", "CHILD or MAIN."),
    ),
    "flows": (_TEXT, _NAMESPACE, _FLOW, _LABELS),
    "triggers": (_TEXT, _NAMESPACE, _FLOW),
    "logs": (
        _TEXT, _NAMESPACE, _FLOW, Parameter("triggerId", "string", "A trigger that started it."),
        Parameter("executionId", "string", "An execution."), Parameter("taskId", "string", "A task."),
        Parameter("taskRunId", "string", "A task run."), Parameter("attempt", "integer", "An attempt."),
        Parameter("minLevel", "Level", "This level and worse ones."), Parameter("level", "Level", "This level."),
        _SINCE, _UNTIL, _RANGE,
    ),
}  # fmt: skip
