"""Acting on triggers: switches and backfills, of one or of many; each answered by the executor."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import flask
import msgspec

from dashboard.api import body_filters, strict
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import FILTERS, Endpoint, Parameter
from dashboard.api.triggers import matching, state_shape
from dashboard.permissions import Forbidden, Verb
from data.filters import parse as parse_filters
from engine.ids import new_id
from engine.model import SYSTEM_PREFIX
from engine.trigger_state import Backfill, TriggerAction
from streaming.trigger_commands import TriggerNotFound


class TriggerId(msgspec.Struct, frozen=True):
    """Which trigger is meant."""

    namespace: str
    flowId: str
    triggerId: str


class _Labels(msgspec.Struct, frozen=True):
    key: str
    value: str


class _AskedBackfill(msgspec.Struct, frozen=True):
    start: datetime
    end: datetime | None = None
    inputs: dict[str, Any] | None = None
    labels: list[_Labels] | dict[str, str] | None = None


class _CreateBackfill(TriggerId, frozen=True):
    backfill: _AskedBackfill


class _Disable(TriggerId, frozen=True):
    disabled: bool = True


class _DisableMany(msgspec.Struct, frozen=True):
    triggers: list[TriggerId]
    disabled: bool = True


def _body(kind: Any) -> Any:
    """The request's JSON as ``kind``; 400 that says what is wrong with it."""
    try:
        return msgspec.json.decode(flask.request.get_data(), type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ApiError(400, f"The body is not what was expected: {error}", [(str(error), "body")]) from error


def _ask(api: Api, action: TriggerAction, one: TriggerId, backfill: Backfill | None = None) -> str:
    api.demand(Verb.TRIGGERS, one.namespace)
    return api.services.triggers.ask(
        action, one.namespace, one.flowId, one.triggerId, actor=api.actor, origin="api", backfill=backfill
    )


def _answered(api: Api, event_id: str, seconds: float, action: TriggerAction) -> None:
    given = api.services.triggers.wait(event_id, seconds)
    if given is None:
        raise ApiError(
            504, f"The executor has not answered in time. The request ({action}) is accepted and will be done or "
            "refused when the executor comes to it.", more={"eventId": event_id},
        )  # fmt: skip
    if given.refused is not None:
        raise ApiError(409, given.refused, [(given.refused, "trigger")])


def _act(api: Api, action: TriggerAction, one: TriggerId, backfill: Backfill | None = None) -> flask.Response:
    _answered(api, _ask(api, action, one, backfill), api.settings.action_wait, action)
    return _state(api, one)


def _state(api: Api, one: TriggerId) -> flask.Response:
    triggers, named = api.services.triggers, (one.namespace, one.flowId, one.triggerId)
    return answer(api.read(lambda: state_shape(triggers.state(*named), triggers.trigger(*named))))


def create_backfill(api: Api) -> flask.Response:
    """Make up for dates of the past."""
    asked: _CreateBackfill = _body(_CreateBackfill)
    given = asked.backfill
    labels = given.labels if isinstance(given.labels, dict) else {one.key: one.value for one in given.labels or ()}
    for key in labels:
        if key.startswith(SYSTEM_PREFIX):
            raise ApiError(422, f"Label {key!r} is refused: labels with {SYSTEM_PREFIX!r} are set by Watchfloor.")
    end = _aware(given.end or datetime.now(UTC))
    backfill = Backfill("", _aware(given.start), end, None, given.inputs or {}, labels)
    named = (asked.namespace, asked.flowId, asked.triggerId)
    api.demand(Verb.TRIGGERS, asked.namespace)
    api.read(lambda: api.services.triggers.backfill(*named, backfill, api.settings.backfill_max_dates))
    return _act(api, TriggerAction.BACKFILL_CREATE, asked, backfill)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def set_disabled(api: Api) -> flask.Response:
    """The switch of a trigger."""
    asked: _Disable = _body(_Disable)
    return _act(api, TriggerAction.DISABLE if asked.disabled else TriggerAction.ENABLE, asked)


def _one(api: Api, action: TriggerAction) -> flask.Response:
    return _act(api, action, _body(TriggerId))


def _named(api: Api, action: TriggerAction, namespace: str, flowId: str, triggerId: str) -> flask.Response:
    return _act(api, action, TriggerId(namespace, flowId, triggerId))


def _delete(api: Api, namespace: str, flowId: str, triggerId: str) -> flask.Response:
    """Forget what is known of a trigger."""
    one = TriggerId(namespace, flowId, triggerId)
    _answered(api, _ask(api, TriggerAction.DELETE, one), api.settings.action_wait, TriggerAction.DELETE)
    return flask.Response(status=204)


def _many(api: Api, action: TriggerAction, ones: Sequence[TriggerId]) -> flask.Response:
    """Ask all of them, then wait for all answers: one that refuses stops no other."""
    problems, events = [], []
    for one in ones:
        try:
            events.append((one, _ask(api, action, one)))
        except (TriggerNotFound, Forbidden) as error:
            problems.append((one, str(error)))
    deadline = time.monotonic() + api.settings.action_wait
    for one, event_id in events:
        try:
            _answered(api, event_id, max(0.0, deadline - time.monotonic()), action)
        except ApiError as error:
            problems.append((one, error.message))
    failed = [{**msgspec.structs.asdict(one), "message": why} for one, why in problems]
    return answer({"operationId": new_id(), "totalItems": len(ones), "failed": failed})


def _by_triggers(api: Api, action: TriggerAction) -> flask.Response:
    return _many(api, action, _body(list[TriggerId]))


def _by_query(api: Api, action: TriggerAction) -> flask.Response:
    """Filters stand in the query or in the body."""
    filters = parse_filters([*flask.request.args.items(multi=True), *body_filters.pairs()])
    found = matching(api, Verb.TRIGGERS, strict.some(filters, "triggers"))
    return _many(api, action, [TriggerId(state.namespace, state.flow_id, state.trigger_id) for _, state in found])


def disable_by_triggers(api: Api) -> flask.Response:
    """The switch of several triggers."""
    asked: _DisableMany = _body(_DisableMany)
    return _many(api, TriggerAction.DISABLE if asked.disabled else TriggerAction.ENABLE, asked.triggers)


def disable_by_query(api: Api) -> flask.Response:
    """The same for all that match."""
    return _by_query(api, TriggerAction.DISABLE if api.boolean("disabled", True) else TriggerAction.ENABLE)


# -- endpoints

_ID = Parameter("body", "application/json", "`{namespace, flowId, triggerId}`.", required=True, where="body")
_IDS = Parameter("body", "application/json", "A list of them.", required=True, where="body")
_FILTERS_BODY = Parameter("body", "application/json", "`{filters: [{field, operation, value}]}`.", where="body")
_DO: tuple[tuple[str, str, str, TriggerAction], ...] = (
    ("POST", "delete", "Give up", TriggerAction.BACKFILL_DELETE),
    ("PUT", "pause", "Hold", TriggerAction.BACKFILL_PAUSE),
    ("PUT", "unpause", "Go on with", TriggerAction.BACKFILL_CONTINUE),
)


def _bulk(method: str, path: str, action: TriggerAction, what: str) -> tuple[Endpoint, ...]:
    """The two endpoints of an action on many."""
    return (
        Endpoint(
            method, f"{path}/by-query", partial(_by_query, action=action), f"{what} all that match.", "AsyncOperation",
            (FILTERS, _FILTERS_BODY), verb=Verb.TRIGGERS, narrows=True, strict=True,
        ),
        Endpoint(
            method, f"{path}/by-triggers", partial(_by_triggers, action=action), f"{what} several.", "AsyncOperation",
            (_IDS,), verb=Verb.TRIGGERS, narrows=True,
        ),
    )  # fmt: skip


ENDPOINTS = (
    Endpoint(
        "PUT", "/triggers/set-disabled", set_disabled, "Switch a trigger off, or on.", "TriggerState",
        (Parameter("body", "application/json", "The trigger and `disabled`.", required=True, where="body"),),
        verb=Verb.TRIGGERS, narrows=True,
    ),
    Endpoint(
        "POST", "/triggers/set-disabled/by-query", disable_by_query, "The same for all that match.", "AsyncOperation",
        (FILTERS, Parameter("disabled", "boolean", "Off, or on.", "true"), _FILTERS_BODY),
        verb=Verb.TRIGGERS, narrows=True, strict=True,
    ),
    Endpoint(
        "POST", "/triggers/set-disabled/by-triggers", disable_by_triggers, "The same for several.", "AsyncOperation",
        (Parameter("body", "application/json", "`{triggers, disabled}`.", required=True, where="body"),),
        verb=Verb.TRIGGERS, narrows=True,
    ),
    Endpoint(
        "PUT", "/triggers/backfill/create", create_backfill, "Make up for dates of the past.", "TriggerState",
        (Parameter("body", "application/json", "The trigger and `backfill`.", required=True, where="body"),),
        verb=Verb.TRIGGERS, narrows=True,
    ),
    *(
        Endpoint(
            method, f"/triggers/backfill/{name}", partial(_one, action=action), f"{what} a backfill.", "TriggerState",
            (_ID,), verb=Verb.TRIGGERS, narrows=True,
        )
        for method, name, what, action in _DO
    ),
    *(
        endpoint
        for _, name, what, action in _DO
        for endpoint in _bulk("POST", f"/triggers/backfill/{name}", action, f"{what} the backfills of")
    ),
    Endpoint(
        "POST", "/triggers/{namespace}/{flowId}/{triggerId}/restart", partial(_named, action=TriggerAction.RESTART),
        "Look for its next date anew.", "TriggerState", verb=Verb.TRIGGERS,
    ),
    Endpoint(
        "POST", "/triggers/{namespace}/{flowId}/{triggerId}/unlock", partial(_named, action=TriggerAction.UNLOCK),
        "Unlock a trigger.", "TriggerState", verb=Verb.TRIGGERS,
    ),
    *_bulk("POST", "/triggers/unlock", TriggerAction.UNLOCK, "Unlock"),
    Endpoint(
        "DELETE", "/triggers/{namespace}/{flowId}/{triggerId}", _delete, "Forget what is known of a trigger.", "204",
        verb=Verb.TRIGGERS,
    ),
    *_bulk("DELETE", "/triggers/delete", TriggerAction.DELETE, "Forget what is known of"),
)  # fmt: skip
