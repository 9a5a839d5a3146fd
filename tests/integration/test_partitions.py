"""Several executors: each with its partition, one at a time on it, and all of the same mind how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data import Store
from data.errors import PositionMoved
from data.records import Commit, ExecutionQuery
from engine.flow import parse
from engine.ids import new_id
from engine.model import evolve
from engine.states import State
from streaming import keys
from streaming.bus import Bus
from streaming.executor import Executor, environment
from streaming.lease import Holder, Lease, holders, this_process
from streaming.load import Synthetic
from streaming.logwriter import LogWriter
from streaming.messages import ExecutionCreated, LogBatch, LogLine
from tests.integration.executor_world import Worker, running, state_of
from tests.integration.homes import only
from tests.integration.test_unsure_commits import check
from tests.threads import in_thread
from tests.waiting import until
from watchfloor.doctor import check_partitions
from watchfloor.findings import Verdict
from watchfloor.settings import Settings

FLOWS = (
    """
id: child
namespace: tests.parts
tasks:
  - {id: work, type: io.kestra.plugin.core.http.Request, uri: "http://127.0.0.1/"}
""",
    """
id: parent
namespace: tests.parts
concurrency: {limit: 2, behavior: QUEUE}
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [1, 2, 3]
    concurrencyLimit: 0
    tasks:
      - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: tests.parts, flowId: child, wait: true}
