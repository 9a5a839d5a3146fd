"""Triggers of a flow as cards: what starts it, when next, what it started last; its switch, its backfill."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

import dash_mantine_components as dmc
import msgspec
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.components.icons import icon, shape
from dashboard.components.times import moment
from dashboard.ids import backfill_button, trigger_button, trigger_switch
from engine.flow import FlowTrigger, Schedule, Trigger, Webhook, is_template
from engine.flow.conditions import ExecutionFlow
from engine.flow.preconditions import MultipleCondition
from engine.states import STATES
from engine.trigger_state import Backfill, TriggerAction, TriggerState
from streaming.messages import ExecutionRow

WEBHOOKS = "/api/v1/main/executions/webhook"
_ICONS: dict[type[Trigger], str] = {Schedule: "clock", Webhook: "bolt", FlowTrigger: "flows"}


class Shown(msgspec.Struct, frozen=True):
    """One trigger as it is shown. ``dates`` are its next ones, ``last`` the execution it started last.

    ``off`` says why its flow's file lets it start nothing (``None``: it may).
    """

    trigger: Trigger
    state: TriggerState
    dates: Sequence[datetime] = ()
    last: ExecutionRow | None = None
    off: str | None = None

    @property
    def name(self) -> str:
        """``namespace/flow/trigger``."""
        return self.state.key.removeprefix("triggers/")

    @property
    def is_on(self) -> bool:
        """Whether it starts anything."""
        return self.off is None and not self.state.disabled


def card(shown: Shown) -> Component:
    """One trigger."""
    trigger, state = shown.trigger, shown.state
    about = [html.P(trigger.description.strip(), className="wf-sub")] if trigger.description else []
    notes = [_note(words) for words in (shown.off, state.why if state.disabled else None) if words]
    notes += [_note(state.error, bad=True)] if state.error else []
    jobs = [
        _job(shown, job, title)
        for job, title in ((state.backfill, "Backfill"), (state.missed, "Making up for missed dates"))
        if job is not None
    ]
    return html.Section(
        [
            html.Header([icon(_ICONS.get(type(trigger), "bolt")), html.H2(trigger.id), _tag(trigger)]),
            html.Div(_controls(shown), className="wf-trigger-controls"),
            html.Div([*about, html.Dl(_facts(shown), className="wf-trigger-facts"), *notes, *jobs]),
        ],
        className="wf-trigger" if shown.is_on else "wf-trigger off",
        **{"data-wf-trigger": trigger.id},
    )


def _tag(trigger: Trigger) -> Component:
    return html.Span(trigger.type.rpartition(".")[2], className="wf-tag", title=trigger.type)


def _note(words: str, *, bad: bool = False) -> Component:
    return html.P([icon("alert"), words], className="wf-trigger-note bad" if bad else "wf-trigger-note")


# -- switch and buttons


def _controls(shown: Shown) -> list[Component]:
    controls: list[Component] = []
    if isinstance(shown.trigger, Schedule):
        busy = shown.state.backfill is not None
        why = "A backfill is going on." if busy else "Enable the trigger first." if not shown.is_on else None
        controls.append(
            html.Button(
                [icon("restart"), "Backfill"],
                id=backfill_button(shown.name),
                className="wf-button",
                disabled=why is not None,
                title=why or "Make up for dates of the past",
            )
        )
    controls.append(
        dmc.Switch(
            id=trigger_switch(shown.name),
            checked=shown.is_on,
            disabled=shown.off is not None,
            size="sm",
            **{"aria-label": f"{shown.trigger.id} starts executions"},
        )
    )
    return controls


def _do(action: TriggerAction, shown: Shown, words: str, icon_name: str) -> Component:
    return html.Button(
        [icon(icon_name), words], id=trigger_button(action.value, shown.name), className="wf-button small"
    )


# -- facts


def _facts(shown: Shown) -> list[Component]:
    rows = [*_FACTS.get(type(shown.trigger), lambda _: [])(shown), ("Last", _last(shown))]
    if shown.trigger.when:
        rows.insert(0, ("When", html.Code(shown.trigger.when)))
    return [html.Div([html.Dt(name), html.Dd(value)]) for name, value in rows]


def _last(shown: Shown) -> Component:
    state = shown.state
    if state.last_at is None:
        return html.Span("nothing yet", className="wf-muted")
    parts: list[Component] = [moment(state.last_at)]
    if shown.last is not None:
        info = STATES[shown.last.state]
        words = [shape(info.shape), shown.last.state.value]
        link = dcc.Link(words, href=f"/executions/{shown.last.id}", className="state-badge", title=shown.last.id)
        parts.append(html.Span(link, **{"data-token": info.token}))
    return html.Span(parts, className="wf-trigger-last")


def _schedule(shown: Shown) -> list[tuple[str, Component]]:
    trigger = shown.trigger
    assert isinstance(trigger, Schedule)
    rule = html.Span([html.Code(trigger.cron), html.Span(f" {trigger.timezone}", className="wf-muted")])
    dates = [html.Li(moment(date)) for date in shown.dates]
    none = "no further date" if shown.is_on else "–"
    upcoming = html.Ol(dates) if dates else html.Span(none, className="wf-muted")
    return [("Cron", rule), ("Next", upcoming)]


def _webhook(shown: Shown) -> list[tuple[str, Component]]:
    trigger, state = shown.trigger, shown.state
    assert isinstance(trigger, Webhook)
    key = "…" if is_template(trigger.key) else "•" * 8
    path = f"{WEBHOOKS}/{quote(state.namespace)}/{quote(state.flow_id)}/{key}"
    return [("Address", html.Code(path, title="The key stands in the flow's source."))]


def _flow(shown: Shown) -> list[tuple[str, Component]]:
    trigger = shown.trigger
    assert isinstance(trigger, FlowTrigger)
    waits = trigger.waits
    if isinstance(waits, MultipleCondition):
        return [("After", html.Ul([_met(shown, name, name) for name in waits.names]))]
    if waits is None:
        flows = [one for one in trigger.plain if isinstance(one, ExecutionFlow)]
        words = ", ".join(f"{one.namespace}.{one.flowId}" for one in flows) or "executions that fulfil its conditions"
        return [("After", html.Span(words))]
    items = []
    for name, one in zip(waits.names, (*waits.flows, *waits.where), strict=True):
        flow = ".".join(filter(None, (getattr(one, "namespace", None), getattr(one, "flowId", None))))
        states = ", ".join(getattr(one, "states", ()))
        items.append(_met(shown, name, f"{flow or name}{f' ({states})' if states else ''}"))
    return [("After", html.Ul(items))]


def _met(shown: Shown, name: str, words: str) -> Component:
    met = shown.state.met.get(name)
    seen = [icon("check-mark", title="seen in this window"), moment(met.at)] if met else []
    return html.Li([words, *seen], className="met" if met else "")


_FACTS = {Schedule: _schedule, Webhook: _webhook, FlowTrigger: _flow}


# -- backfill


def _job(shown: Shown, job: Backfill, title: str) -> Component:
    percent = round(100 * job.progress)
    asked = title == "Backfill"
    buttons = []
    if asked:
        held = _do(TriggerAction.BACKFILL_CONTINUE, shown, "Continue", "resume")
        runs = _do(TriggerAction.BACKFILL_PAUSE, shown, "Pause", "pause-outline")
        buttons = [held if job.paused else runs, _do(TriggerAction.BACKFILL_DELETE, shown, "Give up", "close")]
    counts = f"{job.ended} ended, {len(job.running)} running" + (f", {job.failed} failed" if job.failed else "")
    return html.Div(
        [
            html.Div(
                [
                    html.Strong(f"{title} {'held, ' if job.paused else ''}{percent} %"),
                    html.Span([moment(job.start), " to ", moment(job.end)], className="wf-muted"),
                    html.Span(counts, className="wf-muted"),
                    html.Span(buttons, className="wf-trigger-buttons"),
                ]
            ),
            html.Div(
                html.I(style={"width": f"{percent}%"}),
                className="wf-bar held" if job.paused else "wf-bar",
                role="progressbar",
                **{"aria-valuenow": percent, "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": title},
            ),
        ],
        className="wf-backfill",
    )
