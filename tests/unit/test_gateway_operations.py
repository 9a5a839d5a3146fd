"""Bulk operations on the live way: what moved is asked for, conflated, and nothing else travels."""

from __future__ import annotations

from msgspec import structs

from data.operation_records import Operation, OperationState
from streaming.messages import Deltas
from tests.unit.gateway_world import START, Browser, World


def operation(number: int, **changes: object) -> Operation:
    fields = {"action": "kill", "actor": "ada", "origin": "ui", "state": OperationState.RUNNING, "total": 100}
    return Operation(id=f"op{number}", created_at=START, **fields | changes)  # type: ignore[arg-type]


def put(world: World, *operations: Operation) -> None:
    world.reads.operations_there.update((one.id, one) for one in operations)


def moved(world: World, *ids: str) -> None:
    """A commit answered executions of these operations."""
    world.hub.deltas("5-0", Deltas("x", START, (), operations=ids))


def items(browser: Browser) -> list[dict]:
    return [item for frame in browser.frames for item in frame.get("items", ())]


def test_progress_is_asked_for_once_however_often_it_moved() -> None:
    world = World()
    put(world, operation(1))
    browser = world.browser("operation", id="op1")
    asked = world.reads.asked
    for done in range(50):
        put(world, operation(1, done=done))
        moved(world, "op1")
    world.later()
    world.later()
    assert world.reads.asked == asked + 1
    assert [(item["t"], item["operation"]["done"]) for item in items(browser)] == [("operation", 49)]


def test_other_operations_are_not_asked_for() -> None:
    world = World()
    put(world, operation(1), operation(2))
    world.browser("operation", id="op1")
    asked = world.reads.asked
    moved(world, "op2")
    world.later()
    assert world.reads.asked == asked


def test_the_list_gets_new_operations_on_top_and_what_moved() -> None:
    world = World()
    put(world, operation(1), operation(2))
    browser = world.browser("operations", size=2)
    assert browser.answer["ok"]
    put(world, operation(3), operation(2, state=OperationState.DONE))
    world.hub.operations_moved(("op3",))
    world.later()
    found = items(browser)
    assert [item["operation"]["id"] for item in found if item["t"] == "operation"] == ["op3", "op2"]
    assert [(item["ids"], item["total"]) for item in found if item["t"] == "operations"] == [(["op3", "op2"], 3)]


def test_after_a_gap_everything_is_asked_for_again() -> None:
    world = World()
    put(world, operation(1))
    browser = world.browser("operations")
    put(world, operation(1, done=7))
    world.hub.missed("9-0")
    world.later()
    assert items(browser)[0]["operation"]["done"] == 7


def test_an_operation_that_is_not_there_is_an_empty_page() -> None:
    world = World()
    browser = world.browser("operation", id="nothing")
    assert '"total":0' in browser.answer["snapshot"]


def test_who_comes_back_gets_what_moved_meanwhile() -> None:
    world = World()
    put(world, operation(1))
    browser = world.browser("operation", id="op1")
    put(world, structs.replace(operation(1), done=3))
    moved(world, "op1")
    world.later()
    browser.ack()
    browser.cut()
    put(world, structs.replace(operation(1), done=9))
    moved(world, "op1")
    world.later()
    browser.connect()
    world.later()
    assert items(browser)[-1]["operation"]["done"] == 9 or '"done":9' in browser.answer.get("snapshot", "")
