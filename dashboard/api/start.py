"""Starting an execution: inputs from a form, and waiting for it to be there, or to be over."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import flask

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.details import breakpoints_of
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import INPUTS_BODY, REVISION, Endpoint, Parameter
from dashboard.permissions import Verb
from dashboard.uploads import keep
from data.fields import date_of
from engine.model import Execution, Kind, StateChange
from engine.states import TERMINAL, State

WAIT_MAX_SECONDS = 3_600.0
_LOOK_SECONDS = 5.0  # a waiting request looks into the store that often, should news have passed by
_KINDS = tuple(kind for kind in Kind if kind is not Kind.SYNTHETIC)


LABELS = Parameter("labels", "[string]", "`key:value`, repeatable.")


def inputs_of_request(api: Api) -> dict[str, Any]:
    """Inputs from a form's parts (files are kept, their address is the value), or from a JSON object."""
    request = flask.request
    request.max_content_length = api.settings.upload_max_bytes
    if request.is_json:
        given = request.get_json()
        if not isinstance(given, dict):
            raise ApiError(400, f"Expected a JSON object of inputs, got {type(given).__name__}.")
        return given
    values: dict[str, Any] = {}
    for name in request.form:
        parts = request.form.getlist(name)
        values[name] = parts if len(parts) > 1 else parts[0]
    return values | {
        name: keep(api.settings, file.filename, file.stream) for name, file in request.files.items() if file.filename
    }


def labels_of_request() -> dict[str, str]:
    """``labels=key:value``, as often as there are labels."""
    labels: dict[str, str] = {}
    for text in flask.request.args.getlist("labels"):
        key, colon, value = text.partition(":")
        if not key or not colon or not value:
            message = f"expected a label as key:value, got {text!r}"
            raise ApiError(400, f"labels: {message}", [(message, "labels")])
        labels[key] = value
    return labels


def kind_of(api: Api) -> Kind:
    """What the execution is for."""
    given = api.text("kind") or Kind.NORMAL
    if given not in _KINDS:
        message = f"expected one of {', '.join(_KINDS)}, got {given!r}"
        raise ApiError(400, f"kind: {message}", [(message, "kind")])
    return Kind(given)


def date_of_request(api: Api, name: str) -> datetime | None:
    """A date of the query; 400 for what is none."""
    given = api.text(name)
    try:
        return date_of(given) if given else None
    except ValueError as error:
        raise ApiError(400, f"{name}: {error}", [(str(error), name)]) from None


def execute(api: Api, namespace: str, id: str) -> flask.Response:
    """Start an execution, at a date or now; with ``wait`` answer when it is over."""
    wait = api.boolean("wait", False)
    revision = api.integer("revision", least=1)
    execution_id = api.commands.execute(
        namespace,
        id,
        actor=api.actor,
        inputs=inputs_of_request(api),
        labels=labels_of_request(),
        revision=revision,
        breakpoints=breakpoints_of(api),
        kind=kind_of(api),
        schedule_date=date_of_request(api, "scheduleDate"),
        origin="api",
    )
    if not _arrived(api, execution_id):
        return _created(api, _accepted(api, execution_id, namespace, id, revision), 202)
    if wait:
        wait_for_end(api, execution_id)
    return _created(api, api.execution(execution_id), 200)


def _created(api: Api, item: Execution, status: int) -> flask.Response:
    root = (api.settings.public_url or flask.request.host_url).rstrip("/")
    return answer({**shapes.execution(item), "url": f"{root}/executions/{item.id}"}, status)


def _arrived(api: Api, execution_id: str) -> bool:
    seconds = api.settings.action_wait
    found = api.answers.wait_row(execution_id, seconds) is not None
    return found or api.read(lambda: api.store.row(execution_id)) is not None


def _accepted(api: Api, execution_id: str, namespace: str, flow_id: str, revision: int | None) -> Execution:
    """The execution as it will begin: it is in the stream, the executor has not taken it up yet."""
    revision = revision or api.flow(namespace, flow_id).revision
    now = datetime.now(UTC)
    return Execution(
        id=execution_id,
        namespace=namespace,
        flow_id=flow_id,
        revision=revision,
        state=State.CREATED,
        history=(StateChange(State.CREATED, now),),
    )


def wait_for_end(api: Api, execution_id: str) -> None:
    """Until an execution is over; 504 after an hour."""
    deadline = time.monotonic() + WAIT_MAX_SECONDS
    while time.monotonic() < deadline:
        if api.answers.wait_row(execution_id, _LOOK_SECONDS, lambda row: row.state in TERMINAL):
            return
        row = api.read(lambda: api.store.row(execution_id))
        if row is not None and row.state in TERMINAL:
            return
    raise ApiError(
        504, f"Execution {execution_id} has not ended within {WAIT_MAX_SECONDS:.0f} s.", more={"id": execution_id}
    )


ENDPOINTS = (
    Endpoint(
        "POST", "/executions/{namespace}/{id}", execute, "Execute a flow.", "Execution and url",
        (
            LABELS,
            Parameter("wait", "boolean", "Answer when the execution is over.", "false"),
            REVISION,
            Parameter("scheduleDate", "date-time", "It begins then."),
            Parameter("kind", "Kind", "What it is for: NORMAL, TEST or PLAYGROUND.", "NORMAL"),
            Parameter("breakpoints", "string", "`task1,task2.value`: it stops before these."),
            INPUTS_BODY,
        ),
        verb=Verb.EXECUTE, good=(200, 202),
    ),
)  # fmt: skip
