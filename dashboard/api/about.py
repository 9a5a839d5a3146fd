"""The API about itself."""

from __future__ import annotations

import flask

from dashboard.api import openapi
from dashboard.api.context import Api
from dashboard.api.errors import answer
from dashboard.api.spec import Endpoint


def document(api: Api) -> flask.Response:
    """The OpenAPI document of all endpoints."""
    return answer(openapi.document(_all()))


def page(api: Api) -> flask.Response:
    """The same as a page."""
    return flask.Response(openapi.page(_all()), mimetype="text/html")


def _all() -> tuple[Endpoint, ...]:
    from dashboard.api import ENDPOINTS

    return ENDPOINTS


ENDPOINTS = (
    Endpoint(
        "GET", "/openapi.json", document, "This API as an OpenAPI 3.1 document.", "object", ours=True, narrows=True
    ),
    Endpoint("GET", "/docs", page, "This API as a page.", "text/html", ours=True, narrows=True),
)
