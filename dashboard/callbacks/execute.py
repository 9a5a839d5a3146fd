"""*Execute*: the form of a flow's inputs, checked on the server, then straight to the new execution."""

from __future__ import annotations

from typing import Any

import dash
from dash import ALL, Input, Output, State, no_update
from redis.exceptions import RedisError

from dashboard.accounts import person
from dashboard.callbacks.action_facts import value_at
from dashboard.callbacks.asking import asks
from dashboard.callbacks.notices import actor
from dashboard.components import forms
from dashboard.ids import Execute, Frame, execute_button, form_field
from dashboard.permissions import Verb, refusal
from dashboard.seen import seen
from dashboard.services import Services
from engine.flow.inputs import Input as FlowInput
from engine.model import Execution

FORM = "execute"
AWAY = "The database or Redis can't be reached; nothing was started. Try again when the lamp is green."


def register(app: dash.Dash, services: Services) -> None:
    """Opening the form, and sending it."""

    @app.callback(
        Output(Execute.MODAL, "opened"),
        Output(Execute.MODAL, "title"),
        Output(Execute.FLOW, "data"),
        Output(Execute.FORM, "children"),
        Output(Execute.ERROR, "children"),
        Output(form_field(FORM, ALL), "error"),
        Output(Frame.URL, "href"),
        Input(execute_button(ALL), "n_clicks"),
        Input(Execute.GO, "n_clicks"),
        Input(Execute.CANCEL, "n_clicks"),
        Input(Execute.AGAIN, "data"),
        State(Execute.FLOW, "data"),
        State(form_field(FORM, ALL), "value"),
        State(form_field(FORM, ALL), "id"),
        prevent_initial_call=True,
    )
    @asks(Verb.EXECUTE)
    def execute(_open: Any, _go: Any, _cancel: Any, again: Any, flow: Any, given: list[Any], ids: list[Any]) -> Any:
        who = dash.ctx.triggered_id
        if not dash.ctx.triggered or not dash.ctx.triggered[0]["value"]:
            return _answer(ids)
        if who == Execute.CANCEL:
            return _answer(ids, opened=False)
        if who == Execute.GO:
            return _send(services, flow, given, ids)
        if who == Execute.AGAIN:
            return _open_form(services, str(again["flow"]), ids, again=str(again["execution"]))
        return _open_form(services, who["flow"], ids)


def _answer(ids: list[Any], *, path: str | None = None, **given: Any) -> Any:
    names = ("opened", "title", "flow", "form", "error")
    found = [given.get(name, no_update) for name in names]
    errors = given.get("errors", [no_update] * len(ids))
    return *found, errors, path or no_update


def _open_form(services: Services, name: str, ids: list[Any], again: str | None = None) -> Any:
    """The form of a flow; ``again``: with the inputs of this execution, but for those that are hidden."""
    from data import StoreUnavailable
    from engine.flow import parse_stored

    namespace, _, flow_id = name.rpartition("/")
    try:
        stored = seen(services).store.flow(namespace, flow_id)
        before = seen(services).store.execution(again) if again else None
    except StoreUnavailable:
        return _answer(ids, opened=True, title=f"Execute {flow_id}", flow=None, form=[], error=AWAY)
    if stored is None:
        return _answer(ids, opened=True, title=f"Execute {flow_id}", flow=None, form=[], error="There is no such flow.")
    inputs = [_as_it_was(item, before) for item in parse_stored(stored.source).inputs]
    fields = forms.form(FORM, inputs, services.settings.upload_max_bytes)
    return _answer(ids, opened=True, title=f"Execute {flow_id}", flow=name, form=fields, error="")


def _as_it_was(item: FlowInput, before: Execution | None) -> FlowInput:
    """The input with the value that ``before`` had as its default."""
    value = None if before is None or item.id in before.hidden.inputs else value_at(before.inputs, item.id)
    return item if value is None else item.model_copy(update={"defaults": value})


def _send(services: Services, name: str | None, given: list[Any], ids: list[Any]) -> Any:
    from data import StoreUnavailable
    from engine.inputs import InputError
    from streaming.commands import CommandError

    namespace, _, flow_id = (name or "/").rpartition("/")
    none = [None] * len(ids)
    if why := refusal(person(), Verb.EXECUTE, namespace):
        return _answer(ids, error=why, errors=none)
    try:
        execution_id = services.commands.execute(
            namespace, flow_id, actor=actor(), inputs=forms.values(ids, given), origin="ui"
        )
    except InputError as error:
        return _answer(ids, error="Some inputs are wrong; nothing was started.", errors=forms.errors(ids, error.errors))
    except CommandError as error:
        return _answer(ids, error=str(error), errors=none)
    except (StoreUnavailable, RedisError):
        return _answer(ids, error=AWAY, errors=none)
    if services.gateway is not None:  # its page can only be shown once the executor has accepted it
        services.gateway.answers.wait_row(execution_id, services.settings.action_wait)
    return _answer(ids, opened=False, error="", errors=none, path=f"/executions/{execution_id}")
