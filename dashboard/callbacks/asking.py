"""What a callback needs of the person who triggers it: marked on the function, asked before it runs.

The mark is what must be allowed in some namespace at least; a callback that does something to a namespace asks again,
with its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import dash
import flask

from dashboard.accounts import person
from dashboard.permissions import AnyVerb, Verb, may_somewhere, refusal
from dashboard.refusals import TOO_MANY, Refusals
from dashboard.services import Services

F = TypeVar("F", bound=Callable[..., Any])
UPDATE = "/_dash-update-component"


def asks(verb: AnyVerb) -> Callable[[F], F]:
    """Mark a callback: ``@app.callback(...)`` above, ``@asks(verb)`` below it."""

    def mark(function: F) -> F:
        function.asks = verb  # type: ignore[attr-defined]
        return function

    return mark


def verb_of(app: dash.Dash, output: Any) -> AnyVerb | None:
    """What the callback with this output needs; ``None``: there is no such callback, or it runs in the browser."""
    known = app.callback_map.get(output if isinstance(output, str) else "", {})
    return getattr(known.get("callback"), "asks", Verb.READ) if "callback" in known else None


def guard(app: dash.Dash, services: Services) -> None:
    """Refuse a call of a callback before anything of it runs."""
    refusals = Refusals(services.settings.refusal_rate, services.bus, services.meter)

    def ask() -> flask.Response | None:
        if flask.request.path != UPDATE or flask.request.method != "POST":
            return None
        given = flask.request.get_json(silent=True)
        output = given.get("output") if isinstance(given, dict) else None
        who, verb = person(), verb_of(app, output)
        why = f"There is no callback {str(output)[:80]!r}." if verb is None else None
        if verb is not None and not may_somewhere(who, verb):
            why = refusal(who, verb)
        if why is None:
            return None
        fine = refusals.within_rate("rights", getattr(who, "name", None), why, callback=str(output)[:80])
        return flask.Response(f"{why if fine else TOO_MANY}\n", 403 if fine else 429, mimetype="text/plain")

    app.server.before_request(ask)
