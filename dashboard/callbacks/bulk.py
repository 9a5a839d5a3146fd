"""Actions on several executions, one after the other: one that can't be acted on stops no other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.callbacks.acting import act
from dashboard.callbacks.action_request import Request
from dashboard.services import Services


def preview(_services: Services, request: Request, _details: dict[str, Any]) -> Component:
    """How many are meant."""
    return html.P(f"{request.count:,} executions.")


def started(services: Services, request: Request, details: dict[str, Any], reason: Any) -> dict[str, Any]:
    """Do it; the dialog says what was refused."""
    if not request.ids:
        return {"error": "Select executions one by one: all that match can't be acted on yet."}
    each = (act(services, replace(request, ids=(one,), many=False), details, {}, reason) for one in request.ids)
    refused = Counter(outcome.refused for outcome in each if outcome.refused is not None)
    if refused:
        return {"error": " ".join(f"{count}: {why}" for why, count in refused.items())}
    return {"opened": False, "pending": None}
