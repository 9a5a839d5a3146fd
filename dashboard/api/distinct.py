"""The values that fields of executions have, for pickers."""

from __future__ import annotations

import flask

from dashboard.api.context import Api
from dashboard.api.errors import answer
from dashboard.api.spec import FILTERS, Endpoint, Parameter
from data.filters import parse as parse_filters


def distinct(api: Api) -> flask.Response:
    """Values of a field among the executions that match, the most frequent first."""
    filters = api.narrowed(parse_filters(flask.request.args))
    size = api.integer("size", 100, 1, 1_000)
    field, text, key = api.text("field") or "", api.text("text") or "", api.text("key")
    found = api.read(lambda: api.store.distinct(field, filters, text=text, key=key, size=size))
    return answer(found if api.boolean("counts", False) else [one.value for one in found])


ENDPOINTS = (
    Endpoint(
        "GET", "/executions/distinct-field-values", distinct, "Values that a field has, the most frequent first.",
        "[string] or [FieldValue]",
        (
            Parameter("field", "string", "A field of executions.", required=True),
            Parameter("size", "integer", "How many.", "100"),
            Parameter("text", "string", "Only values that contain it, letter case aside."),
            Parameter("key", "string", "The label whose values are wanted; without it the keys of labels are."),
            Parameter("counts", "boolean", "With how many executions have each.", "false"),
            FILTERS,
        ),
        narrows=True,
    ),
)  # fmt: skip
