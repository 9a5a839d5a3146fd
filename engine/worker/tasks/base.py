"""What a task function gets and gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine.model import Folder
from engine.states import State
from engine.worker.control import JobControl
from engine.worker.hiding import Hider
from engine.worker.limits import Limits
from engine.worker.lines import Lines
from engine.worker.records import Records
from streaming.messages import Job, Metric


class TaskFailed(Exception):
    """The attempt failed; the message is its error line. ``outputs`` and ``metrics`` are what it gave before."""

    def __init__(self, message: str, outputs: dict[str, Any] | None = None, metrics: tuple[Metric, ...] = ()) -> None:
        super().__init__(message)
        self.outputs = outputs or {}
        self.metrics = metrics


class Running(msgspec.Struct, frozen=True):
    """One attempt while it runs. ``properties`` are rendered; ``may_read`` is false while too much waits to be sent.

    ``worker`` is the one it runs on (``engine.worker.identity``), ``left`` gets what it leaves in the folder of its
    WorkingDirectory. ``hider`` is told of secrets that its outputs and lines must not show.
    """

    job: Job
    properties: dict[str, Any]
    lines: Lines
    control: JobControl
    limits: Limits
    may_read: Callable[[], bool]
    files_url: str
    hider: Hider
    records: Records
    worker: str = ""
    left: list[Folder] = msgspec.field(default_factory=list)


class Result(msgspec.Struct, frozen=True):
    """How an attempt ended well. ``labels`` are set on its execution."""

    outputs: dict[str, Any] = {}
    metrics: tuple[Metric, ...] = ()
    state: State = State.SUCCESS
    labels: dict[str, str] = {}


class TaskKind(msgspec.Struct, frozen=True):
    """A task type: which of its properties hold expressions, and what it does."""

    properties: tuple[str, ...]
    run: Callable[[Running], Result]
