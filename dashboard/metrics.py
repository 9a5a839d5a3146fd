"""``/metrics``: the figures of all processes, for Prometheus; and what this one counts of its requests."""

from __future__ import annotations

import hmac
import time
from typing import Any

import flask
from flask_login import current_user
from redis.exceptions import RedisError

from dashboard import health
from dashboard.services import Services
from streaming import keys
from streaming.metrics import Meter
from streaming.metrics.exchange import Published, fresh, merged, node_name, published

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def register(server: flask.Flask, services: Services) -> None:
    """The endpoint, and a count of every request."""
    meter = services.meter
    _count_requests(server, meter)
    meter.look(lambda: _look(services))

    @server.get("/metrics", endpoint="metrics")
    def metrics() -> Any:
        if not _may_see(services):
            answer = flask.Response("Sign in, or send the token of WATCHFLOOR_METRICS_TOKEN.\n", 401)
            answer.headers["WWW-Authenticate"] = 'Basic realm="Watchfloor"'
            return answer
        return flask.Response(everything(services), content_type=CONTENT_TYPE)


def everything(services: Services) -> str:
    """This process's figures and those of all others; its own alone while Redis is away."""
    own = Published(time.time(), services.meter.process, node_name(), services.meter.text())
    try:
        others = [one for one in fresh(published(services.bus)) if one.node != own.node]
    except RedisError:
        others = []
    return merged([*others, own])


def _may_see(services: Services) -> bool:
    """Who is signed in, and who has the token, when there is one."""
    token = services.settings.metrics_token
    given = flask.request.headers.get("Authorization", "")
    if token is not None and given.startswith("Bearer "):
        return hmac.compare_digest(given.removeprefix("Bearer ").encode(), token.get_secret_value().encode())
    return bool(current_user.is_authenticated)


def _look(services: Services) -> None:
    """What is asked of the others when Prometheus asks."""
    for part in health.parts(services):
        services.meter["watchfloor_up"].labels(part.name).set(part.ok)
    try:
        services.meter["watchfloor_jobs_waiting"].set(services.bus.redis.llen(keys.JOBS))
        services.meter["watchfloor_dead_letters"].set(services.bus.length(keys.DEAD_LETTERS))
    except RedisError:
        return


def _count_requests(server: flask.Flask, meter: Meter) -> None:
    def begin() -> None:
        flask.g.begun = time.perf_counter()

    def end(answer: flask.Response) -> flask.Response:
        rule = flask.request.url_rule
        endpoint = rule.rule if rule is not None else "none"
        meter["watchfloor_http_requests_total"].labels(flask.request.method, endpoint, answer.status_code).inc()
        if (begun := flask.g.get("begun")) is not None:
            meter["watchfloor_http_request_seconds"].labels(endpoint).observe(time.perf_counter() - begun)
        return answer

    server.before_request(begin)
    server.after_request(end)
