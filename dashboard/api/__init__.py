"""The REST API below ``/api/v1/main``: ``register(server, services)``.

``ENDPOINTS`` is the whole of it, as data; docs/api.md is held against it by a test.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule

from dashboard.api import (
    about,
    access,
    actions,
    audit,
    bulk,
    catalog,
    debug,
    distinct,
    errors,
    executions,
    export,
    figures,
    files,
    flow_many,
    flow_relations,
    flows,
    follow,
    follow_related,
    logs,
    operations,
    people,
    removal,
    results,
    start,
    strict,
    trigger_actions,
    triggers,
    validate,
    views,
    webhooks,
)
from dashboard.api.absent import why_absent
from dashboard.api.context import Api
from dashboard.api.errors import ApiError
from dashboard.api.spec import BASE, Endpoint
from dashboard.permissions import Forbidden
from dashboard.services import Services

ENDPOINTS: tuple[Endpoint, ...] = (
    *about.ENDPOINTS,
    *flows.ENDPOINTS,
    *flow_many.ENDPOINTS,
    *flow_relations.ENDPOINTS,
    *executions.ENDPOINTS,
    *distinct.ENDPOINTS,
    *export.ENDPOINTS,
    *catalog.ENDPOINTS,
    *debug.ENDPOINTS,
    *files.ENDPOINTS,
    *start.ENDPOINTS,
    *actions.ENDPOINTS,
    *validate.ENDPOINTS,
    *bulk.ENDPOINTS,
    *operations.ENDPOINTS,
    *follow.ENDPOINTS,
    *follow_related.ENDPOINTS,
    *logs.ENDPOINTS,
    *results.ENDPOINTS,
    *figures.ENDPOINTS,
    *removal.ENDPOINTS,
    *triggers.ENDPOINTS,
    *trigger_actions.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *people.ENDPOINTS,
    *audit.ENDPOINTS,
    *views.ENDPOINTS,
)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def register(server: flask.Flask, services: Services) -> None:
    """Serve the API on ``server``, which has login and its guard already."""
    blueprint = flask.Blueprint("api", __name__)
    api = Api(services)
    for endpoint in ENDPOINTS:
        blueprint.add_url_rule(
            endpoint.rule, f"{endpoint.method} {endpoint.path}".replace(".", "_"), _view(api, endpoint),
            methods=[endpoint.method],
        )  # fmt: skip
    for rule in ("/api/", "/api/<path:rest>"):
        blueprint.add_url_rule(rule, "unknown", _unknown, methods=_METHODS)
    errors.register(blueprint)
    server.register_blueprint(blueprint)


def _view(api: Api, endpoint: Endpoint) -> Callable[..., Any]:
    @wraps(endpoint.handler)
    def view(**names: str) -> Any:
        try:
            access.check(api, endpoint, names)
            strict.check(endpoint, flask.request.args)
            return endpoint.handler(api, **names)
        except Forbidden as error:
            raise ApiError(*api.refused(str(error), f"{endpoint.method} {endpoint.path}")) from error

    return view


_PATHS = Map([Rule(endpoint.rule, methods=[endpoint.method], endpoint=endpoint.path) for endpoint in ENDPOINTS])


def _unknown(rest: str = "") -> flask.Response:
    """404 with the reason for what is left out, 405 where another method works, else 404 that names what is nearest."""
    path, method = flask.request.path, flask.request.method
    if (why := why_absent(method, path)) is not None:
        raise ApiError(404, why)
    try:
        _PATHS.bind("").match(path, method)
    except MethodNotAllowed as error:
        allowed = ", ".join(sorted(set(error.valid_methods or ()) - {"HEAD"}))
        answer = errors.failure(ApiError(405, f"{method} does not work on {path}; it takes {allowed}."))
        answer.headers["Allow"] = allowed
        return answer
    except HTTPException:
        pass
    known = errors.nearest(path, (BASE + endpoint.path for endpoint in ENDPOINTS))
    raise ApiError(404, f"There is no {method} {path} here.{known} docs/api.md lists all there is, below {BASE}.")
