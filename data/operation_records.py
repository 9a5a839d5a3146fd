"""Bulk operations as they come out of the store."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from engine.states import State


class OperationState(StrEnum):
    """Where an operation stands. PREPARING: its executions are still being written down, nothing is done yet."""

    PREPARING = "PREPARING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    DONE = "DONE"


UNFINISHED = (OperationState.PREPARING, OperationState.RUNNING, OperationState.STOPPING)


class Result(StrEnum):
    """What became of one execution of an operation. PENDING, SENT and STOPPED: nothing yet, and why not."""

    PENDING = "pending"
    SENT = "sent"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    STOPPED = "stopped"


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """An action on many executions.

    ``details`` are those of the action. ``selection`` says what was chosen: ``{"filters": wire form}``, or
    ``{"ids": how many}``. ``sent`` counts those the executor was told of, ``done``, ``refused`` and ``unknown`` those
    it has answered. ``retry_of``: the operation of which this one tries again what failed.
    """

    id: str
    action: str
    actor: str
    origin: str
    state: OperationState
    total: int
    created_at: datetime
    details: dict[str, Any] = {}
    selection: dict[str, Any] = {}
    reason: str | None = None
    retry_of: str | None = None
    sent: int = 0
    done: int = 0
    refused: int = 0
    unknown: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def answered(self) -> int:
        """How many have a result."""
        return self.done + self.refused + self.unknown

    @property
    def left(self) -> int:
        """How many have none yet, or never will when it was stopped."""
        return self.total - self.answered


class OperationItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One execution of an operation; ``position`` counts from 1, ``why`` says why it was refused."""

    execution_id: str
    position: int
    result: Result
    why: str | None = None


class Answered(msgspec.Struct, frozen=True):
    """What the executor made of one execution of an operation: written in the commit that changes it."""

    operation: str
    execution_id: str
    result: Result
    why: str | None = None


class Chosen(NamedTuple):
    """An execution that a selection names, as it is at that moment."""

    id: str
    namespace: str
    state: State


class Given(NamedTuple):
    """An execution as an operation begins with it: what has a ``result`` is not asked for; ``why`` is a refusal's."""

    execution_id: str
    result: Result | None = None
    why: str | None = None
