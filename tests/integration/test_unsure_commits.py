"""Commits whose end is not known, and two executors at once: every event counts once, whatever is told."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data import Store, StoreUnavailable
from data.errors import PositionMoved
from data.filters import parse_query_string
from data.records import Commit, ExecutionQuery
from engine.dispatch import Dispatch
from engine.model import Kind
from engine.states import State
from streaming import codec, keys
from streaming.bus import Bus
from streaming.executor import Executor, environment
from streaming.load import Synthetic
from streaming.logwriter import LogWriter
from streaming.messages import Event, ExecutionReported, LogBatch, LogLine
from tests.threads import in_thread
from tests.waiting import until
from watchfloor.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str, database_url: str) -> Settings:
    return Settings(data_dir=tmp_path, redis_url=valkey_url, database_url=database_url, executor_batch=40)


def breaking(transaction: Callable[[], Any], chance: float, dice: random.Random) -> Callable[[], Any]:
    """``transaction``, now and then with its connection lost before it begins, or after it was committed."""

    @contextmanager
    def begin() -> Iterator[Any]:
        if dice.random() < chance:
            raise StoreUnavailable("the connection was lost before")
        with transaction() as connection:
            yield connection
        if dice.random() < chance:
            raise StoreUnavailable("the connection was lost, nobody knows when")

    return begin


def executor(settings: Settings, store: Store, bus: Bus) -> Executor:
    return Executor(settings, store, bus, Dispatch(settings), environment(settings))


def check(store: Store, events: list[Event]) -> None:
    """Each event was applied once: by versions, by kept counts, and by rows counted one by one."""
    versions = Counter(event.execution_id for event in events)
    states = {event.execution_id: event.state for event in events if isinstance(event, ExecutionReported)}
    stored = store.load_many(versions)
    assert {i: e.version for i, e in stored.items()} == versions
    assert {i: e.state for i, e in stored.items()} == states
    for text in ("", "filters[labels][EQUALS][system.synthetic]=true", "filters[q][EQUALS]=synthetic"):
        page = store.search(ExecutionQuery(parse_query_string(text), size=500))
        assert page.counts == Counter(states.values()), text


@pytest.mark.parametrize("seed", range(2))
def test_a_commit_whose_end_is_not_known_counts_once(
    settings: Settings, store: Store, bus: Bus, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Synthetic(seed=seed, alive=30)
    events = [source.next_event() for _ in range(1_200)]
    monkeypatch.setattr("streaming.executor.loop._BACKOFF_MAX", 0.01)
    monkeypatch.setattr(store, "_write", breaking(store._write, 0.2, random.Random(seed)))
    bus.append_all(events)
    with in_thread(executor(settings, store, bus).run):
        until(lambda: store.position(keys.EVENTS) == bus.last_id(keys.EVENTS), "all events")
    check(store, events)


def test_two_executors_by_mistake_apply_each_event_once(
    settings: Settings, store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Synthetic(seed=3, alive=30)
    events = [source.next_event() for _ in range(1_200)]
    monkeypatch.setattr("streaming.executor.loop._BACKOFF_MAX", 0.01)
    other = Store(settings.resolved_database_url)
    bus.append_all(events)
    with ExitStack() as stack:
        for one in (store, other):
            stack.enter_context(in_thread(executor(settings, one, bus).run))
        until(lambda: store.position(keys.EVENTS) == bus.last_id(keys.EVENTS), "all events")
    check(store, events)
    other.close()


def test_a_commit_from_another_position_writes_nothing(store: Store) -> None:
    store.commit(Commit(stream=keys.EVENTS, position="5-0", after="0-0"))
    with pytest.raises(PositionMoved, match="gone on from position 4-0"):
        store.commit(Commit(stream=keys.EVENTS, position="6-0", after="4-0", outbox=b"x"))
    with pytest.raises(PositionMoved):
        store.commit(Commit(stream=keys.EVENTS, position="6-0", after="0-0"))
    assert store.position(keys.EVENTS) == "5-0"
    assert store.outbox() == []
    store.commit(Commit(stream=keys.EVENTS, position="6-0", after="5-0"))
    assert store.position(keys.EVENTS) == "6-0"


def test_log_lines_that_were_stored_unannounced_are_a_gap_that_readers_see(
    store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_write_logs", breaking(store._write_logs, 0.3, random.Random(1)))
    monkeypatch.setattr("streaming.logwriter._BATCH", 3)
    monkeypatch.setattr("streaming.logwriter._BACKOFF_MAX", 0.01)
    for number in range(1, 101):
        bus.append_logs(LogBatch("e", "n", "f", "t", "tr", 1, (LogLine(number, NOW, "INFO", f"line {number}"),)))
    known: set[int] = set()
    last = 0
    with bus.subscription(keys.LIVE_LOGS) as live, in_thread(LogWriter(store, bus).run):
        while last < 100:
            message = live.get(5)
            if message is None:
                continue
            committed = codec.decode_logs_committed(message[1])
            if committed.after_seq > last:  # as the gateway does: what is missing is read from the store
                known |= {entry.seq for entry in store.logs_after("e", last, 1_000)}
            known |= {entry.seq for entry in committed.entries}
            last = committed.entries[-1].seq if committed.entries else committed.after_seq
    assert known == set(range(1, 101))


def test_labels_of_any_length_are_kept_and_found(settings: Settings, store: Store, bus: Bus) -> None:
    """An entry of PostgreSQL's indexes has at most 2,700 bytes."""
    dice = random.Random(5)
    long = ["".join(chr(dice.randrange(0x4E00, 0x9FFF)) for _ in range(9_000)) for _ in range(2)]
    labels = [{"a": long[0]}, {"a": long[1]}, {long[0]: "b"}, {"a": "b\x00c"}]
    for number, given in enumerate(labels):
        bus.append(reported(f"e{number}", labels=given))
    with in_thread(executor(settings, store, bus).run):
        until(lambda: store.search(ExecutionQuery()).total == 4, "all")
    for number, given in enumerate(labels[:3]):
        ((key, value),) = given.items()
        for shown in (f"filters[labels][EQUALS][{key}]={value}", f"filters[labels][IN][{key}]={value}"):
            assert [row.id for row in store.search(ExecutionQuery(parse_query_string(shown))).rows] == [f"e{number}"]
    assert {row.id: row.labels for row in store.search(ExecutionQuery()).rows} == {
        f"e{number}": given for number, given in enumerate(labels)
    }


def test_an_id_that_no_index_holds_is_put_aside(settings: Settings, store: Store, bus: Bus) -> None:
    bus.append(reported("x" * 300))
    bus.append(reported("good"))
    with in_thread(executor(settings, store, bus).run):
        until(lambda: store.row("good"), "the good one")
    ((_, fields),) = bus.redis.xrange(keys.DEAD_LETTERS)
    assert b"length" in fields[b"reason"]


def reported(execution_id: str, **fields: Any) -> ExecutionReported:
    """An execution that another orchestrator told of."""
    return ExecutionReported(
        f"r-{execution_id[:20]}", execution_id, NOW, "company.team", "flow", State.RUNNING, Kind.NORMAL, **fields
    )
