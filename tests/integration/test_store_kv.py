"""Key-value stores of namespaces."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from data import Store
from data.errors import KeyExists, TooManyKeys, ValueTooLarge

NS = "company.team"


@pytest.mark.parametrize("value", ["text", 42, 1.5, True, None, ["a", {"b": 1}], {"deep": {"er": [1]}}, "ünïcode ✓"])
def test_a_value_comes_back_as_it_was_set(store: Store, value: Any) -> None:
    store.kv_set(NS, "key", value, "JSON", description="why")
    found = store.kv(NS, "key")
    assert found is not None
    assert (found.value, found.type, found.description, found.expires_at) == (value, "JSON", "why", None)


def test_a_namespace_has_keys_of_its_own(store: Store) -> None:
    store.kv_set(NS, "key", 1, "NUMBER")
    assert store.kv("company", "key") is None
    assert store.kv(f"{NS}.below", "key") is None


def test_setting_again_replaces_the_value_and_keeps_when_it_was_made(store: Store) -> None:
    store.kv_set(NS, "key", 1, "NUMBER")
    first = store.kv(NS, "key")
    store.kv_set(NS, "key", "two", "STRING")
    second = store.kv(NS, "key")
    assert first is not None
    assert second is not None
    assert (second.value, second.type, second.created_at) == ("two", "STRING", first.created_at)
    assert second.updated_at >= first.updated_at


def test_without_overwrite_a_key_is_set_once(store: Store) -> None:
    store.kv_set(NS, "key", 1, "NUMBER", overwrite=False)
    with pytest.raises(KeyExists, match=r"'key' of 'company.team' has a value already"):
        store.kv_set(NS, "key", 2, "NUMBER", overwrite=False)
    assert store.kv(NS, "key").value == 1  # type: ignore[union-attr]


def test_an_expired_value_is_gone_and_free_to_be_set(store: Store) -> None:
    store.kv_set(NS, "key", "old", "STRING", ttl=timedelta(seconds=-1))
    store.kv_set(NS, "lives", 1, "NUMBER", ttl=timedelta(hours=1))
    assert store.kv(NS, "key") is None
    assert [one.key for one in store.kv_list(NS)] == ["lives"]
    assert store.kv_delete(NS, "key") is False
    store.kv_set(NS, "key", "old", "STRING", ttl=timedelta(seconds=-1))
    store.kv_set(NS, "key", "new", "STRING", overwrite=False)
    found = store.kv(NS, "key")
    assert found is not None
    assert (found.value, found.expires_at) == ("new", None)


def test_keys_are_listed_by_prefix_in_order(store: Store) -> None:
    for key in ("b", "a_2", "a_1", "a%"):
        store.kv_set(NS, key, key, "STRING")
    assert [one.key for one in store.kv_list(NS)] == ["a%", "a_1", "a_2", "b"]
    assert [one.key for one in store.kv_list(NS, "a_")] == ["a_1", "a_2"]
    assert [one.key for one in store.kv_list(NS, "a%")] == ["a%"]


def test_deleting_says_whether_there_was_something(store: Store) -> None:
    store.kv_set(NS, "key", 1, "NUMBER")
    assert store.kv_delete(NS, "key") is True
    assert store.kv_delete(NS, "key") is False
    assert store.kv(NS, "key") is None


def test_caps_name_their_settings(store: Store) -> None:
    with pytest.raises(ValueTooLarge, match=r"has 12 bytes, 10 are allowed \(WATCHFLOOR_KV_MAX_BYTES\)"):
        store.kv_set(NS, "key", "x" * 10, "STRING", max_bytes=10)
    store.kv_set(NS, "one", 1, "NUMBER", max_keys=1)
    store.kv_set(NS, "one", 2, "NUMBER", max_keys=1)
    store.kv_set("other", "one", 1, "NUMBER", max_keys=1)
    with pytest.raises(TooManyKeys, match=r"'company.team' has 1 keys.*WATCHFLOOR_KV_MAX_KEYS"):
        store.kv_set(NS, "two", 1, "NUMBER", max_keys=1)


def test_room_is_made_by_what_has_expired(store: Store) -> None:
    store.kv_set(NS, "old", 1, "NUMBER", ttl=timedelta(seconds=-1))
    store.kv_set(NS, "new", 1, "NUMBER", max_keys=1)
    assert [one.key for one in store.kv_list(NS)] == ["new"]
