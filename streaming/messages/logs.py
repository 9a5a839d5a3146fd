"""Log lines: as workers give them (``wf:logs``), as they are stored, and as they go to the pages (``wf:live:logs``)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Level = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]
LEVELS: tuple[Level, ...] = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")


class LogLine(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """One line as the worker gave it: ``number`` counts from 1 within (execution, task run, attempt)."""

    number: int
    date: datetime
    level: Level
    message: str


class LogBatch(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """Lines of one attempt, in order (``wf:logs``). ``task_run_id`` is ``None`` for lines of the execution itself."""

    execution_id: str
    namespace: str
    flow_id: str
    task_id: str | None
    task_run_id: str | None
    attempt: int
    lines: tuple[LogLine, ...]


class LogEntry(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """A stored line. ``seq`` rises in commit order over everything: it is the cursor of a log tail."""

    seq: int
    execution_id: str
    namespace: str
    flow_id: str
    task_id: str | None
    task_run_id: str | None
    attempt: int
    number: int
    date: datetime
    level: Level
    message: str


class LogsCommitted(msgspec.Struct, frozen=True):
    """Log entries that are in the store now (``wf:live:logs``), ``seq`` rising.

    ``after_seq`` is the ``seq`` of the entry committed before these: a reader that last saw another one has a gap.
    """

    entries: tuple[LogEntry, ...]
    after_seq: int = 0
