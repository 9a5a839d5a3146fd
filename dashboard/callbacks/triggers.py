"""Switches and backfills of a flow's triggers: asked of the executor, which answers; then the cards are made anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dash
from dash import ALL, Input, Output, State, no_update, set_props
from redis.exceptions import RedisError

from dashboard.accounts import person
from dashboard.callbacks.asking import asks
from dashboard.callbacks.notices import actor, notice
from dashboard.callbacks.routing import away_or
from dashboard.components import forms
from dashboard.ids import Backfill as Ids
from dashboard.ids import Flow, Frame, Triggers, backfill_button, form_field, trigger_button, trigger_switch
from dashboard.pages import flow_triggers
from dashboard.pages.router import Visit
from dashboard.permissions import Verb, refusal
from dashboard.seen import seen
from dashboard.services import Services
from engine.flow import Schedule, parse_stored
from engine.flow.inputs import Input as FlowInput
from engine.ids import new_id
from engine.inputs import InputError, validate_inputs
from engine.model import SYSTEM_PREFIX
from engine.trigger_state import Backfill, TriggerAction

FORM = "backfill"
AWAY = "The database or Redis can't be reached; nothing was changed. Try again when the lamp is green."


class Wrong(ValueError):
    """A field of the form that can't be read."""


def register(app: dash.Dash, services: Services) -> None:
    """The cards of a flow's *Triggers* tab, and the form of a backfill."""

    @app.callback(
        Output(Triggers.BODY, "children"),
        Input(Triggers.STAMP, "data"),
        State(Flow.REF, "data"),
        prevent_initial_call=True,
    )
    @asks(Verb.READ)
    def again(_stamp: str, reference: str) -> Any:
        namespace, _, flow_id = reference.rpartition("/")
        visit = Visit(seen(services), "", {"namespace": namespace, "flow": flow_id})
        return away_or(lambda: flow_triggers.cards(visit))

    @app.callback(Input(trigger_switch(ALL), "checked"), prevent_initial_call=True)
    @asks(Verb.TRIGGERS)
    def switch(_checked: list[Any]) -> None:
        who = dash.ctx.triggered_id
        if who and dash.ctx.triggered:
            switched(services, who["trigger"], bool(dash.ctx.triggered[0]["value"]))

    @app.callback(Input(trigger_button(ALL, ALL), "n_clicks"), prevent_initial_call=True)
    @asks(Verb.TRIGGERS)
    def do(_clicks: list[Any]) -> None:
        who = dash.ctx.triggered_id
        if who and dash.ctx.triggered and dash.ctx.triggered[0]["value"]:
            told(ask(services, TriggerAction(who["action"]), who["trigger"]))

    @app.callback(
        Output(Ids.MODAL, "opened"),
        Output(Ids.MODAL, "title"),
        Output(Ids.TRIGGER, "data"),
        Output(Ids.FORM, "children"),
        Output(Ids.ERROR, "children"),
        Output(form_field(FORM, ALL), "error"),
        Input(backfill_button(ALL), "n_clicks"),
        Input(Ids.GO, "n_clicks"),
        Input(Ids.CANCEL, "n_clicks"),
        State(Ids.TRIGGER, "data"),
        State(form_field(FORM, ALL), "value"),
        State(form_field(FORM, ALL), "id"),
        prevent_initial_call=True,
    )
    @asks(Verb.TRIGGERS)
    def backfill(_open: Any, _go: Any, _cancel: Any, name: Any, given: list[Any], ids: list[Any]) -> Any:
        who = dash.ctx.triggered_id
        same = [no_update] * len(ids)
        if not dash.ctx.triggered or not dash.ctx.triggered[0]["value"]:
            return (*[no_update] * 5, same)
        if who == Ids.CANCEL:
            return False, *[no_update] * 4, same
        if who != Ids.GO:
            return open_form(services, who["trigger"], same)
        error, wrong = send(services, name, forms.values(ids, given))
        return (False if error is None else no_update, no_update, no_update, no_update, error or "",
                forms.errors(ids, wrong))  # fmt: skip


# -- switches and buttons


def switched(services: Services, name: str, on: bool) -> None:
    """Somebody moved a switch, or it was drawn anew as it is."""
    known = away_or(lambda: seen(services).triggers.state(*_parts(name)), False)
    if known and known.disabled is on:
        told(ask(services, TriggerAction.ENABLE if on else TriggerAction.DISABLE, name))


def ask(services: Services, action: TriggerAction, name: str, backfill: Backfill | None = None) -> str | None:
    """Ask and wait for the answer: why it was refused, ``None`` when it is done."""
    from data import StoreUnavailable
    from streaming.commands import CommandError

    if why := refusal(person(), Verb.TRIGGERS, _parts(name)[0]):
        return why
    try:
        event_id = services.triggers.ask(action, *_parts(name), actor=actor(), backfill=backfill)
        answer = services.triggers.wait(event_id, services.settings.action_wait)
    except CommandError as error:
        return str(error)
    except (StoreUnavailable, RedisError):
        return AWAY
    if answer is None:
        return "The executor has not answered yet. It is done or refused when it comes to it."
    return answer.refused


