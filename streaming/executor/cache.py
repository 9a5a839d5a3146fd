"""Executions an executor keeps in memory. All are in the store too, so any may be dropped at any time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from engine.model import Execution

Loader = Callable[[list[str]], Mapping[str, Execution]]


class ExecutionCache:
    """The ``capacity`` executions used last, fewer where they have more than ``max_task_runs`` together, but always
    one; the others are loaded when needed."""

    def __init__(self, load_many: Loader, capacity: int, max_task_runs: int) -> None:
        self._load_many = load_many
        self._capacity = capacity
        self._max_task_runs = max_task_runs
        self._known: OrderedDict[str, Execution] = OrderedDict()
        self.task_runs = 0

    def __len__(self) -> int:
        return len(self._known)

    def fetch(self, ids: set[str]) -> dict[str, Execution]:
        """The executions of ``ids`` that exist, those not in memory loaded in one query."""
        found = {}
        for execution_id in ids & self._known.keys():
            found[execution_id] = self._known[execution_id]
            self._known.move_to_end(execution_id)
        missing = [execution_id for execution_id in ids if execution_id not in found]
        if missing:
            found.update(self._load_many(missing))
        return found

    def clear(self) -> None:
        """Load everything anew."""
        self._known.clear()
        self.task_runs = 0

    def forget(self, executions: Iterable[Execution]) -> None:
        """These are no more."""
        for execution in executions:
            self._drop(execution.id)

    def keep(self, executions: Iterable[Execution]) -> None:
        """Remember committed executions, and forget those not used for longest above the limits."""
        for execution in executions:
            self._drop(execution.id)
            self._known[execution.id] = execution
            self.task_runs += len(execution.task_runs)
        while len(self._known) > self._capacity or (self.task_runs > self._max_task_runs and len(self._known) > 1):
            self._drop(next(iter(self._known)))

    def _drop(self, execution_id: str) -> None:
        known = self._known.pop(execution_id, None)
        if known is not None:
            self.task_runs -= len(known.task_runs)
