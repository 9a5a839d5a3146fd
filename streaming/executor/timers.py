"""Timers in memory, ordered by due date; the store keeps the same ones for the next start."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime

import msgspec


class Due(msgspec.Struct, gc=False, frozen=True):
    """A timer of an execution."""

    execution_id: str
    key: str
    due: datetime
    task_run_id: str | None = None


class Timers:
    """Set, cancel, and take what is due: O(log n) each."""

    def __init__(self, timers: Iterable[Due] = ()) -> None:
        self._current: dict[tuple[str, str], Due] = {}
        self._heap: list[tuple[datetime, int, Due]] = []
        self._count = 0
        for timer in timers:
            self.set(timer)

    def __len__(self) -> int:
        return len(self._current)

    def set(self, timer: Due) -> None:
        """Set or replace the timer of this execution and key."""
        self._current[timer.execution_id, timer.key] = timer
        self._count += 1
        heapq.heappush(self._heap, (timer.due, self._count, timer))

    def cancel(self, execution_id: str, key: str) -> None:
        """Forget a timer; nothing happens when there is none."""
        self._current.pop((execution_id, key), None)

    def next_due(self) -> datetime | None:
        """When the earliest one is due."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: datetime) -> list[Due]:
        """Remove and return what is due at ``now``, earliest first."""
        taken = []
        while (due := self.next_due()) is not None and due <= now:
            timer = heapq.heappop(self._heap)[2]
            del self._current[timer.execution_id, timer.key]
            taken.append(timer)
        return taken

    def _drop_stale(self) -> None:
        while self._heap and not self._is_current(self._heap[0][2]):
            heapq.heappop(self._heap)

    def _is_current(self, timer: Due) -> bool:
        return self._current.get((timer.execution_id, timer.key)) is timer
