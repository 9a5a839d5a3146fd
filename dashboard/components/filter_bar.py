"""The list's filters: the bar that the view ``filter-bar`` draws, and chips that count executions by state."""

from __future__ import annotations

import json
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.filter_fields import fields, ranges
from dashboard.components.icons import shape
from dashboard.ids import Executions
from data.filters import parse_query_string
from engine.states import EXECUTION_STATES, STATES, State

# Chips stand in this order; those of the second group only show while they count something.
ALWAYS = (State.RUNNING, State.FAILED, State.WARNING, State.SUCCESS, State.PAUSED)
SOMETIMES = tuple(state for state in EXECUTION_STATES if state not in ALWAYS)


def filter_bar(fixed: str, columns: list[dict[str, Any]]) -> Component:
    """The place of the bar; ``fixed``: filters in the wire form that always hold, their fields are not offered."""
    given = {condition.field for condition in parse_query_string(fixed).conditions}
    params = {
        "fixed": fixed,
        "fields": [field for field in fields() if field["name"] not in given],
        "ranges": ranges(),
        "columns": columns,
    }
    return html.Div(
        id=Executions.BAR,
        className="wf-filterbar",
        role="search",
        **{"data-wf-view": "filter-bar", "data-wf-params": json.dumps(params)},
    )


def state_chips() -> Component:
    """Chips of all states. The live view writes the counts into ``[data-wf-count]``; a click filters."""
    chips = [_chip("ALL", "All", None), *(_chip(state, state.title(), state) for state in ALWAYS + SOMETIMES)]
    return html.Div(chips, id=Executions.COUNTS, className="wf-counts", role="group", **{"aria-label": "By state"})


def _chip(key: str, word: str, state: State | None) -> Component:
    info = STATES[state] if state else None
    glyph = [shape(info.shape)] if info else []
    return html.Button(
        [*glyph, html.Span(word), html.B(**{"data-wf-count": key})],
        className="wf-count" if state is None or state in ALWAYS else "wf-count sometimes",
        type="button",
        title=f"Show only {key}" if state else "Show every state",
        **{"data-token": info.token if info else "all", "data-state": key, "data-empty": ""},
    )
