"""Does one action on one execution: rights, command, answer. What came of it, in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dash import dcc, html
from flask_login import current_user
from redis.exceptions import RedisError

from dashboard import permissions
from dashboard.callbacks import action_facts
from dashboard.callbacks.action_request import Request
from dashboard.callbacks.notices import actor, notice, short
from dashboard.seen import seen
from dashboard.services import Services
from dashboard.threads import in_thread
from engine.ids import new_id
from engine.inputs import InputError, read_inputs, validate_inputs
from engine.states import ACTIONS, Action, State

AWAY = "The database or Redis can't be reached; nothing was changed. Try again when the lamp is green."
LATE = "The executor has not answered yet. It is done or refused when it comes to it."


@dataclass(frozen=True)
class Outcome:
    """``refused`` says why nothing changed; ``wrong`` maps inputs to what is wrong with them; ``made`` is the id of the
    execution that the action made; ``late``: nobody has answered yet."""

    refused: str | None = None
    wrong: dict[str, str] = field(default_factory=dict)
    made: str | None = None
    late: bool = False


def may_not(services: Services, request: Request) -> str | None:
    """Why the signed-in user may not do this; ``None`` when it may."""
    if request.many:
        verbs = (permissions.Verb.OPERATIONS, request.command)
        barred = next((verb for verb in verbs if not permissions.may_somewhere(current_user, verb)), None)
        return barred and permissions.refusal(current_user, barred)
    row = seen(services).store.row(request.id)  # what one may not look at is not there
    return permissions.refusal(current_user, request.command, row.namespace) if row else f"There is no {request.id}."


def act(
    services: Services, request: Request, details: dict[str, Any], inputs: dict[str, Any], reason: str | None
) -> Outcome:
    """Ask for it and wait for the executor's answer. ``inputs`` are as the form gives them."""
    from data import StoreUnavailable
    from streaming.commands import CommandError

    try:
        if why := may_not(services, request):
            return Outcome(why)
        event_id, made = in_thread(lambda: _ask(services, request, details, inputs, reason))
        answer = services.commands.wait(event_id, services.settings.action_wait)
    except InputError as error:
        return Outcome("Some inputs are wrong; nothing was changed.", error.errors)
    except CommandError as error:
        return Outcome(str(error))
    except (StoreUnavailable, RedisError):
        return Outcome(AWAY)
    if answer is None:
        return Outcome(late=True)
    if answer.refused is None and made and services.gateway is not None:
        services.gateway.answers.wait_row(made, services.settings.action_wait)
    return Outcome(answer.refused and _now(services, request, answer.refused), made=made)


def _ask(
    services: Services, request: Request, details: dict[str, Any], inputs: dict[str, Any], reason: str | None
) -> tuple[str, str | None]:
    """(the event's id, the id of the execution that is to be made, if any)."""
    known = _details(services, request, details, inputs)
    event_id = services.commands.act(request.command, request.id, actor=actor(), reason=reason or None, **known)
    return event_id, known.get("new_id")


def _details(services: Services, request: Request, details: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """All that the command takes. Raises InputError."""
    known = dict(details)
    if request.task_run_id is not None:
        known["task_run_id"] = request.task_run_id
    if request.command is not request.action:
        known["state"] = State.RUNNING
    execution = services.store.execution(request.id)
    if execution is None:
        return known
    if known.get("revision") == execution.revision:
        del known["revision"]
    if request.action is Action.REPLAY or "revision" in known:
        known["new_id"] = new_id()
    flow = action_facts.flow_of(services, execution, known.get("revision", execution.revision))
    if request.action is Action.REPLAY and request.task_run_id is None and flow is not None:
        known["inputs"] = validate_inputs(flow, {**execution.hidden.inputs, **given})
    elif request.action is Action.RESUME:
        known["inputs"] = read_inputs(action_facts.asked_for(execution, request, flow), given)
    return known


def _now(services: Services, request: Request, refused: str) -> str:
    """The refusal, and the state it is in now where that isn't said."""
    row = services.store.row(request.id)
    if row is None or f"is {row.state} now" in refused:
        return refused
    return f"{refused} The execution is {row.state} now."


def told(request: Request, outcome: Outcome) -> dict[str, Any]:
    """The notice of what came of it; a link to the execution that was made."""
    title, subject = ACTIONS[request.action].title, f"Execution {short(request.id)}"
    if outcome.refused is not None:
        return notice(f"{title} refused", f"{subject}: {outcome.refused}", bad=True)
    if outcome.late:
        return notice(f"{title} asked for", f"{subject}. {LATE}")
    if outcome.made is None:
        return notice(f"{title} done", subject)
    link = dcc.Link(f"Open {short(outcome.made)}", href=f"/executions/{outcome.made}", className="wf-notice-link")
    made = notice(f"{title} done", f"made {outcome.made}")
    return made | {"message": html.Span(["A new execution. ", link]), "autoClose": 15_000}
