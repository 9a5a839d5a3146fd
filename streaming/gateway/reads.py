"""What the gateway reads from the store: a narrow protocol, so that views can be tested without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from data.operation_records import Operation
from engine.model import Execution
from streaming.gateway.topics import ExecutionsTopic, LogsTopic
from streaming.messages import ExecutionRow, LogEntry

Matcher = Callable[[ExecutionRow, datetime], bool]


class Page(msgspec.Struct, frozen=True):
    """Rows of a list, how many match in all and in each state, and by stream the position of the commits they show."""

    rows: tuple[ExecutionRow, ...]
    total: int
    counts: dict[Any, int]
    positions: dict[str, str] = {}


class OperationPage(msgspec.Struct, frozen=True):
    """Some bulk operations, and how many there are in all."""

    operations: tuple[Operation, ...]
    total: int


class Tail(msgspec.Struct, frozen=True):
    """How many log lines match, and the ``seq`` of the newest of them (0: none)."""

    total: int
    last_seq: int


class Reads(Protocol):
    """Everything raises ``Unavailable`` when the database is away."""

    def matcher(self, filters: str, within: tuple[str, ...] | None = None) -> Matcher:
        """Whether a row matches filters in the wire form, ``within`` namespaces; raises ``ValueError`` for bad ones."""
        ...

    def page(self, topic: ExecutionsTopic, rows: int) -> Page:
        """Up to ``rows`` rows from the page's first on, all of one moment."""
        ...

    def execution(self, execution_id: str) -> Execution | None:
        """The whole execution, all of one moment."""
        ...

    def rows(self, ids: Sequence[str]) -> dict[str, ExecutionRow]:
        """Rows by id, of those that exist."""
        ...

    def operation(self, operation_id: str) -> Operation | None:
        """A bulk operation."""
        ...

    def operations(self, page: int, size: int, actor: str | None = None) -> OperationPage:
        """A page of the bulk operations, the newest first."""
        ...

    def tail(self, topic: LogsTopic) -> Tail:
        """Where the log stands."""
        ...

    def lines_after(self, topic: LogsTopic, seq: int, limit: int) -> list[LogEntry]:
        """The first ``limit`` matching lines after ``seq``."""
        ...

    def ping(self) -> None:
        """Return when the database answers."""
        ...


class Unavailable(RuntimeError):
    """The database can't be reached."""
