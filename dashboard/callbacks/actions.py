"""Actions: what a button, a menu or a key asks for is done at once, or by a dialog where it needs details.

The change itself comes to every page as a delta; a notice says what was done, and what was refused and why.
"""

from __future__ import annotations

from typing import Any

import dash
from dash import ALL, Input, Output, State, no_update, set_props

from dashboard.callbacks import action_facts, bulk
from dashboard.callbacks.acting import AWAY, act, may_not, told
from dashboard.callbacks.action_request import Request, read
from dashboard.callbacks.asking import asks
from dashboard.callbacks.notices import notice
from dashboard.components import action_forms, forms
from dashboard.components.action_forms import FormError
from dashboard.components.action_looks import LOOKS
from dashboard.ids import ACT, ACT_INPUTS, Act, Frame, form_field
from dashboard.permissions import Verb
from dashboard.seen import seen
from dashboard.services import Services
from engine.states import ACTIONS

_DIALOG = {
    "opened": Output(Act.MODAL, "opened"),
    "pending": Output(Act.PENDING, "data"),
    "title": Output(Act.TITLE, "children"),
    "step": Output(Act.STEP, "className"),
    "text": Output(Act.TEXT, "children"),
    "form": Output(Act.FORM, "children"),
    "error": Output(Act.ERROR, "children"),
    "reason": Output(Act.REASON, "value"),
    "go": Output(Act.GO, "children"),
    "go_class": Output(Act.GO, "className"),
    "nothing": Output(Act.GO, "disabled"),
    "cancel": Output(Act.CANCEL, "children"),
    "wrong": Output(form_field(ACT, ALL), "error"),
    "wrong_inputs": Output(form_field(ACT_INPUTS, ALL), "error"),
    "preview": Output(Act.PREVIEW, "children"),
    "inputs": Output(Act.INPUTS, "children"),
}


def register(app: dash.Dash, services: Services) -> None:
    """One callback opens the dialog, sends it and closes it; two keep its parts true while it is filled in."""

    @app.callback(
        output=_DIALOG,
        inputs={
            "asked": Input(Frame.ACTION_REQUEST, "data"),
            "clicks": (Input(Act.GO, "n_clicks"), Input(Act.CANCEL, "n_clicks"), Input(Act.REASON, "n_submit")),
            "pending": State(Act.PENDING, "data"),
            "reason": State(Act.REASON, "value"),
            "details": (State(form_field(ACT, ALL), "id"), State(form_field(ACT, ALL), "value")),
            "inputs": (State(form_field(ACT_INPUTS, ALL), "id"), State(form_field(ACT_INPUTS, ALL), "value")),
        },
        running=[(Output(Act.GO, "loading"), True, False)],
        prevent_initial_call=True,
    )
    @asks(Verb.READ)
    def dialog(asked: Any, clicks: Any, pending: Any, reason: Any, details: Any, inputs: Any) -> dict[str, Any]:
        who = dash.ctx.triggered_id
        ids = {"wrong": details[0], "wrong_inputs": inputs[0]}
        request = read(asked if who == Frame.ACTION_REQUEST else pending)
        if who == Act.CANCEL or request is None:
            return _shown(ids, opened=False)
        if who == Frame.ACTION_REQUEST:
            return _shown(ids, **_asked(services, request, asked))
        return _shown(ids, **_sent(services, request, reason, details, inputs))

    @app.callback(
        Output(Act.INPUTS, "children", allow_duplicate=True),
        Input(form_field(ACT, "revision"), "value"),
        State(Act.PENDING, "data"),
        prevent_initial_call=True,
    )
    @asks(Verb.READ)
    def other_revision(value: Any, pending: Any) -> Any:
        request = read(pending)
        if request is None or request.many or not str(value or "").isdigit():
            return no_update
        return _inputs(services, request, int(value))

    @app.callback(
        Output(Act.PREVIEW, "children", allow_duplicate=True),
        Output(Act.GO, "disabled", allow_duplicate=True),
        Input(form_field(ACT, "include_non_terminated"), "value"),
        State(Act.PENDING, "data"),
        prevent_initial_call=True,
    )
    @asks(Verb.OPERATIONS)
    def insisted(value: Any, pending: Any) -> Any:
        request = read(pending)
        if request is None or not request.many:
            return no_update, no_update
        return bulk.preview(services, request, {"include_non_terminated": bool(value)})


