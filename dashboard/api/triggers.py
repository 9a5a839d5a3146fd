"""Triggers: what there is, switches, and backfills."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import flask

from dashboard.api import shapes
from dashboard.api.context import Api, parsed
from dashboard.api.errors import answer
from dashboard.api.spec import FILTERS, PAGE, SIZE, SORT, Endpoint, Parameter
from dashboard.permissions import Verb
from data.errors import FilterError
from data.export import guarded
from data.fields import needle
from data.filters import Filters, plain, wanted
from data.filters import parse as parse_filters
from data.namespaces import inside
from data.operators import OPERATORS
from engine.flow import FlowError, Trigger
from engine.trigger_state import Backfill, TriggerState

Found = tuple[Trigger, TriggerState]


# -- shapes


def state_shape(state: TriggerState, trigger: Trigger | None) -> dict[str, Any]:
    """What a trigger knows of itself. ``why`` (it is off), ``error``, ``missed`` and ``waitsFor`` are ours."""
    return shapes.present(
        namespace=state.namespace,
        flowId=state.flow_id,
        triggerId=state.trigger_id,
        updatedAt=state.updated_at,
        evaluatedAt=state.evaluated_at,
        nextEvaluationDate=state.next_at,
        lastTriggeredDate=state.last_at,
        executionId=state.execution_id,
        backfill=backfill_shape(state.backfill),
        missed=backfill_shape(state.missed),
        stopAfter=list(trigger.stopAfter) if trigger else [],
        disabled=state.disabled or bool(trigger and trigger.disabled),
        locked=False,
        why=state.why,
        error=state.error,
        met=sorted(state.met) or None,
    )


def backfill_shape(job: Backfill | None) -> dict[str, Any] | None:
    """A backfill; ``progress`` (0 to 1), ``started``, ``ended``, ``failed`` and ``running`` are ours."""
    if job is None:
        return None
    return shapes.present(
        start=job.start,
        end=job.end,
        currentDate=job.next_at,
        paused=job.paused,
        inputs=job.inputs,
        labels=shapes.labels(job.labels),
        progress=round(job.progress, 4),
        started=job.started,
        ended=job.ended,
        failed=job.failed,
        running=list(job.running),
    )


# -- reading


def _all(api: Api, verb: Verb) -> list[Found]:
    """Every trigger of the newest revisions, with its state, by name, where the person who asks may."""
    flows, states = api.read(lambda: (api.store.flows(), api.store.trigger_states()))
    known = {state.key: state for state in states}
    found, allowed = [], api.allowed(verb)
    for stored in flows:
        if not inside(stored.namespace, allowed):
            continue
        try:
            triggers = parsed(stored.source).triggers
        except FlowError:
            continue
        for trigger in triggers:
            state = TriggerState(stored.namespace, stored.id, trigger.id)
            found.append((trigger, known.get(state.key, state)))
    return sorted(found, key=lambda one: one[1].key)


_FIELDS: dict[str, Callable[[TriggerState], str]] = {
    "namespace": lambda state: state.namespace,
    "flowId": lambda state: state.flow_id,
}


def _matches(filters: Filters, one: Found) -> bool:
    for condition in plain(filters):
        if condition.field == "q":
            matched = needle(condition.values[0]) in one[1].key.replace("/", ".").lower()
        elif condition.field in _FIELDS:
            matched = OPERATORS[condition.op].test(_FIELDS[condition.field](one[1]), wanted(condition))
        else:
            fields = ", ".join(("q", *_FIELDS))
            raise FilterError(condition.field, f"triggers have no such field; the fields are {fields}")
        if not matched:
            return False
    return True


def matching(api: Api, verb: Verb = Verb.READ, filters: Filters | None = None) -> list[Found]:
    """Those that fit filters (those of the query when none are given), where the person who asks may."""
    wanted = parse_filters(flask.request.args) if filters is None else filters
    return [one for one in _all(api, verb) if _matches(wanted, one)]


_NEVER = datetime.max.replace(tzinfo=UTC)
_SORTS: dict[str, Callable[[Found], Any]] = {
    "triggerId": lambda one: (one[1].trigger_id, one[1].key),
    "flowId": lambda one: (one[1].flow_id, one[1].key),
    "namespace": lambda one: one[1].key,
    "nextEvaluationDate": lambda one: (one[1].next_at or _NEVER, one[1].key),
    "lastTriggeredDate": lambda one: (one[1].last_at or _NEVER, one[1].key),
}


def _page(api: Api, found: Sequence[Found], shape: Callable[[Found], Any]) -> flask.Response:
    number, size = api.page()
    field, descending = api.sort("namespace:asc", _SORTS)
    ordered = sorted(found, key=_SORTS[field], reverse=descending)
    return answer(shapes.page([shape(one) for one in ordered[(number - 1) * size : number * size]], len(ordered)))


def search(api: Api) -> flask.Response:
    """Triggers with their states."""
    return _page(api, matching(api), lambda one: {"trigger": one[0].raw, "state": state_shape(one[1], one[0])})


def of_flow(api: Api, namespace: str, flowId: str) -> flask.Response:
    """States of the triggers of one flow."""
    api.flow(namespace, flowId)
    found = [one for one in _all(api, Verb.READ) if (one[1].namespace, one[1].flow_id) == (namespace, flowId)]
    q = (api.text("q") or "").lower()
    return _page(api, [one for one in found if q in one[1].trigger_id.lower()], lambda one: state_shape(one[1], one[0]))


_COLUMNS = ("namespace", "flowId", "triggerId", "disabled", "nextEvaluationDate", "lastTriggeredDate", "executionId")


def export(api: Api) -> flask.Response:
    """The same as CSV."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("type", *_COLUMNS))
    for trigger, state in matching(api, Verb.EXPORT):
        row = state_shape(state, trigger)
        values = (row.get(name, "") for name in _COLUMNS)
        writer.writerow((trigger.type, *map(_cell, values)))
    return flask.Response(text.getvalue(), mimetype="text/csv")


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return shapes.iso(value)
    return guarded(value) if isinstance(value, str) else value


def concurrency(api: Api) -> flask.Response:
    """Flows with a concurrency limit: how many of their executions run, and how many wait."""
    found = [use for use in api.read(api.store.concurrency) if inside(use.namespace, api.allowed())]
    number, size = api.page()
    rows = [
        {"namespace": use.namespace, "flowId": use.flow_id, "running": use.running, "queued": use.queued,
         "limit": use.limit} for use in found
    ]  # fmt: skip
    return answer(shapes.page(rows[(number - 1) * size : number * size], len(rows)))


ENDPOINTS = (
    Endpoint(
        "GET", "/triggers/search", search, "Search triggers by `q`, `namespace`, `flowId`.",
        "PagedResults<TriggerAndState>", (PAGE, SIZE, SORT, FILTERS), narrows=True,
    ),
    Endpoint(
        "GET", "/triggers/export/by-query/csv", export, "The same as CSV.", "text/csv", (FILTERS,), verb=Verb.EXPORT,
        narrows=True,
    ),
    Endpoint(
        "GET", "/triggers/{namespace}/{flowId}", of_flow, "The triggers of a flow.", "PagedResults<TriggerState>",
        (PAGE, SIZE, SORT, Parameter("q", "string", "Only those whose id contains it.")),
    ),
    Endpoint(
        "GET", "/concurrency-limit/search", concurrency, "Flows with a limit: who runs, who waits.",
        "PagedResults<ConcurrencyLimit>", (PAGE, SIZE), narrows=True,
    ),
)  # fmt: skip
