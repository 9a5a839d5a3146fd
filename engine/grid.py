"""Where each task of a Dag is drawn: columns by what it waits for, rows so that no line passes below another task.

A line turns right behind where it begins and runs to its end in that one's row; one to the end of the Dag runs in the
row of the task it comes from. So a task takes its row from the column behind the first one it waits for, and to the
last column where nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.flow.dags import in_order

Cell = tuple[int, int]


def grid_of(needs: Mapping[str, Sequence[str]]) -> dict[str, Cell]:
    """Column and row of each task, both from 0, the tasks in an order in which each comes after what it waits for."""
    columns: dict[str, int] = {}
    for name in in_order(needs):
        columns[name] = 1 + max((columns[need] for need in needs[name]), default=-1)
    return _Rows(needs, columns).fill()


class _Rows:
    def __init__(self, needs: Mapping[str, Sequence[str]], columns: dict[str, int]) -> None:
        self._needs = needs
        self._columns = columns
        self._last = max(columns.values(), default=0)
        self._waited_for = {need for found in needs.values() for need in found}
        self._taken: list[int] = []  # of each row its taken columns, as bits
        self._rows: dict[str, int] = {}

    def fill(self) -> dict[str, Cell]:
        """Column by column, each task as near as possible to those it waits for."""
        names = list(self._columns)
        for column in range(self._last + 1):
            here = [name for name in names if self._columns[name] == column]
            for name in sorted(here, key=self._wish):
                self._rows[name] = self._take(self._wish(name), self._bits(name))
        return {name: (self._columns[name], row) for name, row in self._rows.items()}

    def _wish(self, name: str) -> float:
        rows = [self._rows[need] for need in self._needs[name]]
        return sum(rows) / len(rows) if rows else 0.0

    def _bits(self, name: str) -> int:
        first = min((self._columns[need] + 1 for need in self._needs[name]), default=0)
        last = self._columns[name] if name in self._waited_for else self._last
        return (1 << last + 1) - (1 << first)

    def _take(self, wish: float, bits: int) -> int:
        free = [row for row, taken in enumerate(self._taken) if not taken & bits]
        row = min(free, key=lambda row: abs(row - wish), default=len(self._taken))
        if row == len(self._taken):
            self._taken.append(0)
        self._taken[row] |= bits
        return row
