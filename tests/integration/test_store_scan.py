"""Going through all executions that match: those of the pages, in their order; what is removed is left out."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest

from data import Store
from data.exporter import END, HEAD, Order
from data.filters import parse_query_string
from data.pages import SORTS
from data.records import Commit, ExecutionQuery
from engine.model import Execution
from streaming import keys
from tests.integration.test_store_search import NOW, some_execution


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Iterator[tuple[Store, list[Execution]]]:
    """A store with some executions of all kinds."""
    store, chance = Store(module_database_url), random.Random(3)
    made: list[Execution] = []
    for _ in range(150):
        made.append(some_execution(chance, [one.id for one in made[:3]]))
    store.commit(Commit(stream=keys.EVENTS, position="1-0", executions=made))
    yield store, made
    store.close()


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("field", SORTS)
def test_all_pages_in_one(filled: tuple[Store, list[Execution]], field: str, direction: str) -> None:
    store, _ = filled
    filters = parse_query_string("filters[namespace][PREFIX]=company&filters[labels][NOT_EQUALS][env]=dev")
    page = store.search(ExecutionQuery(filters, f"{field}:{direction}", size=500, now=NOW))
    batches = list(store.scan(filters, f"{field}:{direction}", now=NOW, step=7))
    assert [row for rows in batches for row in rows] == page.rows
    assert page.total > 20
    assert {len(rows) for rows in batches[:-1]} == {7}


def test_what_comes_meanwhile_is_left_out_and_what_goes_too(filled: tuple[Store, list[Execution]]) -> None:
    store, made = filled
    scan = store.scan(parse_query_string(""), "id:asc", now=NOW, step=10)
    ids = sorted(one.id for one in made)
    assert [row.id for row in next(scan)] == ids[:10]
    gone = next(one for one in made if one.id == ids[12])
    late = some_execution(random.Random(9), [])
    store.commit(Commit(stream=keys.EVENTS, position="2-0", executions=[late], removed=[gone]))
    rest = [row.id for rows in scan for row in rows]
    assert rest == [one for one in ids[10:] if one != gone.id]


def test_a_process_of_its_own_makes_the_file(filled: tuple[Store, list[Execution]], module_database_url: str) -> None:
    store, _ = filled
    filters = parse_query_string("filters[namespace][PREFIX]=company")
    order = Order(database_url=module_database_url, format="csv", filters=filters, now=NOW, columns="id", sort="id:asc")
    command = [sys.executable, "-m", "data.exporter"]
    said = subprocess.run(command, input=msgspec.msgpack.encode(order), capture_output=True, timeout=60, check=True)
    ids = [row.id for rows in store.scan(filters, "id:asc", now=NOW) for row in rows]
    text = "\r\n".join(["id", *ids, ""]).encode()
    assert text.removeprefix(b"id\r\n") in said.stdout
    assert said.stdout.endswith(HEAD.pack(END, len(ids), 0))
    assert not said.stderr
