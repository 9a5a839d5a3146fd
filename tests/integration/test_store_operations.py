"""Bulk operations in the store: written in steps, answered with commits, read by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data import Store
from data.errors import TooMany
from data.filters import parse_query_string
from data.operation_records import Answered, Given, Operation, OperationState, Result
from data.operations import STEP
from data.records import Commit
from engine.ids import new_id
from engine.states import State
from tests.integration.test_store_commits import made, write

ITEMS = [f"e{number:05}" for number in range(STEP + 500)]


def begun(store: Store, given: list[Given], **changes: object) -> str:
    """An operation that runs."""
    fields = {"action": "kill", "actor": "ada", "origin": "ui", "state": OperationState.PREPARING} | changes
    new = Operation(id=new_id(), total=len(given), created_at=datetime.now(UTC), **fields)  # type: ignore[arg-type]
    key = store.prepare_operation(new)
    store.add_operation_items(key, given)
    store.begin_operation(key, given)
    return new.id


def answer(store: Store, *answered: Answered, after: str = "0-0", position: str = "1-1") -> None:
    """A commit of the executor."""
    store.commit(Commit(stream="wf:events", after=after, position=position, answered=answered))


def test_an_operation_is_read_as_it_was_written(store: Store) -> None:
    selection, details = {"filters": "filters[state][IN]=FAILED"}, {"labels": {"env": "prod"}}
    given = [Given(one) for one in ITEMS]
    first = begun(store, given[:1])
    operation_id = begun(store, given, action="labels", reason="drill", selection=selection, details=details)
    operation = store.operation(operation_id)
    assert operation is not None
    assert (operation.state, operation.total, operation.left) == (OperationState.RUNNING, len(ITEMS), len(ITEMS))
    assert (operation.selection, operation.details, operation.reason) == (selection, details, "drill")
    total, listed = store.operations(size=10)
    assert (total, [one.id for one in listed]) == (2, [operation_id, first])
    assert [one.id for one in store.unfinished_operations()] == [first, operation_id]
    assert store.unanswered_items(operation_id, STEP - 1, 2) == [(STEP, ITEMS[STEP - 1]), (STEP + 1, ITEMS[STEP])]
    assert store.operation("nothing") is None


def test_answers_are_written_with_the_commit_and_counted_once(store: Store) -> None:
    given = [*map(Given, "abcd"), Given("e", Result.REFUSED, "not yours"), Given("f", Result.UNKNOWN)]
    operation_id = begun(store, given)
    other = begun(store, [Given("a")])
    store.operation_sent(operation_id, 3)
    refused = Answered(operation_id, "b", Result.REFUSED, "it has ended")
    answer(store, Answered(operation_id, "a", Result.DONE), refused, Answered(operation_id, "x", Result.DONE))
    again = Answered(operation_id, "b", Result.DONE), Answered(operation_id, "a", Result.UNKNOWN)
    answer(store, *again, after="1-1", position="2-2")
    operation = store.operation(operation_id)
    assert operation is not None
    assert (operation.done, operation.refused, operation.unknown, operation.left) == (1, 2, 1, 2)
    _, items = store.operation_results(operation_id)
    assert [(item.execution_id, item.result.value, item.why) for item in items] == [
        ("a", "done", None),
        ("b", "refused", "it has ended"),
        ("c", "sent", None),
        ("d", "pending", None),
        ("e", "refused", "not yours"),
        ("f", "unknown", None),
    ]
    assert store.failed_items(operation_id) == ["b", "c", "d", "e"]
    assert store.operation_results(other)[1][0].result is Result.PENDING


def test_results_come_by_page_by_result_and_by_text(store: Store) -> None:
    given = [Given(one) if n % 2 else Given(one, Result.REFUSED, "no") for n, one in enumerate(ITEMS[:10])]
    operation_id = begun(store, given)
    answer(store, Answered(operation_id, ITEMS[1], Result.DONE))
    total, page = store.operation_results(operation_id, Result.REFUSED, page=2, size=2)
    assert (total, [item.position for item in page]) == (5, [5, 7])
    assert store.operation_results(operation_id, q="00003")[1][0].execution_id == ITEMS[3]
    assert store.operation_results(operation_id, Result.DONE, q="00003") == (0, [])
    assert [item.position for item in store.operation_items_after(operation_id, 8, 5)] == [9, 10]


def test_what_was_not_sent_before_the_stop_is_stopped(store: Store) -> None:
    operation_id = begun(store, [Given("a"), Given("b")])
    answer(store, Answered(operation_id, "a", Result.DONE))
    assert store.stop_operation(operation_id)
    assert not store.stop_operation(operation_id)
    assert store.end_operation(operation_id, OperationState.STOPPED)
    assert not store.end_operation(operation_id, OperationState.DONE)
    assert [item.result for item in store.operation_results(operation_id)[1]] == [Result.DONE, Result.STOPPED]
    assert store.operation_results(operation_id, Result.STOPPED)[0] == 1
    assert store.operation_results(operation_id, Result.PENDING)[0] == 0
    assert store.unfinished_operations() == []


def test_old_operations_are_forgotten_a_part_at_a_time(store: Store) -> None:
    operation_id = begun(store, [Given(one) for one in ITEMS])
    assert store.old_operations(datetime.now(UTC) + timedelta(days=1), 10) == []
    store.end_operation(operation_id, OperationState.DONE)
    assert store.old_operations(datetime.now(UTC) - timedelta(days=1), 10) == []
    assert store.old_operations(datetime.now(UTC) + timedelta(days=1), 10) == [operation_id]
    assert store.forget_operation_step(operation_id)
    assert not store.forget_operation_step(operation_id)
    assert store.operations() == (0, [])


def test_a_selection_by_filters_is_all_that_match(store: Store) -> None:
    some = [made(State.FAILED), made(State.RUNNING), made(State.FAILED, namespace="other")]
    write(store, *some)
    filters = parse_query_string("filters[state][IN]=FAILED")
    found = store.matching(filters, 10)
    assert {(one.id, one.namespace, one.state) for one in found} == {(e.id, e.namespace, e.state) for e in some[::2]}
    assert store.existing_of([some[1].id, "nothing"]) == {some[1].id: (some[1].id, "company.team", State.RUNNING)}
    with pytest.raises(TooMany, match="2 executions match, an operation takes 1"):
        store.matching(filters, 1)
