"""What retention removes leaves the pages that show it, without a reload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Event as Stop

import pytest

from data import Store
from engine.ids import new_id
from engine.model import Execution, Kind, StateChange
from engine.retention import parse_rules
from engine.states import State
from streaming.bus import Bus
from streaming.retention import Chooser
from tests.browser.page import Page
from watchfloor.product import Product

NAMESPACE = "tests.retention"


@pytest.fixture
def past(product: Product) -> Iterator[tuple[list[str], Callable[[int], int]]]:
    """Ids of five ended executions, oldest first, and what removes all but the newest so many."""
    store, bus = Store(product.settings.resolved_database_url), Bus(product.settings.resolved_redis_url)
    ended = datetime.now(UTC) - timedelta(days=2)
    made = []
    for number in range(5):
        history = (StateChange(State.SUCCESS, ended + timedelta(minutes=number)),)
        made.append(
            Execution(new_id(), NAMESPACE, "old", 1, State.SUCCESS, history, 1, history[0].date, Kind.SYNTHETIC)
        )
    store.add_new(made)

    def keep(count: int) -> int:
        return Chooser(store, bus, parse_rules({NAMESPACE: {"count": count}}), 2).round(Stop())

    yield [execution.id for execution in made], keep
    keep(0)
    store.close()
    bus.close()


def test_rows_leave_the_table_and_an_execution_says_that_it_is_gone(
    page: Page, another_page: Callable[[], Page], past: tuple[list[str], Callable[[int], int]]
) -> None:
    ids, keep = past
    other = another_page()
    page.open(f"/executions?filters[namespace][EQUALS]={NAMESPACE}")
    page.until("all rows", lambda: all(page.row_text(i) for i in ids))
    other.open(f"/executions/{ids[0]}")
    assert keep(2) == 3
    page.until("the rows to go", lambda: not any(page.row_text(i) for i in ids[:3]))
    assert all(page.row_text(i) for i in ids[3:])
    page.until("the new total", lambda: "2 executions" in page.script("return document.body.innerText"))
    other.until("the word", lambda: "the last that was known" in other.script("return document.body.innerText"))
    assert page.is_same_load()
    assert other.is_same_load()
