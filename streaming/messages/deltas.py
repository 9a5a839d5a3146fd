"""What a commit changed (``wf:deltas`` and ``wf:live``), and that its executor is alive."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from engine.model import Kind, TaskRun
from engine.states import Action, State


class ExecutionRow(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """An execution as lists show it. ``changed_at`` is when the newest applied event was accepted; ``schedule_date``
    when it begins, while it waits for that. ``parent_id`` is the execution that it was made by, or as a replay made
    of; ``triggered_by`` the one that triggered it, or what it was made of."""

    id: str
    version: int
    namespace: str
    flow_id: str
    revision: int
    state: State
    start_date: datetime
    changed_at: datetime
    kind: Kind = Kind.NORMAL
    end_date: datetime | None = None
    labels: dict[str, str] = {}
    trigger_id: str | None = None
    trigger_type: str | None = None
    parent_id: str | None = None
    original_id: str | None = None
    attempt_number: int = 1
    error: str | None = None
    last_task: str | None = None
    schedule_date: datetime | None = None
    triggered_by: str | None = None


class Answer(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """What became of an ActionRequested: ``refused`` says why nothing changed, ``None`` means done.

    ``made`` is the id of the execution that it makes (replay, restart with a revision).
    """

    event_id: str
    action: Action
    refused: str | None = None
    made: str | None = None


class ExecutionDelta(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """What one commit changed in one execution.

    ``before`` is the row of the commit before (``None``: it is new), so that a reader can keep counts without
    asking. ``task_runs`` are the changed ones, whole. ``history`` is the execution's whole history.
    """

    row: ExecutionRow
    before: ExecutionRow | None = None
    task_runs: tuple[TaskRun, ...] = ()
    dropped_task_runs: tuple[str, ...] = ()
    history: tuple[Any, ...] = ()
    answers: tuple[Answer, ...] = ()


class TriggerAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a TriggerRequested: ``refused`` says why nothing changed, ``None`` means done."""

    event_id: str
    refused: str | None = None


class Deltas(msgspec.Struct, gc=False, frozen=True, omit_defaults=True, tag="deltas", tag_field="type"):
    """Everything one commit of one executor changed. Its stream id in ``wf:deltas`` is the cursor.

    ``position`` is the position in ``stream`` that the commit wrote: a reader whose snapshot has this position of it
    or a later one has these changes already. ``removed`` are the last rows of executions that are no more.
    ``answers`` are those of triggers. ``operations``: bulk operations of which executions were answered. ``absent``
    are answers about executions that are not there (any more).
    """

    executor_id: str
    committed_at: datetime
    items: tuple[ExecutionDelta, ...]
    position: str = ""
    removed: tuple[ExecutionRow, ...] = ()
    answers: tuple[TriggerAnswer, ...] = ()
    stream: str = "wf:events"
    operations: tuple[str, ...] = ()
    absent: tuple[Answer, ...] = ()


class Heartbeat(msgspec.Struct, frozen=True, omit_defaults=True, tag="heartbeat", tag_field="type"):
    """Sent each second by each executor. ``lag_ms``: age of the oldest event not yet applied; ``database``: an
    error text while the store can't be reached, else ``None``; ``dead_letters``: events put aside so far;
    ``partition``: the one it works on, of ``partitions``."""

    executor_id: str
    at: datetime
    lag_ms: int = 0
    database: str | None = None
    dead_letters: int = 0
    partition: int = 0
    partitions: int = 1


Live = Deltas | Heartbeat
