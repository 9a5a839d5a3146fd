"""What the reducer asks to be done: values only, carried out after the commit, each harmless when done twice."""

from __future__ import annotations

from datetime import datetime

import msgspec

from streaming.messages import Event, Job, LogBatch


class Submit(msgspec.Struct, frozen=True, tag="submit", tag_field="type"):
    """Give an attempt to the workers. Given out twice, the claim lets one run.

    ``again``: another copy of it may still be on its way.
    """

    job: Job
    again: bool = False


class StopTasks(msgspec.Struct, frozen=True, tag="stop_tasks", tag_field="type"):
    """End the processes of these attempts (``attempt_id``), and of no later ones of the same task runs."""

    execution_id: str
    attempts: tuple[str, ...]


class SetTimer(msgspec.Struct, frozen=True, omit_defaults=True, tag="set_timer", tag_field="type"):
    """Append ``TimerFired(key)`` to the execution at ``due``; a timer of the same key is replaced."""

    execution_id: str
    key: str
    due: datetime
    task_run_id: str | None = None


class CancelTimer(msgspec.Struct, frozen=True, tag="cancel_timer", tag_field="type"):
    """Forget a timer."""

    execution_id: str
    key: str


class Emit(msgspec.Struct, frozen=True, tag="emit", tag_field="type"):
    """Append an event, of this or another execution. Its id is derived, so a second one is dropped."""

    event: Event


class WriteLog(msgspec.Struct, frozen=True, tag="write_log", tag_field="type"):
    """Write lines that the engine itself has to say."""

    batch: LogBatch


Effect = Submit | StopTasks | SetTimer | CancelTimer | Emit | WriteLog
