"""A page of the list: rows that started in the same instant."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.states import State
from streaming.gateway.order import sort_key
from streaming.gateway.window import Window
from streaming.messages import ExecutionRow

AT = datetime(2026, 1, 1, tzinfo=UTC)


def row(name: str, version: int = 1, state: State = State.RUNNING) -> ExecutionRow:
    return ExecutionRow(name, version, "test", "flow", 1, state, AT, AT)


@pytest.mark.parametrize("given", ["abcd", "dcba", "bdac"])
def test_the_store_may_order_equal_starts_as_it_likes(given: str) -> None:
    """Schedules start several flows in one instant; the store then tells them apart by its own numbers."""
    window = Window(sort_key("startDate:desc"), page=1, size=10)
    window.load([row(name) for name in given], 4, {State.RUNNING: 4})
    for name in "abcd":
        window.change(row(name, 2, State.SUCCESS), row(name), True)
    assert [(held.id, held.state) for held in window.visible] == [(name, State.SUCCESS) for name in "dcba"]
    assert (window.total, window.counts[State.SUCCESS], window.counts[State.RUNNING]) == (4, 4, 0)
