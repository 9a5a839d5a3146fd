"""Actions on many executions: the preview in the dialog, and the operation that is started, followed live there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component
from redis.exceptions import RedisError

from dashboard.accounts import person
from dashboard.callbacks.acting import AWAY, may_not
from dashboard.callbacks.action_request import Request
from dashboard.callbacks.notices import actor, count, short
from dashboard.rights import rights_of
from dashboard.services import Services
from dashboard.threads import in_thread
from engine.states import ACTIONS, Action
from streaming.messages import ActionDetails
from streaming.operations import Preview, Reason, Selection


def selection_of(request: Request) -> Selection:
    """The executions that are meant."""
    return Selection.of_filters(request.filters) if request.filters is not None else Selection.of_ids(request.ids)


def preview(services: Services, request: Request, details: Mapping[str, Any]) -> tuple[Component, bool]:
    """How many will change, how many can't and why; whether there is nothing that could be done."""
    from data import StoreUnavailable
    from data.filters import FilterError
    from streaming.commands import CommandError

    info = ACTIONS[request.action]
    filled: dict[str, Any] = {"state": info.targets[0]} if info.targets else {}
    if request.action is Action.LABELS:
        filled["labels"] = {}
    try:
        known = ActionDetails(**(filled | dict(details)))
        chosen, rights = selection_of(request), rights_of(person(), request.action)
        found = in_thread(lambda: services.operations.preview(request.action, chosen, known, rights=rights))
    except StoreUnavailable:
        return html.P(AWAY, className="wf-form-error"), True
    except (CommandError, FilterError) as error:
        return html.P(str(error), className="wf-form-error"), True
    return previewed(found), found.done == 0


def previewed(found: Preview) -> Component:
    """A preview as people read it."""
    refused = sum(reason.count for reason in found.refused) + len(found.unknown)
    counts = [
        html.Span([html.B(count(found.done)), " will change"], className="wf-preview-able"),
        html.Span([html.B(count(refused)), " can't"], className="wf-preview-not") if refused else None,
    ]
    whys = [_reason(reason) for reason in sorted(found.refused, key=lambda one: -one.count)]
    if found.unknown:
        ids = tuple(found.unknown[:3])
        whys.append(_reason(Reason("There is no such execution.", len(found.unknown), ids)))
    parts = [html.Div(counts, className="wf-preview-counts"), html.Ul(whys) if whys else None]
    return html.Div(parts, className="wf-preview", **{"data-able": str(found.done)})


def _reason(reason: Reason) -> Component:
    examples = ", ".join(map(short, reason.examples))
    more = ", …" if reason.count > len(reason.examples) else ""
    which = html.Span(f"{examples}{more}", className="wf-muted")
    return html.Li([html.B(count(reason.count)), f" {reason.why} ", which])


def started(services: Services, request: Request, details: Mapping[str, Any], reason: Any) -> dict[str, Any]:
    """Start the operation: the dialog shows its progress from now on, or why it wasn't started."""
    from data import StoreUnavailable
    from data.filters import FilterError
    from streaming.commands import CommandError

    try:
        if why := may_not(services, request):
            return {"error": why}
        chosen, known = selection_of(request), ActionDetails(**details)
        by = {
            "actor": actor(),
            "reason": str(reason) if reason else None,
            "rights": rights_of(person(), request.action),
        }
        operation_id = in_thread(lambda: services.operations.start(request.action, chosen, known, **by))
    except (StoreUnavailable, RedisError):
        return {"error": AWAY}
    except (CommandError, FilterError) as error:
        return {"error": str(error)}
    params = json.dumps({"id": operation_id})
    view = html.Div(className="wf-act-progress", **{"data-wf-view": "operation-progress", "data-wf-params": params})
    return {
        "step": "wf-act wf-act-sent",
        "cancel": "Close",
        "preview": view,
        "form": [],
        "inputs": [],
        "error": "",
        "pending": None,
    }
