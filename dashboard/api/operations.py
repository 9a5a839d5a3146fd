"""Operations: how far they are, what became of each execution, stop and retry."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import flask

from dashboard.api.context import Api
from dashboard.api.details import wrong
from dashboard.api.errors import ApiError, answer
from dashboard.api.shapes import page as paged
from dashboard.api.shapes import present
from dashboard.api.spec import PAGE, Endpoint, Parameter
from dashboard.permissions import Verb, may
from dashboard.rights import may_see, rights_of
from data.export import guarded
from data.namespaces import inside
from data.operation_records import Operation, OperationItem, Result
from engine.states import Action
from streaming.messages import ExecutionRow
from streaming.operations import OperationNotFound
from streaming.operations.asked import made_of, shown

Allowed = tuple[str, ...] | None
"""Namespaces that somebody may look at; ``None``: all."""
Found = tuple[OperationItem, ExecutionRow | None]
_CHUNK = 2_000  # rows of the CSV file read at once
_COLUMNS = ("position", "executionId", "result", "why", "newId")


def shape(one: Operation) -> dict[str, Any]:
    """An operation as clients get it."""
    one = shown(one)
    return present(
        id=one.id,
        action=one.action,
        state=one.state,
        totalItems=one.total,
        done=one.done,
        refused=one.refused,
        unknown=one.unknown,
        left=one.left,
        actor=one.actor,
        origin=one.origin,
        reason=one.reason,
        selection=one.selection,
        details=one.details or None,
        retryOf=one.retry_of,
        createdAt=one.created_at,
        startedAt=one.started_at,
        endedAt=one.ended_at,
    )


def search(api: Api) -> flask.Response:
    """A page of them, the newest first: all, or one's own."""
    number, size = api.page(25)
    actor = None if may(api.person, Verb.READ) else api.actor
    total, found = api.read(lambda: api.store.operations(number, size, actor))
    return answer(paged([shape(one) for one in found], total))


def read(api: Api, operationId: str) -> flask.Response:
    """One of them."""
    return answer(shape(_seen(api, operationId)))


def results(api: Api, operationId: str) -> flask.Response:
    """A page of what became of its executions."""
    operation = _seen(api, operationId)
    number, size = api.page(50)
    result, q = _result(api), api.text("q")
    total, items = api.read(lambda: api.store.operation_results(operation.id, result, q, number, size))
    return answer(paged([_item(operation, item, row) for item, row in _as_seen(api, items, api.allowed())], total))


def results_csv(api: Api, operationId: str) -> flask.Response:
    """What became of all of its executions, as CSV."""
    operation, result = _seen(api, operationId), _result(api)
    name = f"operation-{operation.id}.csv"
    return flask.Response(
        _lines(api, operation, result, api.allowed()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _lines(api: Api, operation: Operation, result: Result | None, allowed: Allowed) -> Iterator[str]:
    yield _csv([_COLUMNS])
    position = 0
    while items := api.read(
        lambda at=position: api.store.operation_items_after(operation.id, at, _CHUNK, result)  # type: ignore[misc]
    ):
        yield _csv([_cells(operation, item) for item, _ in _as_seen(api, items, allowed)])
        position = items[-1].position


def _as_seen(api: Api, items: Sequence[OperationItem], allowed: Allowed) -> list[Found]:
    """With the rows there are. What the person may not look at (any more) is told as what is not there."""
    rows = api.read(lambda: api.store.rows([item.execution_id for item in items]))
    return [_seen_item(item, rows.get(item.execution_id), allowed) for item in items]


def _seen_item(item: OperationItem, row: ExecutionRow | None, allowed: Allowed) -> Found:
    if row is None or inside(row.namespace, allowed):
        return item, row
    return OperationItem(item.execution_id, item.position, Result.UNKNOWN), None


def _cells(operation: Operation, item: OperationItem) -> tuple[Any, ...]:
    made = made_of(operation, item)
    return item.position, guarded(item.execution_id), item.result.value, guarded(item.why or ""), made or ""


def _csv(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _item(operation: Operation, item: OperationItem, row: ExecutionRow | None) -> dict[str, Any]:
    return present(
        position=item.position,
        executionId=item.execution_id,
        result=item.result,
        why=item.why,
        newId=made_of(operation, item),
        namespace=row and row.namespace,
        flowId=row and row.flow_id,
        state=row and row.state,
    )


def stop(api: Api, operationId: str) -> flask.Response:
    """Send no more of it."""
    operation, actor, reason = _mine(api, operationId), api.actor, api.text("reason")
    api.read(lambda: api.services.operations.stop(operation.id, actor=actor, reason=reason, origin="api"))
    return answer(shape(_seen(api, operationId)), 202)


def retry(api: Api, operationId: str) -> flask.Response:
    """Try again what failed."""
    operation, actor, reason = _mine(api, operationId), api.actor, api.text("reason")
    rights = rights_of(api.person, Action(operation.action))
    operations = api.services.operations

    def work() -> tuple[str, int]:
        again = operations.retry(operation.id, actor=actor, reason=reason, origin="api", rights=rights)
        return again, operations.get(again).total

    again, total = api.read(work)
    return answer({"operationId": again, "totalItems": total}, 202)


def _seen(api: Api, operation_id: str) -> Operation:
    operation = api.read(lambda: api.services.operations.get(operation_id))
    if not may_see(api.person, operation):
        raise OperationNotFound(operation_id)
    return operation


def _mine(api: Api, operation_id: str) -> Operation:
    """One that the person may change: an own one, or any for who may act everywhere."""
    operation = _seen(api, operation_id)
    if operation.actor != api.actor and not may(api.person, Verb.OPERATIONS):
        raise ApiError(403, "Only who started it, or somebody who may act everywhere, may stop or retry it.")
    return operation


def _result(api: Api) -> Result | None:
    given = api.text("state")
    if given is None:
        return None
    if given not in set(Result):
        raise wrong("state", f"expected one of {', '.join(Result)}, got {given!r}")
    return Result(given)


_STATE = Parameter("state", "string", f"One of {', '.join(Result)}.")
_Q = Parameter("q", "string", "A part of the execution's id or of the reason.")
_REASON = Parameter("reason", "string", "Why, for the audit.")
_PATH = "/operations/{operationId}"
ENDPOINTS = (
    Endpoint("GET", "/operations", search, "The operations, newest first.", "PagedResults<Operation>",
             (PAGE, Parameter("size", "integer", "Rows of a page.", "25")), ours=True, narrows=True),
    Endpoint("GET", _PATH, read, "Read an operation.", "Operation", ours=True, narrows=True),
    Endpoint("GET", f"{_PATH}/results", results, "What became of each execution.", "PagedResults<OperationResult>",
             (_STATE, _Q, PAGE, Parameter("size", "integer", "Rows of a page.", "50")), ours=True, narrows=True),
    Endpoint("GET", f"{_PATH}/results/csv", results_csv, "The same of all, as CSV.", "text/csv", (_STATE,),
             ours=True, narrows=True),
    Endpoint("POST", f"{_PATH}/stop", stop, "Send no more of it.", "Operation", (_REASON,),
             verb=Verb.OPERATIONS, ours=True, narrows=True, good=(202,)),
    Endpoint("POST", f"{_PATH}/retry", retry, "Try again what was refused or left out.", "AsyncOperation", (_REASON,),
             verb=Verb.OPERATIONS, ours=True, narrows=True, good=(202,)),
)  # fmt: skip
