"""The triggers of a flow: a card each, and what the form of a backfill asks for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.empty import empty
from dashboard.components.triggers import Shown, card
from dashboard.ids import Backfill, Triggers, form_field
from dashboard.pages import execution as execution_page
from dashboard.pages.router import Visit
from data import Store
from engine.flow import Flow, Schedule
from engine.ids import derived_id
from engine.trigger_state import TriggerState
from engine.triggers import next_dates
from streaming import codec

NEXT_DATES = 4
_JUST = timedelta(microseconds=1)


def panel(visit: Visit) -> Component:
    """What starts the flow by itself. The page asks now and then whether its stamp is still the newest."""
    body = html.Div(cards(visit), id=Triggers.BODY)
    return html.Div([dcc.Store(id=Triggers.STAMP), body], className="wf-scroll")


def cards(visit: Visit) -> Component:
    """The cards of all triggers."""
    namespace, flow_id = visit.params["namespace"], visit.params["flow"]
    flow = execution_page.flow_of(visit, namespace, flow_id)
    states = visit.services.store.trigger_states(namespace, flow_id)
    if flow is None or not flow.triggers:
        where = ["A trigger starts a flow by the clock, by a call, or after another flow: ", html.Code("triggers"),
                 " in its source."]  # fmt: skip
        shown: list[Component] = [empty("No triggers", where, icon_name="clock")]
    else:
        shown = [card(one) for one in _shown(visit, flow, states)]
    data = {
        "data-wf-triggers": f"{namespace}/{flow_id}",
        "data-wf-triggers-stamp": stamp(visit.services.store, namespace, flow_id),
    }
    return html.Div(shown, className="wf-triggers", **data)


def _shown(visit: Visit, flow: Flow, states: Iterable[TriggerState]) -> list[Shown]:
    known = {state.trigger_id: state for state in states}
    rows = visit.services.store.rows([state.execution_id for state in known.values() if state.execution_id])
    off = "The flow is disabled in its source." if flow.disabled else None
    found = []
    for trigger in flow.triggers:
        state = known.get(trigger.id, TriggerState(flow.namespace, flow.id, trigger.id))
        why = off or ("Disabled in the flow's source." if trigger.disabled else None)
        dates = next_dates(trigger, state.next_at - _JUST, NEXT_DATES) if state.next_at else []
        found.append(Shown(trigger, state, dates, rows.get(state.execution_id or ""), why))
    return found


def stamp(store: Store, namespace: str, flow_id: str) -> str:
    """Another one when anything of the triggers is, or of what they started last."""
    states = store.trigger_states(namespace, flow_id)
    rows = store.rows([state.execution_id for state in states if state.execution_id])
    return derived_id(*(codec.encode(state) for state in states), *((row.id, row.state) for row in rows.values()))


def backfill_fields(trigger: Schedule) -> list[Component]:
    """From when to when, and labels: what every backfill asks for."""
    zone = f"in {trigger.timezone}"
    clock = {"inputProps": {"type": "datetime-local", "step": 60}, "className": "wf-field"}
    return [
        html.Div(
            [
                dmc.TextInput(id=form_field("backfill", Backfill.FROM), label="From", description=zone, value="",
                              withAsterisk=True, **clock),
                dmc.TextInput(id=form_field("backfill", Backfill.TO), label="To",
                              description="left empty: now", value="", **clock),
                dmc.TextInput(id=form_field("backfill", Backfill.LABELS), label="Labels", value="",
                              placeholder="key:value, key:value", className="wf-field wide"),
            ],
            className="wf-backfill-form",
        )
    ]  # fmt: skip
