"""Resume with inputs: a Pause task may ask for values (``onResume``); its form comes before the execution goes on."""

from __future__ import annotations

from typing import Any

import dash
from dash import ALL, Input, Output, State, no_update, set_props
from redis.exceptions import RedisError

from dashboard.callbacks.notices import actor, notice, only_looks, short
from dashboard.components import forms
from dashboard.ids import Frame, Resume, form_field
from dashboard.services import Services
from engine.flow import FlowError, Pause, parse
from engine.flow.inputs import Input as FlowInput
from engine.inputs import InputError, read_inputs
from engine.states import Action  # fmt: skip
from engine.states import State as RunState

FORM = "resume"


def asked_for(services: Services, execution_id: str) -> tuple[FlowInput, ...]:
    """The inputs that the paused task of an execution asks for; none when there is no such task."""
    execution = services.store.execution(execution_id)
    if execution is None or execution.paused_by_hand:
        return ()
    stored = services.store.flow(execution.namespace, execution.flow_id, execution.revision)
    if stored is None:
        return ()
    try:
        tasks = parse(stored.source).tasks_by_id
    except FlowError:
        return ()
    paused = (tasks.get(run.task_id) for run in execution.task_runs.values() if run.state is RunState.PAUSED)
    return next((task.onResume for task in paused if isinstance(task, Pause) and task.onResume), ())


def register(app: dash.Dash, services: Services) -> None:
    """``Resume.PENDING`` holds the id of the execution the form is for."""

    @app.callback(
        Output(Resume.MODAL, "opened"),
        Output(Resume.MODAL, "title"),
        Output(Resume.FORM, "children"),
        Output(Resume.ERROR, "children"),
        Output(form_field(FORM, ALL), "error"),
        Input(Resume.PENDING, "data"),
        Input(Resume.GO, "n_clicks"),
        State(form_field(FORM, ALL), "value"),
        State(form_field(FORM, ALL), "id"),
        prevent_initial_call=True,
    )
    def resume(pending: Any, _go: Any, given: list[Any], ids: list[Any]) -> Any:
        if not pending:
            return no_update, no_update, no_update, no_update, [no_update] * len(ids)
        execution_id = pending["id"]
        if dash.ctx.triggered_id != Resume.GO:
            fields = forms.form(FORM, asked_for(services, execution_id), services.settings.upload_max_bytes)
            return True, f"Resume {short(execution_id)}", fields, "", [no_update] * len(ids)
        error, wrong = send(services, execution_id, forms.values(ids, given))
        done = error is None
        return False if done else no_update, no_update, no_update, error or "", forms.errors(ids, wrong)


def send(services: Services, execution_id: str, given: dict[str, Any]) -> tuple[str | None, dict[str, str]]:
    """Ask for the resume; what is wrong as a whole and by input, ``None`` when it was asked for."""
    from data import StoreUnavailable
    from streaming.commands import CommandError

    if why := only_looks():
        return why, {}
    try:
        inputs = read_inputs(asked_for(services, execution_id), given)
        services.commands.act(Action.RESUME, execution_id, actor=actor(), inputs=inputs)
    except InputError as error:
        return "Some inputs are wrong; nothing was changed.", error.errors
    except CommandError as error:
        return str(error), {}
    except (StoreUnavailable, RedisError):
        return "The database or Redis can't be reached; nothing was changed.", {}
    told = notice("Resume asked for", f"Execution {short(execution_id)}")
    set_props(Frame.NOTIFICATIONS, {"sendNotifications": [told]})
    return None, {}
