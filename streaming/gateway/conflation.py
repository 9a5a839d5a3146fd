"""What changed since when: bounded logs of changes that all subscribers of a view share.

A subscriber is only a position in such a log, so a browser that never acknowledges costs nothing more. Positions
are whole numbers that rise with each change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Conflated(Generic[T]):
    """The newest item of each key, by the position of its change.

    Bound: ``cap`` keys. Policy when full: the key changed longest ago is forgotten and ``floor`` rises; whoever
    stands below the floor needs a snapshot.
    """

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._entries: dict[Hashable, tuple[int, T]] = {}
        self.head = 0
        self.floor = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: Hashable, item: T) -> None:
        """``item`` is the newest of ``key``."""
        self.head += 1
        self._entries.pop(key, None)
        self._entries[key] = (self.head, item)
        if len(self._entries) > self._cap:
            oldest = next(iter(self._entries))
            self.floor = self._entries.pop(oldest)[0]

    def drop(self, key: Hashable) -> None:
        """Nobody needs ``key`` any more."""
        self._entries.pop(key, None)

    def get(self, key: Hashable) -> T | None:
        """The newest item of ``key``, when it is still kept."""
        entry = self._entries.get(key)
        return entry[1] if entry is not None else None

    def forget(self) -> None:
        """Everybody needs a snapshot: changes were missed."""
        self._entries.clear()
        self.head += 1
        self.floor = self.head

    def since(self, position: int, limit: int) -> tuple[list[T], int]:
        """Up to ``limit`` items changed after ``position``, oldest first, and the position after them."""
        found: list[tuple[int, T]] = []
        for entry in reversed(self._entries.values()):
            if entry[0] <= position:
                break
            found.append(entry)
        found.reverse()
        if len(found) <= limit:
            return [item for _, item in found], self.head
        return [item for _, item in found[:limit]], found[limit - 1][0]


class Lines(Generic[T]):
    """Items that may not be conflated, by their position.

    Bound: ``cap`` items. Policy when full: the oldest are forgotten; ``since`` says how many a reader missed.
    """

    def __init__(self, cap: int) -> None:
        self._kept: deque[T] = deque(maxlen=cap)
        self.head = 0

    def extend(self, items: list[T]) -> None:
        """Append items in order."""
        self._kept.extend(items)
        self.head += len(items)

    def skip(self, count: int) -> None:
        """``count`` items came that are not had here: every reader misses them, and what was before them."""
        self._kept.clear()
        self.head += count

    def since(self, position: int, limit: int) -> tuple[int, list[T]]:
        """(how many were missed, the newest up to ``limit`` items after ``position``)."""
        wanted = self.head - position
        given = min(wanted, limit, len(self._kept))
        return wanted - given, list(islice(self._kept, len(self._kept) - given, None))
