"""Replays with the real executor: the new execution is on the partition that its id belongs to, and there is one."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.flow import parse
from engine.ids import new_id
from engine.states import Action, State
from streaming.messages import ActionRequested
from tests.integration.executor_world import state_of
from tests.integration.test_partitions import World, at_work, created
from tests.integration.test_partitions import world as world
from tests.waiting import until

FLOW = """
id: steps
namespace: tests.parts
concurrency: {limit: 2}
tasks:
  - {id: first, type: io.kestra.plugin.core.http.Request, uri: "http://127.0.0.1/"}
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [x, y]
    tasks:
      - {id: a, type: io.kestra.plugin.core.http.Request, uri: "http://127.0.0.1/"}
      - {id: b, type: io.kestra.plugin.core.http.Request, uri: "http://127.0.0.1/"}
"""


def test_replays_cross_partitions_and_happen_once(world: World) -> None:
    world.store.save_flow(parse(FLOW))
    bus, made = world.bus(3), [world.executor(3, n) for n in range(3)]
    ids, news = [new_id() for _ in range(6)], [new_id() for _ in range(6)]
    assert any(bus.partitions.of(a) != bus.partitions.of(b) for a, b in zip(ids, news, strict=True))
    with at_work(*(one for one, _ in made)):
        bus.append_all(created(i, "steps") for i in ids)
        until(lambda: all(state_of(world.store, i) is State.SUCCESS for i in ids), "all ends")
        events = [replay(world, id, new) for id, new in zip(ids, news, strict=True)]
        bus.append_all(events)
        bus.append_all(events)
        until(lambda: all(state_of(world.store, i) is State.SUCCESS for i in news), "all replays")
        until(lambda: world.waiting(3) == 0, "the streams' end")
    attempts = [attempt for _, worker in made for attempt in worker.attempts]
    assert len(attempts) == len(set(attempts)) == 6 * 5 + 6 * 1
    for id, new in zip(ids, news, strict=True):
        (row,) = world.store.children(id)
        assert (row.id, row.original_id, row.labels) == (new, id, {"system.replay": "true"})
        assert len(world.store.load(new).task_runs) == 6
    assert {use.flow_id: (use.running, use.queued) for use in world.store.concurrency()} == {"steps": (0, 0)}


def replay(world: World, execution_id: str, new: str) -> ActionRequested:
    """From the last task of a group."""
    runs = world.store.load(execution_id).task_runs.values()
    target = next(run for run in runs if (run.task_id, run.value) == ("b", "y"))
    return ActionRequested(
        new_id(), execution_id, datetime.now(UTC), Action.REPLAY, "ada", task_run_id=target.id, new_id=new
    )
