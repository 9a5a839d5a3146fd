"""Saved views: in the store over both databases, and over REST by several people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from data import Store
from data.views import ViewError, ViewNotFound
from tests.integration.api_world import PASSWORD, World, running

FAILED = "filters[state][IN]=FAILED&sort=duration:desc&columns=state,flow:220"


def test_a_view_is_its_owners_until_it_is_shared(store: Store) -> None:
    made = store.save_view("ada", "  Failed   ones ", f"?{FAILED}")
    assert (made.name, made.query, made.owner, made.shared) == ("Failed ones", FAILED, "ada", False)
    assert store.view("ada", made.id) == made
    assert store.views("ben") == []
    with pytest.raises(ViewNotFound, match="not shared with you"):
        store.view("ben", made.id)
    store.change_view("ada", made.id, shared=True)
    assert [view.id for view in store.views("ben")] == [made.id]


def test_pins_and_the_default_are_each_persons_own(store: Store) -> None:
    one = store.save_view("ada", "one", "", shared=True)
    two = store.save_view("ada", "two", "", shared=True)
    store.mark_view("ben", one.id, pinned=True, default=True)
    store.mark_view("ben", two.id, pinned=None, default=True)
    assert [(view.name, view.pinned, view.default) for view in store.views("ben")] == [
        ("one", True, False), ("two", False, True),
    ]  # fmt: skip
    assert not any(view.pinned or view.default for view in store.views("ada"))


def test_a_view_that_is_no_longer_shared_leaves_nothing_with_others(store: Store) -> None:
    made = store.save_view("ada", "mine", "", shared=True)
    store.mark_view("ben", made.id, pinned=True, default=None)
    store.change_view("ada", made.id, shared=False)
    store.change_view("ada", made.id, shared=True)
    assert [view.pinned for view in store.views("ben")] == [False]


def test_names_are_once_a_person_and_views_are_counted(store: Store) -> None:
    made = store.save_view("ada", "name", "")
    with pytest.raises(ViewError, match="'name' already"):
        store.save_view("ada", "name", "")
    assert store.change_view("ada", made.id, name="name", query=FAILED).query == FAILED
    store.save_view("ben", "name", "")
    with pytest.raises(ViewError, match="WATCHFLOOR_VIEWS_MAX"):
        store.save_view("ada", "other", "", most=1)
    for wrong in ("", "   ", "x" * 101, "a\x00b"):
        with pytest.raises(ViewError, match="expected a name"):
            store.save_view("ada", wrong, "")
    with pytest.raises(ViewError, match="query string"):
        store.save_view("ada", "long", "x" * 8_001)


def test_a_deleted_view_is_gone_for_all(store: Store) -> None:
    made = store.save_view("ada", "gone", "", shared=True)
    store.mark_view("ben", made.id, pinned=True, default=None)
    store.drop_view("ada", made.id)
    assert store.views("ben") == store.views("ada") == []
    with pytest.raises(ViewNotFound):
        store.drop_view("ada", made.id)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """The API with a viewer, an operator and an admin."""
    with running(tmp_path_factory.mktemp("wf"), valkey_url, module_database_url) as world:
        for name in ("viewer", "operator"):
            world.store.save_user(name, name, PASSWORD)
        yield world


def save(world: World, user: str, name: str, **more: Any) -> Any:
    return world.request("POST", "/views", user, json={"name": name, "query": FAILED, **more})


def test_over_rest_a_view_is_made_changed_and_deleted(world: World) -> None:
    made = save(world, "viewer", "mine", pinned=True).get_json()
    assert (made["owner"], made["pinned"], made["default"], made["query"]) == ("viewer", True, False, FAILED)
    path = f"/views/{made['id']}"
    changed = world.request("PUT", path, "viewer", json={"name": "still mine", "default": True}).get_json()
    assert (changed["name"], changed["pinned"], changed["default"]) == ("still mine", True, True)
    assert world.request("GET", path, "operator").status_code == 404
    assert world.request("DELETE", path, "viewer").status_code == 204
    assert world.request("GET", path, "viewer").status_code == 404
    done = [(row.action, row.actor) for row in world.store.audits(made["id"])]
    assert done == [("view-delete", "viewer"), ("view-change", "viewer"), ("view-save", "viewer")]


def test_who_may_share_and_who_may_change_what_is_shared(world: World) -> None:
    assert save(world, "viewer", "for all", shared=True).status_code == 403
    made = save(world, "operator", "for all", shared=True).get_json()
    path = f"/views/{made['id']}"
    assert world.request("PUT", path, "viewer", json={"pinned": True}).get_json()["pinned"] is True
    assert world.request("PUT", path, "viewer", json={"name": "theirs"}).status_code == 403
    assert world.request("DELETE", path, "viewer").status_code == 403
    assert world.request("PUT", path, "admin", json={"name": "tidied"}).status_code == 200
    assert world.request("DELETE", path, "operator").status_code == 204


def test_what_is_no_view_is_refused_and_named(world: World) -> None:
    wrong = world.request("POST", "/views", json={"name": "x", "query": "filters[nothing][IN]=1"})
    assert (wrong.status_code, "nothing" in wrong.get_json()["message"]) == (400, True)
    assert world.request("POST", "/views", json={"name": "x", "colour": "red"}).status_code == 400
    assert world.request("POST", "/views", json={"name": " "}).status_code == 422
    assert world.request("PUT", "/views/none", json={"name": "x"}).status_code == 404
