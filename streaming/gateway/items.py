"""What travels down to a browser: tagged items in frames, and the heartbeat. ``live/tags.js`` has the same tags."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from data.operation_records import Operation
from engine.model import TaskRun
from streaming.messages import Answer, ExecutionRow, LogEntry


class _Item(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="t"):
    """Common to all items."""


class RowItem(_Item, frozen=True, omit_defaults=True, tag="row"):
    """A row of the list's window, new in it or changed."""

    row: ExecutionRow


class WindowItem(_Item, frozen=True, omit_defaults=True, tag="window"):
    """The list's window: ``ids`` in order (``None``: as before), how many match in all and in each state."""

    total: int
    counts: dict[str, int]
    ids: tuple[str, ...] | None = None


class ExecutionItem(_Item, frozen=True, omit_defaults=True, tag="execution"):
    """The execution itself changed. ``answers`` are the newest ones to actions; one may come twice."""

    row: ExecutionRow
    history: tuple[Any, ...] = ()
    answers: tuple[Answer, ...] = ()


class TaskRunItem(_Item, frozen=True, omit_defaults=True, tag="task_run"):
    """A task run changed; ``version`` is its execution's then. Large outputs are left out."""

    version: int
    task_run: TaskRun


class DroppedItem(_Item, frozen=True, omit_defaults=True, tag="dropped"):
    """Task runs that are no more, after a restart; ``version`` is their execution's then."""

    version: int
    ids: tuple[str, ...]


class GoneItem(_Item, frozen=True, omit_defaults=True, tag="gone"):
    """The execution is no more: somebody or retention removed it."""

    id: str


class LinesItem(_Item, frozen=True, omit_defaults=True, tag="lines"):
    """Log lines in the order of their ``seq``. ``total`` counts all that match the subscription by now."""

    entries: tuple[LogEntry, ...]
    total: int = 0


class SkippedItem(_Item, frozen=True, omit_defaults=True, tag="skipped"):
    """So many lines were left out here, by the cap; they are in the store, ``first_seq`` to ``last_seq``."""

    count: int
    first_seq: int
    last_seq: int


class StatsItem(_Item, frozen=True, omit_defaults=True, tag="stats"):
    """All executions by state, and events applied a second over the last ten seconds."""

    total: int
    counts: dict[str, int]
    rate: float


class OperationItem(_Item, frozen=True, omit_defaults=True, tag="operation"):
    """A bulk operation, new in the page or further than before."""

    operation: Operation


class OperationsItem(_Item, frozen=True, omit_defaults=True, tag="operations"):
    """The page of bulk operations: ``ids`` in order, and how many there are in all."""

    total: int
    ids: tuple[str, ...] = ()


Item = (
    RowItem
    | WindowItem
    | ExecutionItem
    | TaskRunItem
    | DroppedItem
    | GoneItem
    | LinesItem
    | SkippedItem
    | StatsItem
    | OperationItem
    | OperationsItem
)

TAGS: tuple[str, ...] = tuple(kind.__struct_config__.tag for kind in Item.__args__)  # type: ignore[attr-defined]


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one browser has not seen of one topic.

    ``cursor`` is the newest change in it: an id of ``wf:deltas``, or a ``seq`` of log lines. ``mark`` is to be given
    back with the cursor when a subscription is resumed. ``source_at`` is when the newest change was accepted.
    A ``snapshot`` replaces everything known before.
    """

    topic: str
    cursor: str
    mark: str
    sent_at: datetime
    items: tuple[Item, ...] = ()
    source_at: datetime | None = None
    snapshot: Any = None


class Pulse(msgspec.Struct, frozen=True):
    """The heartbeat to every browser. ``redis``, ``database`` and ``executor`` say what is wrong, ``None``: nothing.

    ``dead_letters`` counts malformed events put aside, ``dropped`` what this process left out at a cap in
    the last five minutes.
    """

    at: datetime
    executor_at: datetime | None
    sources: dict[str, datetime]
    lag_ms: int
    redis: str | None
    database: str | None
    executor: str | None
    dead_letters: int
    dropped: int
