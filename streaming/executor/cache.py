"""Executions an executor keeps in memory. All are in the store too, so any may be dropped at any time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from engine.model import Execution

Loader = Callable[[list[str]], Mapping[str, Execution]]


class ExecutionCache:
    """The ``capacity`` executions used last; the others are loaded when needed."""

    def __init__(self, load_many: Loader, capacity: int) -> None:
        self._load_many = load_many
        self._capacity = capacity
        self._known: OrderedDict[str, Execution] = OrderedDict()

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

    def forget(self, executions: Iterable[Execution]) -> None:
        """These are no more."""
        for execution in executions:
            self._known.pop(execution.id, None)

    def keep(self, executions: Iterable[Execution]) -> None:
        """Remember committed executions, and forget those not used for longest above the capacity."""
        for execution in executions:
            self._known[execution.id] = execution
            self._known.move_to_end(execution.id)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
