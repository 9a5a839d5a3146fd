"""Where events go, and what several heartbeats mean."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.ids import new_id
from streaming import keys
from streaming.gateway.health import Health
from streaming.messages import Deltas, ExecutionDelta, Heartbeat
from streaming.partitions import Partitions
from tests.unit.gateway_world import START, Clock, World, row
from watchfloor.settings import Settings
from watchfloor.up import Running, make_supervisor


def test_one_partition_is_the_stream_that_always_was() -> None:
    assert {Partitions().stream(new_id()) for _ in range(10)} == {keys.EVENTS}


def test_an_execution_has_one_stream_everywhere_and_all_get_their_share() -> None:
    ids = [new_id() for _ in range(4_000)]
    four, again = Partitions(4), Partitions(4)
    assert [four.stream(i) for i in ids] == [again.stream(i) for i in ids]
    assert set(four.streams) == {"wf:events", "wf:events:1", "wf:events:2", "wf:events:3"}
    assert min(Counter(map(four.of, ids)).values()) > 800
    assert Partitions(3).of("0190-known") == 2, "it must not change from one release to the next"


@pytest.mark.parametrize(("partitions", "partition"), [(1, 1), (3, 3)])
def test_a_partition_that_is_none_is_refused(partitions: int, partition: int) -> None:
    with pytest.raises(ValidationError, match=f"expected a number below {partitions}"):
        Settings(partitions=partitions, partition=partition)


def test_up_starts_an_executor_for_each_partition(tmp_path: Path) -> None:
    supervisor = make_supervisor(Settings(data_dir=tmp_path, partitions=3), Running(1, ""))
    assert supervisor.names == ["web", "executor", "executor-1", "executor-2", "logs", "worker"]
    commands = [supervisor._processes[name]["obj"].cmd for name in supervisor.names if "executor" in name]
    assert [command.rpartition(" ")[2] for command in commands] == ["0", "1", "2"]
    supervisor.events.close()


def test_the_partition_that_is_silent_is_named_and_its_age_counts() -> None:
    clock = Clock()
    told = Health(clock, clock.now)
    told.heartbeat(Heartbeat("a", START, lag_ms=5, partition=0, partitions=2))
    assert told.executor() is None, "it may still come"
    assert told.oldest_beat() == (None, None)
    clock.seconds += 2
    told.heartbeat(Heartbeat("a", START, lag_ms=5, partition=0, partitions=2))
    assert told.executor() == "partition 1 of 2 silent for 2 s"
    told.heartbeat(Heartbeat("b", START, lag_ms=70, database="locked", partition=1, partitions=2))
    pulse = told.pulse(0)
    assert (pulse.executor, pulse.lag_ms, pulse.database) == (None, 70, "locked")
    clock.seconds += 3
    told.heartbeat(Heartbeat("b2", START, partition=1, partitions=2))
    assert told.executor() == "partition 0 of 2 silent for 3 s"
    assert told.oldest_beat()[0] == 3
    assert told.problems() == (False, False, True)


def test_a_commit_that_a_snapshot_has_is_told_by_its_own_stream() -> None:
    """Executors commit in any order: the position of one stream says nothing of another."""
    world = World()
    world.commit(row(1), row(2))
    world.commit(row(3))  # the snapshot has stream 0 up to 2-0
    browser = world.browser()
    assert browser.total == 3
    again = ExecutionDelta(row(3))
    elsewhere = ExecutionDelta(row(4))
    world.hub.deltas("5000-0", Deltas("x", START, (again,), "2-0"))
    world.hub.deltas("5001-0", Deltas("y", START, (elsewhere,), "1-0", stream="wf:events:1"))
    world.later()
    assert browser.total == 4
    assert [i for i, _, _ in browser.shown].count("e0004") == 1
