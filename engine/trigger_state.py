"""What a trigger knows of itself, kept in the store."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class TriggerAction(StrEnum):
    """What somebody can do to a trigger."""

    DISABLE = "disable"
    ENABLE = "enable"
    RESTART = "restart"
    UNLOCK = "unlock"
    DELETE = "delete"
    BACKFILL_CREATE = "create-backfill"
    BACKFILL_PAUSE = "pause-backfill"
    BACKFILL_CONTINUE = "continue-backfill"
    BACKFILL_DELETE = "delete-backfill"


class Backfill(msgspec.Struct, frozen=True, omit_defaults=True):
    """Dates of a Schedule that are made up for, in order, a bounded number at a time.

    ``next_at`` is the date that is given out next, ``None`` when all are. ``running`` are ids of executions that have
    not ended. ``inputs`` and ``labels`` are added to those of the trigger.
    """

    id: str
    start: datetime
    end: datetime
    next_at: datetime | None
    inputs: dict[str, Any] = {}
    labels: dict[str, str] = {}
    paused: bool = False
    started: int = 0
    ended: int = 0
    failed: int = 0
    running: tuple[str, ...] = ()

    @property
    def progress(self) -> float:
        """From 0 to 1: how far the dates are through, as far as the executions that still run let us say so."""
        if self.next_at is None:
            return self.ended / self.started if self.started else 1.0
        whole = (self.end - self.start).total_seconds()
        return (self.next_at - self.start).total_seconds() / whole if whole > 0 else 0.0


class Met(msgspec.Struct, frozen=True, omit_defaults=True):
    """An execution that fulfils one of the things a Flow trigger waits for."""

    execution_id: str
    at: datetime
    outputs: dict[str, Any] = {}


class TriggerState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One trigger of the newest revision of a flow.

    ``next_at`` is the next date of a Schedule, ``last_at`` when it last started something, ``execution_id`` what that
    was. ``disabled``: somebody switched it off, or ``stopAfter`` did; ``why`` says so. ``rule`` is the cron and zone
    that ``next_at`` was found with. ``backfill`` was asked for; ``missed`` makes up for dates at which nothing could
    start. ``met`` is what a Flow trigger has seen in its window, ``seen`` the last events about it. ``error`` is what
    kept it from starting the last time. ``gone``: the flow has no such trigger any more.
    """

    namespace: str
    flow_id: str
    trigger_id: str
    next_at: datetime | None = None
    last_at: datetime | None = None
    execution_id: str | None = None
    disabled: bool = False
    why: str | None = None
    rule: str = ""
    backfill: Backfill | None = None
    missed: Backfill | None = None
    met: dict[str, Met] = {}
    seen: tuple[str, ...] = ()
    error: str | None = None
    evaluated_at: datetime | None = None
    updated_at: datetime | None = None
    gone: bool = False

    @property
    def key(self) -> str:
        """The id that events of this trigger carry."""
        return trigger_key(self.namespace, self.flow_id, self.trigger_id)


def trigger_key(namespace: str, flow_id: str, trigger_id: str) -> str:
    """The id that events of a trigger carry where others name an execution."""
    return f"triggers/{namespace}/{flow_id}/{trigger_id}"


def trigger_of(key: str) -> TriggerState:
    """The state of a trigger that nothing is known of yet."""
    _, namespace, flow_id, trigger_id = key.split("/", 3)
    return TriggerState(namespace, flow_id, trigger_id)
