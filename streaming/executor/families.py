"""How many executions Subflow tasks have made below one that no other made: over the cap the next one is refused."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from engine.model import evolve
from engine.reducer.subflow import DEPTH, ROOT
from streaming.messages import Event, ExecutionCreated

CAPACITY = 10_000


class Families:
    """Counts of the ``capacity`` families asked for last. ``count(id)`` says how many executions lie below one.

    What the first one makes itself is bounded by its task runs, so nothing is counted before something nests. Each
    partition counts what it makes itself from then on.
    """

    def __init__(self, count: Callable[[str], int], most: int, capacity: int = CAPACITY) -> None:
        self._count = count
        self._most = most
        self._capacity = capacity
        self._known: OrderedDict[str, int] = OrderedDict()

    def forget(self) -> None:
        """Count anew."""
        self._known.clear()

    def admit(self, event: Event) -> Event:
        """``event`` itself; a new execution that is one too many gets that as its problem."""
        if not isinstance(event, ExecutionCreated) or event.parent_task_run_id is None or event.trigger is None:
            return event
        root, depth = (event.trigger.variables.get(name) for name in (ROOT, DEPTH))
        if root is None or (depth == 1 and root not in self._known):
            return event
        size = self._size(root)
        if size >= self._most:
            return evolve(event, problem=_TOO_MANY.format(most=self._most))
        self._known[root] = size + 1
        return event

    def _size(self, root: str) -> int:
        size = self._known[root] if root in self._known else self._count(root)
        self._known[root] = size
        self._known.move_to_end(root)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return size


_TOO_MANY = (
    "expected at most {most:,} executions below one, made by Subflow tasks (WATCHFLOOR_SUBFLOW_MAX_EXECUTIONS); does a "
    "flow call itself without end?"
)