def told(refused: str | None) -> None:
    """Show a refusal, and the cards as they are now."""
    if refused is not None:
        set_props(Frame.NOTIFICATIONS, {"sendNotifications": [notice("Refused", refused, bad=True)]})
    set_props(Triggers.STAMP, {"data": new_id()})


def _parts(name: str) -> tuple[str, str, str]:
    namespace, flow_id, trigger_id = name.split("/")
    return namespace, flow_id, trigger_id


# -- the form


def asked_for(services: Services, name: str) -> tuple[Schedule, tuple[FlowInput, ...]]:
    """The trigger, and the flow's inputs with what the trigger gives as their defaults."""
    namespace, flow_id, trigger_id = _parts(name)
    trigger = services.triggers.trigger(namespace, flow_id, trigger_id)
    stored = services.store.flow(namespace, flow_id)
    assert isinstance(trigger, Schedule)
    assert stored is not None
    given = trigger.inputs
    inputs = (
        one.model_copy(update={"defaults": given[one.id], "required": False}) if one.id in given else one
        for one in parse_stored(stored.source).inputs
    )
    return trigger, tuple(inputs)


def open_form(services: Services, name: str, same: list[Any]) -> Any:
    """The dialog, with a control for each input."""
    from data import StoreUnavailable
    from streaming.commands import CommandError

    trigger_id = _parts(name)[2]
    try:
        trigger, inputs = asked_for(seen(services), name)
    except (CommandError, StoreUnavailable) as error:
        return True, f"Backfill {trigger_id}", None, [], str(error), same
    fields = flow_triggers.backfill_fields(trigger)
    if inputs:
        fields += forms.form(FORM, inputs, services.settings.upload_max_bytes)
    return True, f"Backfill {trigger_id}", name, fields, "", same


def send(services: Services, name: str, given: dict[str, Any]) -> tuple[str | None, dict[str, str]]:
    """Ask for the backfill; what is wrong as a whole and by field, ``None`` when it is done."""
    from data import StoreUnavailable
    from streaming.commands import CommandError

    if why := refusal(person(), Verb.TRIGGERS, _parts(name)[0]):
        return why, {}
    try:
        trigger, inputs = asked_for(services, name)
        backfill = read(trigger, inputs, given, lambda: services.store.flow(*_parts(name)[:2]))
        services.triggers.backfill(*_parts(name), backfill, services.settings.backfill_max_dates)
    except InputError as error:
        return "Some fields are wrong; nothing was started.", error.errors
    except CommandError as error:
        return str(error), {}
    except StoreUnavailable:
        return AWAY, {}
    refused = ask(services, TriggerAction.BACKFILL_CREATE, name, backfill)
    if refused is None:
        told(None)
    return refused, {}


def read(
    trigger: Schedule, inputs: tuple[FlowInput, ...], given: dict[str, Any], stored: Callable[[], Any]
) -> Backfill:
    """The backfill that the form describes; dates are on the clocks of the trigger. Raises ``InputError``."""
    zone, errors = ZoneInfo(trigger.timezone), {}
    moments = {}
    for field, default in ((Ids.FROM, None), (Ids.TO, datetime.now(UTC))):
        try:
            moments[field] = _moment(given.get(field), zone, default)
        except Wrong as error:
            errors[field] = str(error)
    labels: dict[str, str] = {}
    try:
        labels = _labels(str(given.get(Ids.LABELS) or ""))
    except Wrong as error:
        errors[Ids.LABELS] = str(error)
    known = {one.id for one in inputs}
    values = {name: value for name, value in given.items() if name in known}
    try:
        validate_inputs(parse_stored(stored().source), {**trigger.inputs, **values})
    except InputError as error:
        ours = (field for field in error.errors if field in values or field not in trigger.inputs)
        errors |= {field: error.errors[field] for field in ours}  # the trigger's own may be templates
    if errors:
        raise InputError(errors)
    return Backfill("", moments[Ids.FROM], moments[Ids.TO], None, values, labels)


def _moment(text: Any, zone: ZoneInfo, default: datetime | None) -> datetime:
    if not text:
        if default is None:
            raise Wrong("expected a date, came none")
        return default
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Wrong(f"expected a date such as 2026-01-31T09:00, came {text!r}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _labels(text: str) -> dict[str, str]:
    labels = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, colon, value = (part.strip() for part in pair.partition(":"))
        if not (key and colon and value):
            raise Wrong(f"expected labels as key:value, parted by commas, came {pair!r}")
        if key.startswith(SYSTEM_PREFIX):
            raise Wrong(f"labels with {SYSTEM_PREFIX!r} are set by Watchfloor")
        labels[key] = value
    return labels