def _shown(ids: dict[str, list[Any]], **given: Any) -> dict[str, Any]:
    """Every output of the dialog; what isn't given stays. Errors of fields are given by the fields' names."""
    errors = {name: forms.errors(ids[name], given.pop(name)) if name in given else [no_update] * len(ids[name])
              for name in ids}  # fmt: skip
    return {name: given.get(name, no_update) for name in _DIALOG} | errors


def _asked(services: Services, request: Request, data: Any) -> dict[str, Any]:
    """Do it, or open the dialog for it."""
    from data import StoreUnavailable

    try:
        if why := may_not(services, request):
            _tell(notice(f"{ACTIONS[request.action].title} refused", why, bad=True))
            return {}
        facts = action_facts.gather(seen(services), request)
        fields = action_forms.fields(facts)
        if _needs_dialog(request, facts, fields):
            return _opened(services, request, data, facts, fields)
    except StoreUnavailable:
        _tell(notice(f"{ACTIONS[request.action].title} refused", AWAY, bad=True))
        return {}
    _tell(told(request, act(services, request, {}, {}, None)))
    return {}


def _needs_dialog(request: Request, facts: action_forms.Facts, fields: list[Any]) -> bool:
    info = ACTIONS[request.action]
    return bool(request.many or info.danger or info.form or fields or facts.inputs)


def _opened(
    services: Services, request: Request, data: Any, facts: action_forms.Facts, fields: list[Any]
) -> dict[str, Any]:
    info, task_run = ACTIONS[request.action], facts.task_run
    side = LOOKS[request.action].task
    title, subject = info.title, request.subject
    if side is not None and task_run is not None:
        title, subject = side.title, f"{task_run.task_id} in {subject}"
    preview, nothing = bulk.preview(services, request, {}) if request.many else ([], False)
    return {
        "opened": True,
        "pending": data,
        "title": f"{title}: {subject}",
        "step": "wf-act",
        "text": action_forms.words(facts),
        "preview": preview,
        "nothing": nothing,
        "cancel": "Cancel",
        "form": fields,
        "inputs": forms.form(ACT_INPUTS, facts.inputs, services.settings.upload_max_bytes) if facts.inputs else [],
        "error": "",
        "reason": "",
        "go": title,
        "go_class": "wf-danger" if info.danger else "",
    }


def _inputs(services: Services, request: Request, revision: int) -> list[Any]:
    """The inputs of the flow in another revision."""
    facts = action_facts.gather(seen(services), request, revision)
    return forms.form(ACT_INPUTS, facts.inputs, services.settings.upload_max_bytes) if facts.inputs else []


def _sent(services: Services, request: Request, reason: Any, details: Any, inputs: Any) -> dict[str, Any]:
    """The dialog was confirmed: what is wrong with it, or that it is done."""
    fields = {one["input"]: value for one, value in zip(*details, strict=True)}
    try:
        known = action_forms.details(request.action, fields)
    except FormError as error:
        return {"error": "", "wrong": error.errors, "wrong_inputs": {}}
    if request.many:
        return bulk.started(services, request, known, reason)
    outcome = act(services, request, known, forms.values(*inputs), reason)
    if outcome.refused is not None:
        return {"error": outcome.refused, "wrong": {}, "wrong_inputs": outcome.wrong}
    _tell(told(request, outcome))
    return {"opened": False, "pending": None}


def _tell(*notices: dict[str, Any]) -> None:
    set_props(Frame.NOTIFICATIONS, {"sendNotifications": list(notices)})
