"""Timers, cache and flows of the executor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import immutables
import pytest

from data.records import StoredFlow
from engine.model import Execution, StateChange, TaskRun
from engine.states import State
from streaming.executor.cache import ExecutionCache
from streaming.executor.flows import KnownFlows
from streaming.executor.timers import Due, Timers
from streaming.messages import TimerFired

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


def execution(execution_id: str, task_runs: int = 0, revision: int = 1) -> Execution:
    history = (StateChange(State.CREATED, NOW),)
    runs = {str(i): TaskRun(str(i), "a", State.CREATED, history) for i in range(task_runs)}
    return Execution(execution_id, "n", "f", revision, State.RUNNING, history, task_runs=immutables.Map(runs))


def test_the_cache_loads_what_it_does_not_hold_in_one_query() -> None:
    queries: list[list[str]] = []

    def load_many(ids: list[str]) -> dict[str, Execution]:
        queries.append(sorted(ids))
        return {i: execution(i) for i in ids if i != "unknown"}

    cache = ExecutionCache(load_many, capacity=10, max_task_runs=100)
    cache.keep([execution("a")])
    assert cache.fetch({"a", "b", "c", "unknown"}).keys() == {"a", "b", "c"}
    assert queries == [["b", "c", "unknown"]]


def test_the_cache_forgets_what_was_not_used_for_longest() -> None:
    loaded: list[str] = []

    def load_many(ids: list[str]) -> dict[str, Execution]:
        loaded.extend(ids)
        return {i: execution(i) for i in ids}

    cache = ExecutionCache(load_many, capacity=2, max_task_runs=100)
    cache.keep([execution("a"), execution("b")])
    cache.fetch({"a"})
    cache.keep([execution("c")])
    assert len(cache) == 2
    cache.fetch({"a", "c"})
    assert loaded == []
    cache.fetch({"b"})
    assert loaded == ["b"]


def test_the_cache_is_bounded_by_task_runs_too_but_keeps_what_is_at_work() -> None:
    cache = ExecutionCache(lambda ids: {}, capacity=10, max_task_runs=5)
    cache.keep([execution("a", 2), execution("b", 2)])
    cache.keep([execution("a", 3)])
    assert (len(cache), cache.task_runs) == (2, 5)
    cache.keep([execution("a", 4)])
    assert cache.fetch({"a", "b"}).keys() == {"a"}
    cache.keep([execution("wide", 100)])
    assert (cache.fetch({"a", "wide"}).keys(), cache.task_runs) == ({"wide"}, 100)
    cache.forget([execution("wide")])
    assert (len(cache), cache.task_runs) == (0, 0)


def test_revisions_not_used_for_longest_are_read_again() -> None:
    read: list[int] = []

    def find(namespace: str, flow_id: str, revision: int) -> StoredFlow:
        read.append(revision)
        source = "{id: f, namespace: n, tasks: [{id: a, type: io.kestra.plugin.core.log.Log, message: hi}]}"
        return StoredFlow(namespace, flow_id, revision, source, NOW)

    flows = KnownFlows(find, capacity=2)
    event = TimerFired("t", "x", NOW, "k")
    for revision in (1, 2, 1, 3, 1, 2):
        assert flows.of(execution("x", revision=revision), event) is not None
        assert len(flows) <= 2
    assert read == [1, 2, 3, 2]


def test_a_revision_that_is_not_there_is_asked_for_once_until_it_is_looked_again() -> None:
    asked: list[int] = []
    flows = KnownFlows(lambda namespace, flow_id, revision: asked.append(revision))
    for _ in range(3):
        assert flows.of(execution("x"), TimerFired("t", "x", NOW, "k")) is None
    assert len(asked) == 1
    flows.look_again()
    flows.of(execution("x"), TimerFired("t", "x", NOW, "k"))
    assert len(asked) == 2


@pytest.mark.parametrize("source", [None, "id: f"])
def test_a_revision_that_can_not_be_read_is_none(source: str | None) -> None:
    flows = KnownFlows(lambda *key: StoredFlow(*key, source, NOW) if source else None)
    assert flows.of(execution("x"), TimerFired("t", "x", NOW, "k")) is None
    assert len(flows) == 0
