"""Calls of webhooks: no login, the key is what counts."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import flask
from flask_limiter.util import get_remote_address

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import Endpoint, Parameter
from dashboard.api.start import wait_for_end
from engine.expressions import Options, evaluate_at
from streaming.trigger_commands import Call

_LEFT_OUT = frozenset({"authorization", "cookie", "proxy-authorization"})  # of those who call, nobody's business


def call(api: Api, namespace: str, id: str, key: str, path: str | None = None) -> flask.Response:
    """Start what the webhook starts."""
    _count(api)
    given = _call(api, path)
    options = Options(api.settings.expression_timeout, api.settings.expression_max_bytes)
    triggers, evaluate = api.services.triggers, partial(evaluate_at, options=options)
    started = api.read(lambda: triggers.call(namespace, id, key, given, evaluate))
    if started is None:
        return flask.Response(status=204)
    execution_id, trigger = started
    root = (api.settings.public_url or flask.request.host_url).rstrip("/")
    about: dict[str, Any] = {
        "tenantId": shapes.TENANT,
        "id": execution_id,
        "namespace": namespace,
        "flowId": id,
        "trigger": {"id": trigger.id, "type": trigger.type},
        "url": f"{root}/executions/{execution_id}",
    }
    if not trigger.wait:
        return answer(about)
    wait_for_end(api, execution_id)
    item = shapes.execution(api.execution(execution_id))
    outputs = {"outputs": item["outputs"]} if trigger.returnOutputs else {}
    return answer({**about, "flowRevision": item["flowRevision"], "state": item["state"], **outputs})


def _count(api: Api) -> None:
    """429 for an address that calls too often."""
    if not api.webhook_rate.allows(get_remote_address()):
        raise ApiError(429, f"Expected at most {api.settings.webhook_rate} (WATCHFLOOR_WEBHOOK_RATE); call later.")


def _call(api: Api, path: str | None) -> Call:
    request = flask.request
    request.max_content_length = api.settings.webhook_max_bytes
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        if name.lower() not in _LEFT_OUT:
            headers.setdefault(name.lower(), []).append(value)
    return Call(_body(request), headers, request.args.to_dict(flat=False), path)


def _body(request: flask.Request) -> Any:
    """JSON as values, a form's fields, else text; nothing is null."""
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        fields = request.form.to_dict(flat=False)
        return {name: values if len(values) > 1 else values[0] for name, values in fields.items()}
    text = request.get_data().decode("utf-8", "replace")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


_PATH = "/executions/webhook/{namespace}/{id}/{key}"
ENDPOINTS = tuple(
    Endpoint(
        method, path, call, f"Call a webhook{' with a path behind its key' if path != _PATH else ''}.",
        "WebhookResponse", () if method == "GET" else (
            Parameter("body", "any", "What `trigger.body` is.", where="body"),
        ), open=True, good=(200, 204),
    )
    for path in (_PATH, f"{_PATH}/{{path}}")
    for method in ("GET", "POST", "PUT")
)  # fmt: skip