""",
)


class World:
    """One Redis, one database, and executors of any partition; each as if in a process of its own."""

    def __init__(self, folder: Path, valkey_url: str, database_url: str) -> None:
        self.folder, self.valkey_url, self.database_url = folder, valkey_url, database_url
        self.store = Store(database_url)
        self._closers: list[Store | Bus] = [self.store]

    def settings(self, partitions: int, partition: int = 0) -> Settings:
        given = {"data_dir": self.folder, "redis_url": self.valkey_url, "database_url": self.database_url}
        return Settings(**given, partitions=partitions, partition=partition)

    def bus(self, partitions: int) -> Bus:
        bus = Bus.of(self.settings(partitions))
        self._closers.append(bus)
        return bus

    def executor(self, partitions: int, partition: int = 0, pid: int = 0) -> tuple[Executor, Worker]:
        """``pid``: as if in that process, on another machine."""
        settings, bus, store = self.settings(partitions, partition), self.bus(partitions), Store(self.database_url)
        self._closers.append(store)
        worker = Worker(bus)
        made = Executor(settings, store, bus, worker, environment(settings))
        if pid:
            holder = Holder(f"other-{pid}", partitions, f"elsewhere/1:{pid}:1")
            made._post._lease = Lease(bus, made._stream, holder)
        return made, worker

    def waiting(self, partitions: int) -> int:
        bus = self.bus(partitions)
        return sum(bus.waiting(stream, self.store.position(stream)) for stream in bus.partitions.streams)

    def close(self) -> None:
        for closer in self._closers:
            closer.close()


@pytest.fixture
def world(tmp_path: Path, bus: Bus, valkey_url: str, database_url: str) -> Iterator[World]:
    assert bus.length(keys.EVENTS) == 0
    made = World(tmp_path, valkey_url, database_url)
    yield made
    made.close()


@contextmanager
def at_work(*executors: Executor) -> Iterator[None]:
    with ExitStack() as stack:
        for one in executors:
            stack.enter_context(running(one))
        yield


def created(execution_id: str, flow_id: str) -> ExecutionCreated:
    return ExecutionCreated(new_id(), execution_id, datetime.now(UTC), "tests.parts", flow_id, 1)


def test_subflows_and_slots_cross_partitions(world: World) -> None:
    for source in FLOWS:
        world.store.save_flow(parse(source))
    bus, made = world.bus(3), [world.executor(3, n) for n in range(3)]
    ids = [new_id() for _ in range(12)]
    assert len({bus.partitions.of(i) for i in ids}) == 3
    with at_work(*(one for one, _ in made)):
        bus.append_all(created(i, "parent") for i in ids)
        until(lambda: all(state_of(world.store, i) is State.SUCCESS for i in ids), "all ends")
        until(lambda: world.waiting(3) == 0, "the streams' end")
    attempts = [attempt for _, worker in made for attempt in worker.attempts]
    assert len(attempts) == len(set(attempts)) == 36
    assert all(len(world.store.children(i)) == 3 for i in ids)
    assert {use.flow_id: (use.running, use.queued) for use in world.store.concurrency()} == {"parent": (0, 0)}


def test_events_are_applied_once_each_in_their_partition(world: World) -> None:
    source = Synthetic(seed=5, alive=60)
    events = [source.next_event() for _ in range(1_500)]
    bus = world.bus(2)
    bus.append_all(events)
    assert all(bus.length(stream) > 300 for stream in bus.partitions.streams)
    with at_work(*(world.executor(2, n)[0] for n in range(2))):
        until(lambda: world.waiting(2) == 0, "all events")
    check(world.store, events)
    page = world.store.search(ExecutionQuery())
    assert page.positions == {stream: bus.last_id(stream) for stream in bus.partitions.streams}


def test_who_sends_to_the_wrong_partition_is_forwarded_to(world: World) -> None:
    """A worker of another machine whose setting was forgotten."""
    source = Synthetic(seed=6, alive=40)
    events = [source.next_event() for _ in range(600)]
    world.bus(1).append_all(events)
    with at_work(*(world.executor(2, n)[0] for n in range(2))):
        until(lambda: world.waiting(2) == 0 and world.store.row(events[-1].execution_id), "all events")
        ids = {event.execution_id for event in events}
        until(lambda: sum(e.version for e in world.store.load_many(ids).values()) == 600, "the same")
    check(world.store, events)


def test_a_second_executor_waits_and_takes_over_when_the_first_is_gone(world: World) -> None:
    """Its machine is gone without a word: the lease ends by itself."""
    bus = world.bus(1)
    first, _ = world.executor(1, pid=1)
    second, _ = world.executor(1, pid=2)
    source = Synthetic(seed=7, alive=20)
    events = [source.next_event() for _ in range(200)]
    first._post._lease.give_back = lambda: None  # type: ignore[method-assign]
    with running(first):
        bus.append_all(events[:100])
        until(lambda: world.waiting(1) == 0, "the first")
        with running(second):
            until(lambda: second._post.waits, "the standby")
            assert [holder.name for holder in holders(bus, (keys.EVENTS,)).values()] == ["other-1"]
            assert not second._at_work
            first._stop.set()
            bus.append_all(events[100:])
            until(lambda: second._at_work and world.waiting(1) == 0, "the second", 12)
    check(world.store, events)


def test_a_lease_of_a_dead_process_of_this_machine_is_taken_over_at_once(bus: Bus) -> None:
    mine = this_process("me", 1)
    assert not mine.is_dead()
    where, pid, began = mine.process.rsplit(":", 2)
    dead = evolve(mine, name="dead", process=f"{where}:{pid}:{int(began) - 100}")
    assert dead.is_dead()
    assert not evolve(dead, process=f"another:{pid}:{began}").is_dead()
    assert Lease(bus, "s", dead).take() is None
    lease = Lease(bus, "s", mine)
    assert lease.take() is None
    elsewhere = evolve(mine, process=f"another:{pid}:{began}")
    assert Lease(bus, "s", elsewhere).take() == mine
    Lease(bus, "s", elsewhere).give_back()
    assert list(holders(bus, ("s",)).values()) == [mine]
    lease.give_back()
    assert holders(bus, ("s",)) == {}


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (3, 2)])
def test_partitions_change_with_events_waiting(world: World, before: int, after: int) -> None:
    source = Synthetic(seed=8, alive=50)
    events = [source.next_event() for _ in range(900)]
    world.bus(before).append_all(events[:300])
    with at_work(*(world.executor(before, n)[0] for n in range(before))):
        until(lambda: world.waiting(before) == 0, "the first ones")
    world.bus(before).append_all(events[300:600])
    with at_work(*(world.executor(after, n)[0] for n in range(after))):
        until(lambda: world.waiting(before) == 0 and world.waiting(after) == 0, "what waited")
        world.bus(after).append_all(events[600:])
        until(lambda: world.waiting(after) == 0, "the last ones")
        assert check_partitions(world.settings(after)).verdict is Verdict.OK
    check(world.store, events)
    assert set(world.store.event_streams().values()) == {after}


def test_another_number_of_partitions_is_refused_while_executors_work(world: World) -> None:
    old, _ = world.executor(2, 1, pid=1)
    new, _ = world.executor(1, 0, pid=2)
    with running(old):
        until(lambda: old._at_work, "the old one")
        with running(new):
            until(lambda: new._post.waits, "refused")
            found = check_partitions(world.settings(1))
            assert found.verdict is Verdict.BAD
            assert "other-1 works on one of 2" in found.what
            assert set(world.store.event_streams().values()) == {2}
            old._stop.set()
            until(lambda: new._at_work, "its turn")
            assert set(world.store.event_streams().values()) == {1}


def test_an_executor_of_an_older_division_commits_nothing(world: World) -> None:
    """One that was stopped for a while and comes back when all is divided anew."""
    world.store.divide_events(("wf:events", "wf:events:1"))
    world.store.divide_events(("wf:events",))
    for stream in ("wf:events", "wf:events:1"):
        with pytest.raises(PositionMoved):
            world.store.commit(Commit(stream=stream, position="5-0", after="0-0", partitions=2))
    world.store.commit(Commit(stream="wf:events", position="5-0", after="0-0", partitions=1))


@only("sqlite")
def test_doctor_names_the_partition_nobody_works_on(world: World) -> None:
    made, _ = world.executor(2, 0)
    with running(made):
        until(lambda: made._at_work, "it")
        found = check_partitions(world.settings(2))
        assert (found.verdict, found.what) == (Verdict.BAD, "no executor works on partition 1 of 2")


def test_a_second_log_writer_waits_until_the_first_has_gone(store: Store, bus: Bus) -> None:
    first, second = LogWriter(store, bus), LogWriter(store, bus)
    second._lease = Lease(bus, keys.LOGS, Holder("other", 1, "elsewhere/1:1:1"))
    bus.append_logs(LogBatch("e", "n", "f", "t", "tr", 1, (LogLine(1, datetime.now(UTC), "INFO", "one"),)))
    with ExitStack() as stack:
        with in_thread(first.run):
            until(lambda: store.last_log_seq() == 1, "the first")
            stack.enter_context(in_thread(second.run))
            until(lambda: second._waits, "the standby")
        bus.append_logs(LogBatch("e", "n", "f", "t", "tr", 1, (LogLine(2, datetime.now(UTC), "INFO", "two"),)))
        until(lambda: store.last_log_seq() == 2, "the second")
    assert not second._waits
