"""The list's filters: controls, and chips that count executions by state. The address is the truth (filters.js)."""

from __future__ import annotations

from collections.abc import Iterable

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.components.icons import icon, shape
from dashboard.components.listview import ListView
from dashboard.ids import Executions, state_chip
from engine.states import EXECUTION_STATES, STATES, State

RANGES = (
    ("PT5M", "last 5 minutes"),
    ("PT15M", "last 15 minutes"),
    ("PT1H", "last hour"),
    ("PT12H", "last 12 hours"),
    ("PT24H", "last 24 hours"),
    ("PT48H", "last 2 days"),
    ("PT168H", "last 7 days"),
    ("PT720H", "last 30 days"),
    ("PT8760H", "last year"),
)

# Chips stand in this order; those of the second group only show while they count something.
ALWAYS = (State.RUNNING, State.FAILED, State.WARNING, State.SUCCESS, State.PAUSED)
SOMETIMES = tuple(state for state in EXECUTION_STATES if state not in ALWAYS)


def filter_bar(view: ListView, namespaces: Iterable[str], *, of_one_flow: bool = False) -> Component:
    """The row of controls with the view's values; the list's callback keeps them and the address equal."""
    return html.Div(
        className="wf-filters of-one-flow" if of_one_flow else "wf-filters",
        role="search",
        children=[
            dmc.TextInput(
                id=Executions.FILTER_TEXT,
                value=view.text,
                placeholder="Search id, flow, namespace, label",
                leftSection=icon("search"),
                rightSection=html.Kbd("/"),
                debounce=250,
                className="wf-filter-text",
                inputProps={"type": "search"},
                **{"aria-label": "Search"},
            ),
            dmc.MultiSelect(
                id=Executions.FILTER_STATE,
                value=list(view.states),
                data=[state.value for state in EXECUTION_STATES],
                placeholder="State",
                searchable=True,
                clearable=True,
                className="wf-filter-state",
                **{"aria-label": "State"},
            ),
            dmc.MultiSelect(
                id=Executions.FILTER_NAMESPACE,
                value=list(view.namespaces),
                data=sorted({*namespaces, *view.namespaces}),
                placeholder="Namespace",
                searchable=True,
                clearable=True,
                nothingFoundMessage="No such namespace",
                className="wf-filter-namespace",
                **{"aria-label": "Namespace"},
            ),
            dmc.TextInput(
                id=Executions.FILTER_FLOW,
                value=view.flow,
                placeholder="Flow",
                debounce=250,
                className="wf-filter-flow",
                **{"aria-label": "Flow"},
            ),
            dmc.Select(
                id=Executions.FILTER_RANGE,
                value=view.range,
                data=[{"value": value, "label": label} for value, label in RANGES],
                placeholder="Any time",
                clearable=True,
                className="wf-filter-range",
                **{"aria-label": "Time range"},
            ),
            html.Div(id=Executions.FILTER_OTHER, className="wf-filter-other"),
            html.Button("Clear", id=Executions.FILTER_CLEAR, className="wf-link-button", style={"display": "none"}),
        ],
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
        id=state_chip(key),
        className="wf-count" if state is None or state in ALWAYS else "wf-count sometimes",
        n_clicks=0,
        title=f"Show only {key}" if state else "Show every state",
        **{"data-token": info.token if info else "all", "data-state": key, "data-empty": ""},
    )
