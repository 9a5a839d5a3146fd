"""Every message that crosses a process boundary: frozen, tagged, one closed union a direction.

Events go in (``wf:events``), one ``Deltas`` a commit comes out (``wf:deltas`` and ``wf:live``), log lines travel on
their own (``wf:logs`` in, ``wf:live:logs`` out). ``None`` means "not known" or "not set", never "unchanged".
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from engine.model import Folder, Kind, Renewal, TaskRun, Trigger
from engine.states import Action, State
from engine.trigger_state import Backfill, TriggerAction
from engine.upstream import Upstream

Level = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]
Id = Annotated[str, msgspec.Meta(max_length=256)]
"""An id or a name that is looked up by: what is longer fits no index, and is malformed."""
LEVELS: tuple[Level, ...] = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")


class _Event(msgspec.Struct, gc=False, frozen=True, omit_defaults=True, tag_field="type"):
    """Common to all events. ``event_id`` makes a second delivery harmless; ``at`` is when it was accepted."""

    event_id: str
    execution_id: Id
    at: datetime


class ExecutionCreated(_Event, frozen=True, omit_defaults=True, tag="execution_created"):
    """Somebody or something asked for an execution; its inputs were validated before.

    Not so when a Subflow task asks (``parent_task_run_id`` is set): the reducer validates those, and ``revision`` 0
    means the newest one, which the executor puts in before it applies the event. ``problem`` says why it can't begin:
    it is FAILED at once. ``chain`` counts the Flow triggers, one after the other, that led to it.
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


class TaskStarted(_Event, frozen=True, omit_defaults=True, tag="task_started"):
    """A worker claimed the attempt and runs it."""

    task_run_id: str
    attempt: int
    worker_id: str


class TaskEnded(_Event, frozen=True, omit_defaults=True, tag="task_ended"):
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


class WorkerLost(_Event, frozen=True, omit_defaults=True, tag="worker_lost"):
    """The worker of a claimed attempt is gone, and what it ran has been ended. ``stopped``: it was told to stop."""

    task_run_id: str
    attempt: int
    worker_id: str
    stopped: bool = False


class JobMissed(_Event, frozen=True, omit_defaults=True, tag="job_missed"):
    """A job that was given out has come to no worker, though later ones have, or none is left on the way."""

    task_run_id: str
    attempt: int


class SubflowEnded(_Event, frozen=True, omit_defaults=True, tag="subflow_ended"):
    """The execution that a Subflow task run waits for reached ``state``; RETRIED: ``successor`` takes its place."""

    task_run_id: str
    child_id: str
    state: State
    outputs: dict[str, Any] = {}
    successor: str | None = None


class TimerFired(_Event, frozen=True, omit_defaults=True, tag="timer_fired"):
    """A timer set by the reducer came due. ``key`` is the one it was set under."""

    key: str
    task_run_id: str | None = None


class ActionRequested(_Event, frozen=True, omit_defaults=True, tag="action_requested"):
    """An operator's action. The answer to it travels in the next ``ExecutionDelta.answers``.

    ``task_run_id`` names the one that is meant, where there are several (of the paused ones: ``None`` is the first).
    """

    action: Action
    actor: str
    reason: str | None = None
    inputs: dict[str, Any] = {}
    revision: int | None = None
    cascade: bool = True
    task_run_id: str | None = None


Decision = Literal["GRANTED", "QUEUED", "CANCEL", "FAIL"]


class SlotAsked(_Event, frozen=True, omit_defaults=True, tag="slot_asked"):
    """An execution wants one of its flow's slots. ``execution_id`` is the gate's (``engine.slots.gate_id``)."""

    asker: str
    attempt: int
    revision: int
    limit: int
    behavior: Literal["QUEUE", "CANCEL", "FAIL"] = "QUEUE"


class SlotFreed(_Event, frozen=True, omit_defaults=True, tag="slot_freed"):
    """An execution wants its slot, or its place in the queue, no more. ``execution_id`` is the gate's."""

    holder: str


class SlotLimited(_Event, frozen=True, omit_defaults=True, tag="slot_limited"):
    """A newer revision of the flow has another limit (``None``: no limit). ``execution_id`` is the gate's."""

    revision: int
    limit: int | None = None


class SlotDecided(_Event, frozen=True, omit_defaults=True, tag="slot_decided"):
    """What the gate says to the execution's ``attempt``: GRANTED, QUEUED, or what its flow wants when all is taken."""

    gate: str
    attempt: int
    decision: Decision
    limit: int = 0


SlotEvent = SlotAsked | SlotFreed | SlotLimited


class TriggerRequested(_Event, frozen=True, omit_defaults=True, tag="trigger_requested"):
    """Somebody's action on a trigger. ``execution_id`` is the trigger's (``engine.triggers.trigger_key``).

    ``backfill`` is what is asked for by ``BACKFILL_CREATE``.
    """

    action: TriggerAction
    actor: str
    backfill: Backfill | None = None


