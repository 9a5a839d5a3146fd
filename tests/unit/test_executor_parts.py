"""Timers and cache of the executor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.model import Execution, StateChange
from engine.states import State
from streaming.executor.cache import ExecutionCache
from streaming.executor.timers import Due, Timers

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def due(seconds: float, key: str = "k", execution_id: str = "x") -> Due:
    return Due(execution_id, key, NOW + timedelta(seconds=seconds))


def test_timers_come_earliest_first_and_once() -> None:
    timers = Timers([due(3, "c"), due(1, "a"), due(2, "b")])
    assert [t.key for t in timers.take_due(NOW + timedelta(seconds=2))] == ["a", "b"]
    assert timers.take_due(NOW + timedelta(seconds=2)) == []
    assert timers.next_due() == NOW + timedelta(seconds=3)


def test_a_timer_set_again_fires_only_at_its_new_date() -> None:
    timers = Timers([due(1), due(5)])
    assert timers.take_due(NOW + timedelta(seconds=1)) == []
    assert timers.take_due(NOW + timedelta(seconds=5)) == [due(5)]


def test_a_cancelled_timer_never_fires() -> None:
    timers = Timers([due(1, "a"), due(1, "b")])
    timers.cancel("x", "a")
    timers.cancel("x", "unknown")
    assert [t.key for t in timers.take_due(NOW + timedelta(hours=1))] == ["b"]
    assert timers.next_due() is None


def execution(execution_id: str) -> Execution:
    return Execution(execution_id, "n", "f", 1, State.RUNNING, (StateChange(State.CREATED, NOW),))


def test_the_cache_loads_what_it_does_not_hold_in_one_query() -> None:
    queries: list[list[str]] = []

    def load_many(ids: list[str]) -> dict[str, Execution]:
        queries.append(sorted(ids))
        return {i: execution(i) for i in ids if i != "unknown"}

    cache = ExecutionCache(load_many, capacity=10)
    cache.keep([execution("a")])
    assert cache.fetch({"a", "b", "c", "unknown"}).keys() == {"a", "b", "c"}
    assert queries == [["b", "c", "unknown"]]


def test_the_cache_forgets_what_was_not_used_for_longest() -> None:
    loaded: list[str] = []

    def load_many(ids: list[str]) -> dict[str, Execution]:
        loaded.extend(ids)
        return {i: execution(i) for i in ids}

    cache = ExecutionCache(load_many, capacity=2)
    cache.keep([execution("a"), execution("b")])
    cache.fetch({"a"})
    cache.keep([execution("c")])
    assert len(cache) == 2
    cache.fetch({"a", "c"})
    assert loaded == []
    cache.fetch({"b"})
    assert loaded == ["b"]
