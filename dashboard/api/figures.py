"""Metrics of a flow: which there are, and one of them over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import flask

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import Endpoint, Parameter
from data.series import Aggregation, SeriesQuery

_DEFAULT = timedelta(days=30)


def names(api: Api, namespace: str, flowId: str, taskId: str | None = None) -> flask.Response:
    """Names of a flow's metrics, or of one of its tasks'."""
    api.flow(namespace, flowId)
    return answer(api.read(lambda: api.store.metric_names(namespace, flowId, taskId)))


def tasks(api: Api, namespace: str, flowId: str) -> flask.Response:
    """Tasks that gave metrics."""
    api.flow(namespace, flowId)
    return answer(api.read(lambda: api.store.metric_tasks(namespace, flowId)))


def series(api: Api, namespace: str, flowId: str, metric: str, taskId: str | None = None) -> flask.Response:
    """A metric over time."""
    api.flow(namespace, flowId)
    until = _date(api, "endDate") or datetime.now(UTC)
    since = _date(api, "startDate") or until - _DEFAULT
    if since >= until:
        message = f"expected a date before endDate ({shapes.iso(until)}), got {shapes.iso(since)}"
        raise ApiError(400, f"startDate: {message}", [(message, "startDate")])
    aggregation = (api.text("aggregation") or "sum").lower()
    if aggregation not in get_args(Aggregation):
        message = f"expected one of {', '.join(get_args(Aggregation))}, got {aggregation!r}"
        raise ApiError(400, f"aggregation: {message}", [(message, "aggregation")])
    asked = SeriesQuery(namespace, flowId, metric, since, until, taskId, aggregation)  # type: ignore[arg-type]
    found = api.read(lambda: api.store.metric_series(asked))
    points = [{"name": metric, "value": point.value, "date": point.date} for point in found.points]
    return answer({"groupBy": found.group, "aggregations": points})


def _date(api: Api, name: str) -> datetime | None:
    given = api.text(name)
    if given is None:
        return None
    try:
        date = datetime.fromisoformat(given.replace(" ", "+") if "T" in given else given)
    except ValueError:
        message = f"expected an ISO 8601 date such as 2026-01-31T12:00:00Z, got {given!r}"
        raise ApiError(400, f"{name}: {message}", [(message, name)]) from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


_FLOW = "{namespace}/{flowId}"
_TIME = (
    Parameter("startDate", "date-time", "Executions that started then or later; 30 days before the end by default."),
    Parameter("endDate", "date-time", "Executions that started before it; now by default."),
    Parameter("aggregation", "string", "sum, avg, min or max.", "sum"),
)
ENDPOINTS = (
    Endpoint("GET", f"/metrics/names/{_FLOW}", names, "Names of a flow's metrics.", "[string]"),
    Endpoint("GET", f"/metrics/names/{_FLOW}/{{taskId}}", names, "Names of a task's metrics.", "[string]"),
    Endpoint("GET", f"/metrics/tasks/{_FLOW}", tasks, "Tasks of a flow that give metrics.", "[string]"),
    Endpoint("GET", f"/metrics/aggregates/{_FLOW}/{{metric}}", series, "A metric of a flow over time.",
             "MetricAggregations", _TIME),
    Endpoint("GET", f"/metrics/aggregates/{_FLOW}/{{taskId}}/{{metric}}", series, "A metric of a task over time.",
             "MetricAggregations", _TIME),
)  # fmt: skip
