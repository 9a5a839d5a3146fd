"""Endpoints of the protocol that are not here, each with the reason: whoever asks gets 404 and is told."""

from __future__ import annotations

from typing import NamedTuple

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from dashboard.api.spec import BASE, rule_of


class Absent(NamedTuple):
    """A method on a path, and why it is not served."""

    method: str
    path: str
    why: str


ABSENT = (
    Absent("PUT", "/concurrency-limit/{namespace}/{flowId}", "Who runs follows from the slots that executions hold, "
           "the limit stands in the flow: neither can be set apart."),
    Absent("DELETE", "/logs/{namespace}/{flowId}", "A trigger has no log of its own; those of the executions that it "
           "started are removed one by one: DELETE /logs/{executionId}."),
    Absent("PUT", "/triggers", "A trigger is what its flow says: change that, or PUT /triggers/set-disabled."),
)  # fmt: skip
_PATHS = Map([Rule(rule_of(one.path), methods=[one.method], endpoint=one) for one in ABSENT])


def why_absent(method: str, path: str) -> str | None:
    """Why an endpoint of the protocol is not here; ``None`` when there never was one."""
    try:
        found, _ = _PATHS.bind("").match(path, method)
    except HTTPException:
        return None
    return f"{method} {path.removeprefix(BASE)} is not served: {found.why[0].lower()}{found.why[1:]}"
