"""The rows of one page of a filtered, sorted list, kept up to date change by change. No I/O."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from streaming.messages import ExecutionRow

SortKey = Callable[[ExecutionRow], Any]


class Window:
    """A page of a list.

    ``total`` and ``counts`` (by state) are exact at any time. On the first page of an ``exact`` order the rows are
    too: it holds up to ``2 * size`` rows, always the first ones of the whole list, so that rows that leave are
    replaced from the second half; ``stale`` says that the store must be asked for more. Elsewhere held rows change in
    place, and ``stale`` says that some row may have come, gone or moved.
    """

    def __init__(self, key: SortKey, page: int, size: int, *, exact: bool = True) -> None:
        self._key = key
        self._first = page == 1 and exact
        self.size = size
        self._rows: list[ExecutionRow] = []
        self._keys: list[Any] = []
        self._held: dict[str, ExecutionRow] = {}
        self.total = 0
        self.counts: Counter[str] = Counter()
        self.stale = True

    @property
    def wanted(self) -> int:
        """How many rows ``load`` wants at the most, from the page's first on."""
        return self.size * 2 if self._first else self.size

    @property
    def visible(self) -> Sequence[ExecutionRow]:
        """The page's rows in order."""
        return self._rows[: self.size]

    def load(self, rows: Sequence[ExecutionRow], total: int, counts: dict[Any, int]) -> None:
        """Start again from what the store says. In an exact order, rows with the same start get our own order."""
        self._rows = sorted(rows, key=self._key) if self._first else list(rows)
        self._keys = [self._key(row) for row in self._rows]
        self._held = {row.id: row for row in rows}
        self.total = total
        self.counts = Counter({str(state): count for state, count in counts.items() if count})
        self.stale = False

    def change(self, row: ExecutionRow, was: ExecutionRow | None, matches: bool) -> None:
        """``row`` is the newest of its execution; it matched as ``was`` before (``None``: it did not)."""
        held = self._held.get(row.id)
        if held is not None and row.version <= held.version:
            return
        self._count(row, held if was is None else was, matches)
        if self._first:
            self._place(row, held, matches)
        else:
            self._recolour(row, held, was, matches)

    def remove(self, row: ExecutionRow) -> None:
        """An execution that matched is no more; ``row`` was its last."""
        self.counts[row.state] -= 1
        self.total -= 1
        held = self._held.get(row.id)
        if self._first and held is not None:
            self._remove(held)
        self.stale = self.stale or not self._first or len(self._rows) < min(self.size, self.total)

    def _count(self, row: ExecutionRow, was: ExecutionRow | None, matches: bool) -> None:
        if was is not None:
            self.counts[was.state] -= 1
            self.total -= 1
        if matches:
            self.counts[row.state] += 1
            self.total += 1

    def _place(self, row: ExecutionRow, held: ExecutionRow | None, matches: bool) -> None:
        if held is not None:
            self._remove(held)
        if matches:
            others = self.total - 1
            complete = len(self._rows) >= others
            key = self._key(row)
            if complete or (self._keys and key < self._keys[-1]):
                self._insert(row, key)
        self.stale = self.stale or len(self._rows) < min(self.size, self.total)

    def _remove(self, row: ExecutionRow) -> None:
        at = self._index(row)
        del self._rows[at], self._keys[at], self._held[row.id]

    def _index(self, row: ExecutionRow) -> int:
        at = bisect_left(self._keys, self._key(row))
        while self._rows[at].id != row.id:
            at += 1
        return at

    def _insert(self, row: ExecutionRow, key: Any) -> None:
        at = bisect_left(self._keys, key)
        self._rows.insert(at, row)
        self._keys.insert(at, key)
        self._held[row.id] = row
        if len(self._rows) > self.size * 2:
            self._keys.pop()
            del self._held[self._rows.pop().id]

    def _recolour(self, row: ExecutionRow, held: ExecutionRow | None, was: ExecutionRow | None, matches: bool) -> None:
        if held is None or not matches:
            moved = was is None or not matches or self._key(row) != self._key(was)
            self.stale = self.stale or (moved and (matches or was is not None))
            return
        at = next(i for i, other in enumerate(self._rows) if other.id == row.id)
        key = self._key(row)
        self.stale = self.stale or key != self._keys[at]
        self._rows[at], self._keys[at], self._held[row.id] = row, key, row
