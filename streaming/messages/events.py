"""What happens to an execution, and what is asked of it (``wf:events``)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from engine.model import Folder, Kind, Renewal, TaskRun, Trigger
from engine.states import Action, State

Id = Annotated[str, msgspec.Meta(max_length=256)]
"""An id or a name that is looked up by: what is longer fits no index, and is malformed."""
Removable = Literal["logs", "metrics", "files"]
"""What belongs to an execution and may outlive its row."""


class Accepted(msgspec.Struct, gc=False, frozen=True, omit_defaults=True, tag_field="type"):
    """Common to all events. ``event_id`` makes a second delivery harmless; ``at`` is when it was accepted."""

    event_id: str
    execution_id: Id
    at: datetime


class Copied(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """What a new execution takes over from the one that it is made of: its task runs, with their ids there.

    What ended well stays, everything else runs again; so does ``target`` (a task run), and what comes after it.
    ``hidden`` are values of their outputs that nothing shows (``Hidden.outputs``).
    """

    runs: tuple[TaskRun, ...]
    target: str | None = None
    hidden: dict[str, dict[str, Any]] = {}


class ExecutionCreated(Accepted, frozen=True, omit_defaults=True, tag="execution_created"):
    """Somebody or something asked for an execution; its inputs were validated before.

    Not so when a Subflow task asks (``parent_task_run_id`` is set): the reducer validates those, and ``revision`` 0
    means the newest one, which the executor puts in before it applies the event. ``problem`` says why it can't begin:
    it is FAILED at once. ``chain`` counts the Flow triggers, one after the other, that led to it. It stops at
    ``breakpoints``. ``copied`` is set where it is made of another one and doesn't begin at the start. ``unchecked``:
    its inputs were not validated before, like those of a Subflow task. It begins at ``schedule_date``, if that is
    still to come.
    """

    namespace: Id
    flow_id: Id
    revision: int
    inputs: dict[str, Any] = {}
    labels: dict[str, str] = {}
    trigger: Trigger | None = None
    parent_id: Id | None = None
    parent_task_run_id: str | None = None
    original_id: str | None = None
    actor: str | None = None
    attempt_number: int = 1
    renewal: Renewal | None = None
    problem: str | None = None
    chain: int = 0
    breakpoints: tuple[str, ...] = ()
    copied: Copied | None = None
    unchecked: bool = False
    kind: Kind = Kind.NORMAL
    schedule_date: datetime | None = None


class TaskStarted(Accepted, frozen=True, omit_defaults=True, tag="task_started"):
    """A worker claimed the attempt and runs it."""

    task_run_id: str
    attempt: int
    worker_id: str


class TaskEnded(Accepted, frozen=True, omit_defaults=True, tag="task_ended"):
    """An attempt ended. ``state`` is SUCCESS, WARNING, FAILED or KILLED; ``error`` is its first error line.

    ``labels`` are set on the execution. ``folder``: what it left in the folder of its WorkingDirectory.
    """

    task_run_id: str
    attempt: int
    state: State
    outputs: dict[str, Any] = {}
    metrics: tuple[Metric, ...] = ()
    error: str | None = None
    worker_id: str | None = None
    labels: dict[str, str] = {}
    folder: Folder | None = None


class WorkerLost(Accepted, frozen=True, omit_defaults=True, tag="worker_lost"):
    """The worker of a claimed attempt is gone, and what it ran has been ended. ``stopped``: it was told to stop."""

    task_run_id: str
    attempt: int
    worker_id: str
    stopped: bool = False


class JobMissed(Accepted, frozen=True, omit_defaults=True, tag="job_missed"):
    """A job that was given out has come to no worker, though later ones have, or none is left on the way."""

    task_run_id: str
    attempt: int


class SubflowEnded(Accepted, frozen=True, omit_defaults=True, tag="subflow_ended"):
    """The execution that a Subflow task run waits for reached ``state``; RETRIED: ``successor`` takes its place."""

    task_run_id: str
    child_id: str
    state: State
    outputs: dict[str, Any] = {}
    successor: str | None = None


class TimerFired(Accepted, frozen=True, omit_defaults=True, tag="timer_fired"):
    """A timer set by the reducer came due. ``key`` is the one it was set under."""

    key: str
    task_run_id: str | None = None


class ActionDetails(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """What an action may need to know besides which one it is.

    ``inputs``: of the execution that a replay makes (empty: those of the source), or what a Pause task asks for.
    ``revision``: restart and replay run this one. ``cascade``: a kill takes the subflows along.
    ``task_run_id`` names the one that is meant, where there are several (of the paused ones: ``None`` is the first),
    or the one from which a replay begins. ``state``: the target of change-status, change-state and unqueue.
    ``labels`` take the place of all labels that people set. ``breakpoints``: ``task`` or ``task.value``, before which
    the execution stops. ``new_id``: of the execution that a replay or a restart with another revision makes, chosen
    by who asks. ``removes``: what a delete takes along. ``include_non_terminated``: delete kills what still runs
    first. ``operation``: the bulk operation that it is a part of.
    """

    inputs: dict[str, Any] = {}
    revision: int | None = None
    cascade: bool = True
    task_run_id: str | None = None
    state: State | None = None
    labels: dict[str, str] | None = None
    breakpoints: tuple[str, ...] = ()
    new_id: Id | None = None
    removes: tuple[Removable, ...] = ()
    include_non_terminated: bool = False
    operation: str | None = None


class ActionRequested(Accepted, frozen=True, omit_defaults=True, tag="action_requested"):
    """An operator's action. The answer to it travels in the next ``ExecutionDelta.answers``.

    From ``inputs`` on the fields are those of ``ActionDetails``, which says what they mean.
    """

    action: Action
    actor: str
    reason: str | None = None
    inputs: dict[str, Any] = {}
    revision: int | None = None
    cascade: bool = True
    task_run_id: str | None = None
    state: State | None = None
    labels: dict[str, str] | None = None
    breakpoints: tuple[str, ...] = ()
    new_id: Id | None = None
    removes: tuple[Removable, ...] = ()
    include_non_terminated: bool = False
    operation: str | None = None


class ExecutionReported(Accepted, frozen=True, omit_defaults=True, tag="execution_reported"):
    """A run that something else executes (a synthetic load, a foreign orchestrator) is in ``state`` now.

    The first report of an id creates it. Reports trigger no effects; an older one than what is known is dropped.
    """

    namespace: Id
    flow_id: Id
    state: State
    kind: Kind
    revision: int = 1
    labels: dict[str, str] = {}
    inputs: dict[str, Any] = {}
    error: str | None = None


class TaskReported(Accepted, frozen=True, omit_defaults=True, tag="task_reported"):
    """A task run of a reported execution is in ``state`` now."""

    task_run_id: Id
    task_id: str
    state: State
    error: str | None = None


class ExecutionExpired(Accepted, frozen=True, omit_defaults=True, tag="execution_expired"):
    """Retention is done with an execution. It goes, unless it has not ended or ended after ``ended_before``."""

    ended_before: datetime


class Metric(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """One figure a task gave. ``type`` is counter (a number) or timer (seconds)."""

    name: str
    type: Literal["counter", "timer"]
    value: float
    tags: dict[str, str] = {}