class TriggerCalled(_Event, frozen=True, omit_defaults=True, tag="trigger_called"):
    """A Webhook was called; ``created`` is what it starts. ``execution_id`` is the trigger's."""

    created: ExecutionCreated


class TriggerEnded(_Event, frozen=True, omit_defaults=True, tag="trigger_ended"):
    """An execution ended that the trigger wants to hear of. ``execution_id`` is the trigger's."""

    child_id: str
    state: State


class UpstreamChanged(_Event, frozen=True, omit_defaults=True, tag="upstream_changed"):
    """An execution came to a state that fulfils ``met`` of what a Flow trigger waits for. ``execution_id`` is its."""

    upstream: Upstream
    met: tuple[str, ...]


TriggerEvent = TriggerRequested | TriggerCalled | TriggerEnded | UpstreamChanged


class ExecutionReported(_Event, frozen=True, omit_defaults=True, tag="execution_reported"):
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


class TaskReported(_Event, frozen=True, omit_defaults=True, tag="task_reported"):
    """A task run of a reported execution is in ``state`` now."""

    task_run_id: Id
    task_id: str
    state: State
    error: str | None = None


class ExecutionExpired(_Event, frozen=True, omit_defaults=True, tag="execution_expired"):
    """Retention is done with an execution. It goes, unless it has not ended or ended after ``ended_before``."""

    ended_before: datetime


class Metric(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """One figure a task gave. ``type`` is counter (a number) or timer (seconds)."""

    name: str
    type: Literal["counter", "timer"]
    value: float
    tags: dict[str, str] = {}


Event = (
    ExecutionCreated
    | TaskStarted
    | TaskEnded
    | WorkerLost
    | JobMissed
    | SubflowEnded
    | TimerFired
    | ActionRequested
    | SlotAsked
    | SlotFreed
    | SlotLimited
    | SlotDecided
    | TriggerRequested
    | TriggerCalled
    | TriggerEnded
    | UpstreamChanged
    | ExecutionReported
    | TaskReported
    | ExecutionExpired
)


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


class ExecutionRow(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """An execution as lists show it. ``changed_at`` is when the newest applied event was accepted."""

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


class Answer(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """What became of an ActionRequested: ``refused`` says why nothing changed, ``None`` means done."""

    event_id: str
    action: Action
    refused: str | None = None


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
    ``answers`` are those of triggers.
    """

    executor_id: str
    committed_at: datetime
    items: tuple[ExecutionDelta, ...]
    position: str = ""
    removed: tuple[ExecutionRow, ...] = ()
    answers: tuple[TriggerAnswer, ...] = ()
    stream: str = "wf:events"


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


class LogsCommitted(msgspec.Struct, frozen=True):
    """Log entries that are in the store now (``wf:live:logs``), ``seq`` rising.

    ``after_seq`` is the ``seq`` of the entry committed before these: a reader that last saw another one has a gap.
    """

    entries: tuple[LogEntry, ...]
    after_seq: int = 0


class Kill(msgspec.Struct, frozen=True, tag="kill", tag_field="type"):
    """Told to every worker (``wf:control``): end these attempts (``attempt_id``) of this execution."""

    execution_id: str
    attempts: tuple[str, ...]


class FlowsChanged(msgspec.Struct, frozen=True, tag="flows_changed", tag_field="type"):
    """Told to executors and web processes (``wf:control``): flows were created or updated."""

    flows: tuple[tuple[str, str], ...]


class SignedOut(msgspec.Struct, frozen=True, tag="signed_out", tag_field="type"):
    """Told to every web process (``wf:control``): this login session has ended, and its live connections with it."""

    session: str


Control = Kill | FlowsChanged | SignedOut


class JobFolder(msgspec.Struct, frozen=True, omit_defaults=True):
    """The folder of a WorkingDirectory: what the task before ``left`` in it, for the first one ``files`` (name → text
    or URI). ``clear``: the task runs that left something, all of which can go when the job is done."""

    left: Folder | None = None
    files: Any = None
    clear: tuple[str, ...] = ()


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a worker needs to run one attempt: the task as written, and the values its expressions name.

    ``timeout`` is in seconds. ``context`` is the expression context, already reduced to what the task refers to.
    ``secrets`` are values that nothing may show. ``folder`` is set in a WorkingDirectory.
    """

    execution_id: str
    namespace: str
    flow_id: str
    revision: int
    task_run_id: str
    attempt: int
    task: dict[str, Any]
    context: dict[str, Any]
    timeout: float | None = None
    secrets: tuple[str, ...] = ()
    folder: JobFolder | None = None
