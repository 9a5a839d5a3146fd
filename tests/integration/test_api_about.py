"""The API says of itself what there is: no route less, none more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard.api import ENDPOINTS
from tests.integration.api_world import BASE, PASSWORD, World, running
from tests.integration.homes import only

pytestmark = only("sqlite")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """A world with nothing in it."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url) as world:
        yield world


def test_every_route_has_an_entry_and_every_entry_a_route(world: World) -> None:
    document = world.get("/openapi.json")
    listed = {
        (method.upper(), BASE + path.replace("{", "<").replace("}", ">"))
        for path, operations in document["paths"].items()
        for method in operations
    }
    rules = [rule for rule in world.server.url_map.iter_rules() if rule.rule.startswith(BASE)]
    routes = {(method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert listed == routes
    assert len(listed) == len(ENDPOINTS)
    assert document["servers"] == [{"url": BASE}]


def test_the_page_is_for_who_has_signed_in(world: World) -> None:
    answer = world.request("GET", "/docs")
    assert answer.mimetype == "text/html"
    assert "/executions/export/by-query/csv" in answer.get_data(as_text=True)
    assert world.client.get(f"{BASE}/docs").status_code == 401
    world.store.save_user("watcher", "viewer", PASSWORD)
    assert world.request("GET", "/openapi.json", user="watcher").status_code == 200
