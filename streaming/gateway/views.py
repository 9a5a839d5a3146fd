"""Views: what all subscribers of one topic with equal parameters look at.

A view takes each change once, whoever looks. A subscriber is a position in it; what changed since a position is
encoded once and given to all who stand there. No I/O but in ``read``, which runs outside the hub's lock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from threading import Lock
from typing import Any, ClassVar

from engine.ids import new_id
from streaming import codec
from streaming.gateway.conflation import Conflated
from streaming.gateway.items import DroppedItem, ExecutionItem, Frame, GoneItem, Item, RowItem, TaskRunItem
from streaming.gateway.reads import Reads
from streaming.gateway.snapshots import light, of_execution
from streaming.gateway.topics import ExecutionTopic, RowsTopic, Topic
from streaming.gateway.wire import Encoded
from streaming.messages import ExecutionDelta, ExecutionRow

Position = int | tuple[int, int]

_ANSWERS_KEPT = 20


class View(ABC):
    """Common to all views. ``flush_at`` is when its subscribers get what is new; ``None``: nothing is."""

    #: Whether the view must be loaded from the store before anyone can look at it.
    loads: ClassVar[bool] = True

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.epoch = new_id()[-12:]
        self.loading = Lock()
        self.ready = not self.loads
        self.stale_at: float | None = None
        self.loaded_at = 0.0
        self.load_seconds = 0.0
        self.cursor = ""
        self.source_at: datetime | None = None
        self.flushed_at = 0.0
        self.flush_at: float | None = None
        self.left_at: float | None = None
        self._encoded: dict[Position, tuple[str, Position, int]] = {}
        self._encoded_at: Position | None = None

    @property
    @abstractmethod
    def head(self) -> Position:
        """The position of whoever has seen everything."""

    @abstractmethod
    def since(self, position: Position, limit: int) -> tuple[tuple[Item, ...], Position, int]:
        """Items changed after ``position``, the position after them, and how many were left out by a cap."""

    def settle(self) -> None:  # noqa: B027
        """Make the changes since the last call visible to ``since``; called before subscribers are served."""

    @property
    def stale(self) -> bool:
        """Whether the store must be asked again."""
        return False

    @property
    def drifts(self) -> bool:
        """Whether it changes by time alone, so that the store must be asked now and then."""
        return False

    def missed(self) -> None:  # noqa: B027
        """Changes may have been missed."""

    def lost(self, position: Position) -> bool:
        """Whether what changed after ``position`` is not known any more, so that a snapshot is needed."""
        return False

    def begin(self) -> None:  # noqa: B027
        """A ``read`` starts now: keep what changes meanwhile."""

    def read(self, reads: Reads) -> Any:
        """Ask the store; what ``finish`` and ``snapshot`` want."""
        return None

    def finish(self, data: Any) -> bool:
        """Start from what ``read`` gave, then what changed meanwhile; false when too much did, so read again."""
        return True

    @abstractmethod
    def snapshot(self, data: Any) -> Any:
        """Everything, for a subscriber that knows nothing. ``data`` is from ``read`` where the view does not load."""

    def mark(self, position: Position) -> str:
        """The position as text, with the view it belongs to."""
        numbers = position if isinstance(position, tuple) else (position,)
        return ".".join([self.epoch, *map(str, numbers)])

    def position(self, mark: str | None) -> Position | None:
        """The position of a mark of this very view, as long as what changed since is known."""
        epoch, *numbers = (mark or "").split(".")
        if epoch != self.epoch or not numbers or not all(number.isdigit() for number in numbers):
            return None
        position: Position = int(numbers[0]) if len(numbers) == 1 else (int(numbers[0]), int(numbers[1]))
        return None if self.lost(position) else position

    def encoded(self, position: Position, limit: int, now: datetime) -> tuple[str, Position, int]:
        """The frame for whoever stands at ``position``, the position after it, and how many were left out."""
        if self._encoded_at != self.head:
            self._encoded.clear()
            self._encoded_at = self.head
        found = self._encoded.get(position)
        if found is None:
            items, after, left_out = self.since(position, limit)
            found = self._encoded[position] = (self._frame(after, now, items=items), after, left_out)
        return found

    def _frame(self, position: Position, now: datetime, **content: Any) -> Encoded:
        mark = self.mark(position)
        frame = Frame(self.topic.name, self.cursor, mark, sent_at=now, source_at=self.source_at, **content)
        return Encoded(codec.to_json(frame).decode())

    def snapshot_frame(self, position: Position, data: Any, now: datetime) -> str:
        """A frame that replaces everything, for a subscriber that fell too far behind."""
        return self._frame(position, now, snapshot=self.snapshot(data))


class _KeyedView(View):
    """Follows named executions: the newest item of each key. A snapshot comes from the store."""

    loads = False

    def __init__(self, topic: Topic, cap: int) -> None:
        super().__init__(topic)
        self._changes: Conflated[Item] = Conflated(cap)

    @property
    @abstractmethod
    def execution_ids(self) -> tuple[str, ...]:
        """The executions to follow."""

    @property
    def head(self) -> Position:
        return self._changes.head

    def take(self, delta: ExecutionDelta, cursor: str) -> None:
        """One of the executions changed."""
        self.cursor, self.source_at = cursor, delta.row.changed_at
        for key, item in self._items(delta):
            self._changes.put(key, item)

    def gone(self, row: ExecutionRow, cursor: str) -> None:
        """One of the executions is no more."""
        self.cursor = cursor
        self._changes.put(("gone", row.id), GoneItem(row.id))

    @abstractmethod
    def _items(self, delta: ExecutionDelta) -> list[tuple[Any, Item]]:
        """(key, item) of everything that changed."""

    def missed(self) -> None:
        self._changes.forget()

    def since(self, position: Position, limit: int) -> tuple[tuple[Item, ...], Position, int]:
        assert isinstance(position, int)
        items, after = self._changes.since(position, limit)
        return tuple(items), after, 0

    def lost(self, position: Position) -> bool:
        return not isinstance(position, int) or not self._changes.floor <= position <= self._changes.head


class ExecutionView(_KeyedView):
    """One execution: the newest row, history and task runs."""

    topic: ExecutionTopic

    @property
    def execution_ids(self) -> tuple[str, ...]:
        return (self.topic.id,)

    def _items(self, delta: ExecutionDelta) -> list[tuple[Any, Item]]:
        held = self._changes.get("execution")
        return items_of(delta, held.answers if isinstance(held, ExecutionItem) else ())

    def read(self, reads: Reads) -> Any:
        return reads.execution(self.topic.id)

    def snapshot(self, data: Any) -> Any:
        return of_execution(data)


class RowsView(_KeyedView):
    """Rows of a list that has moved on."""

    topic: RowsTopic

    @property
    def execution_ids(self) -> tuple[str, ...]:
        return self.topic.ids

    def _items(self, delta: ExecutionDelta) -> list[tuple[Any, Item]]:
        return [(delta.row.id, RowItem(delta.row))]

    def read(self, reads: Reads) -> Any:
        return reads.rows(self.topic.ids)

    def snapshot(self, data: Any) -> Any:
        return {"rows": list(data.values())}


def items_of(delta: ExecutionDelta, earlier: Iterable[Any] = ()) -> list[tuple[Any, Item]]:
    """(key, item) of everything ``delta`` changed in its execution; ``earlier`` answers are kept beside new ones."""
    version = delta.row.version
    answers = (*earlier, *delta.answers)[-_ANSWERS_KEPT:]
    found: list[tuple[Any, Item]] = [("execution", ExecutionItem(delta.row, delta.history, answers))]
    found.extend((("task_run", gone), DroppedItem(version, (gone,))) for gone in delta.dropped_task_runs)
    found.extend((("task_run", run.id), TaskRunItem(version, light(run))) for run in delta.task_runs)
    return found
