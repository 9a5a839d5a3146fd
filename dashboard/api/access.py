"""Whether somebody may call an endpoint: asked of the table before the handler runs."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.api.context import Api
from dashboard.api.errors import ApiError
from dashboard.api.spec import Endpoint
from dashboard.permissions import Forbidden, Verb, demand, may, may_somewhere, namespaces, refusal


def check(api: Api, endpoint: Endpoint, names: Mapping[str, str]) -> None:
    """Raise ``Forbidden`` unless the person who asks may; ``ApiError`` 404 for what it may not even see.

    Where it may in some namespaces only, that of the path or of the path's execution counts. An endpoint with neither
    must say that it ``narrows`` what it gives or does to those namespaces.
    """
    if endpoint.open:
        return
    who, verb = api.person, endpoint.needs
    if not may_somewhere(who, verb):
        raise Forbidden(refusal(who, verb))
    if namespaces(who, verb) is None:
        return
    namespace = _namespace(api, names)
    if namespace is not None:
        demand(who, verb, namespace)
    elif not endpoint.narrows:
        raise Forbidden(refusal(who, verb))


def _namespace(api: Api, names: Mapping[str, str]) -> str | None:
    """The namespace that a path is about. What the person may not look at is not there."""
    if "executionId" in names:
        execution_id = names["executionId"]
        row = api.read(lambda: api.store.row(execution_id))
        if row is None or not may(api.person, Verb.READ, row.namespace):
            raise ApiError(404, f"There is no execution {execution_id}.")
        return row.namespace
    return names.get("namespace")
