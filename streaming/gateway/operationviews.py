"""Views of bulk operations: how far they are, asked of the store whenever a commit or a process says that they moved.

Progress is conflated by that: however many executions are answered, the store is asked a few times a second at most,
for the rows of operations alone. Results of single executions are fetched by page, they don't travel here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from streaming.gateway.conflation import Conflated
from streaming.gateway.items import Item, OperationItem, OperationsItem
from streaming.gateway.reads import OperationPage, Reads
from streaming.gateway.topics import OperationsTopic, OperationTopic
from streaming.gateway.views import Position, View

_WINDOW = "window"


class OperationsView(View):
    """One operation, or a page of all, the newest first."""

    topic: OperationsTopic | OperationTopic

    def __init__(self, topic: OperationsTopic | OperationTopic) -> None:
        super().__init__(topic)
        self._stale = False
        self._page = OperationPage((), 0)
        self._changes: Conflated[Item] = Conflated(self._size + 1)

    @property
    def _size(self) -> int:
        return self.topic.size if isinstance(self.topic, OperationsTopic) else 1

    @property
    def head(self) -> Position:
        return self._changes.head

    def moved(self, operations: Collection[str]) -> None:
        """These operations moved (none named: perhaps all)."""
        if not operations or isinstance(self.topic, OperationsTopic) or self.topic.id in operations:
            self._stale = True

    @property
    def stale(self) -> bool:
        return self._stale

    def missed(self) -> None:
        self._stale = True

    def begin(self) -> None:
        self._stale = False

    def read(self, reads: Reads) -> OperationPage:
        if isinstance(self.topic, OperationsTopic):
            return reads.operations(self.topic.page, self.topic.size, self.topic.actor)
        found = reads.operation(self.topic.id)
        return OperationPage((), 0) if found is None else OperationPage((found,), 1)

    def finish(self, data: OperationPage) -> bool:
        before, self._page = self._page, data
        known = {one.id: one for one in before.operations}
        for one in data.operations:
            if known.pop(one.id, None) != one:
                self._changes.put(one.id, OperationItem(one))
        for gone in known:
            self._changes.drop(gone)
        ids = _ids(data)
        if not self.ready or (ids, data.total) != (_ids(before), before.total):
            self._changes.put(_WINDOW, OperationsItem(data.total, ids))
        self.ready = True
        return True

    def since(self, position: Position, limit: int) -> tuple[tuple[Item, ...], Position, int]:
        assert isinstance(position, int)
        items, after = self._changes.since(position, max(limit, self._size + 1))
        return tuple(items), after, 0

    def lost(self, position: Position) -> bool:
        return not isinstance(position, int) or not self._changes.floor <= position <= self._changes.head

    def snapshot(self, data: Any = None) -> Any:
        return {"operations": self._page.operations, "ids": _ids(self._page), "total": self._page.total}


def _ids(page: OperationPage) -> tuple[str, ...]:
    return tuple(one.id for one in page.operations)
