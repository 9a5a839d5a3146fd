"""Which tasks of a Dag may start: counted down as others end, so that an end costs what waits for it and no more."""

from __future__ import annotations

from collections.abc import Iterable

import immutables

from engine.model import TaskRun, Waiting
from engine.reducer.plan import MAIN, Node
from engine.reducer.rollup import is_bad
from engine.states import TERMINAL


def waiting_of(dag: Node, runs: Iterable[TaskRun]) -> Waiting:
    """What waits in ``dag`` while there are these task runs in it."""
    known = {run.task_id: run for run in runs}
    open_nodes = [node for node in dag.lists.get(MAIN, ()) if node.id not in known]
    left = {node.index: sum(not _ended_well(known.get(need.id)) for need in node.needs) for node in open_nodes}
    ready = tuple(index for index, count in left.items() if count == 0)
    return Waiting(ready, immutables.Map({index: count for index, count in left.items() if count}))


def _ended_well(run: TaskRun | None) -> bool:
    return run is not None and run.state in TERMINAL and not is_bad(run.state)


def after_end(waiting: Waiting, node: Node) -> Waiting:
    """``waiting`` after the task run of ``node`` ended well."""
    left, freed = waiting.left.mutate(), []
    for follower in node.feeds:
        if follower.index not in left:  # it has run before; ``node`` ran again since
            continue
        count = left.pop(follower.index) - 1
        if count:
            left[follower.index] = count
        else:
            freed.append(follower.index)
    ready = tuple(sorted((*waiting.ready, *freed))) if freed else waiting.ready
    return Waiting(ready, left.finish())


def take(waiting: Waiting, count: int) -> tuple[tuple[int, ...], Waiting]:
    """The places of the next ``count`` tasks to start, and what waits then."""
    return waiting.ready[:count], Waiting(waiting.ready[count:], waiting.left)
