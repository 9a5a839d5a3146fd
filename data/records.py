"""What goes into the store and comes out of it, beside the records of ``engine.model`` and ``streaming.messages``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from data.filters import Filters
from data.operation_records import Answered
from engine.effects import SetTimer
from engine.model import Execution, TaskRun
from engine.slots import Gate
from engine.states import State
from engine.trigger_state import TriggerState
from streaming.messages import ExecutionRow, Level, LogEntry, Metric

Timer = SetTimer
DEFAULT_SORT = "startDate:desc"


class SomeTimer(Protocol):
    """Anything that names a timer."""

    execution_id: str
    key: str
    due: datetime
    task_run_id: str | None


class ConcurrencyUse(msgspec.Struct, frozen=True):
    """How many executions of a flow hold a slot or wait for one. ``limit`` ``None``: it has no limit any more."""

    namespace: str
    flow_id: str
    limit: int | None
    running: int
    queued: int


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one batch of events changes, written in one transaction.

    ``stream`` was read from ``after`` (``None``: whatever the store says) up to ``position``. ``removed`` go before
    the others are written; ``keeps`` says by their ids what stays of them (logs, metrics, files). ``task_runs`` and
    ``metrics`` name the execution (metrics also the task run) they belong to; ``dropped`` are (execution id, task-run
    id). ``timers_cancelled`` are (execution id, key): a key may be in
    one of the two timer lists. ``outbox`` is stored and its id returned; ``outbox_done`` are the rows carried out
    since the last commit. ``gates`` are the changed ones, ``slots`` by their ids the executions whose slot is
    another now. ``partitions``: how many the writer takes there to be (``None``: whatever the store says).
    ``answered``: what became of executions of bulk operations; ``audited``: what the audit is to say of it all.
    """

    stream: str
    position: str
    after: str | None = None
    executions: Sequence[Execution] = ()
    removed: Sequence[Execution] = ()
    keeps: Mapping[str, tuple[str, ...]] = {}
    task_runs: Sequence[tuple[str, TaskRun]] = ()
    dropped: Sequence[tuple[str, str]] = ()
    metrics: Sequence[tuple[str, str, Metric]] = ()
    timers_set: Sequence[Any] = ()
    timers_cancelled: Sequence[tuple[str, str]] = ()
    triggers: Sequence[TriggerState] = ()
    outbox: bytes | None = None
    outbox_done: Sequence[int] = ()
    gates: Sequence[Gate] = ()
    slots: Mapping[str, Any] = {}
    partitions: int | None = None
    answered: Sequence[Answered] = ()
    audited: Sequence[Audited] = ()


class OutboxRow(msgspec.Struct, frozen=True):
    """What a commit left to be carried out."""

    id: int
    payload: bytes


class MetricRow(msgspec.Struct, frozen=True):
    """A stored metric."""

    execution_id: str
    task_run_id: str
    task_id: str
    attempt: int
    name: str
    type: str
    value: float
    tags: dict[str, str]
    date: datetime


class StoredFlow(msgspec.Struct, frozen=True):
    """One revision of a flow, ``source`` as it was written. ``deleted``: it says that the flow was deleted then."""

    namespace: str
    id: str
    revision: int
    source: str
    updated_at: datetime
    disabled: bool = False
    description: str | None = None
    labels: dict[str, str] = {}
    deleted: bool = False


class FlowProblem(msgspec.Struct, frozen=True):
    """A flow file that can't be used. ``violations`` have line, column, path, message."""

    file: str
    violations: tuple[Any, ...]
    seen_at: datetime | None = None


class KeyValue(msgspec.Struct, frozen=True):
    """A value of a namespace's store. ``type`` is STRING, NUMBER, BOOLEAN, DATETIME, DATE, DURATION or JSON."""

    namespace: str
    key: str
    type: str
    value: Any
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    description: str | None = None


class ExecutionQuery(msgspec.Struct, frozen=True):
    """A page of a list: pages count from 1, ``sort`` is ``field:asc`` or ``field:desc``, ``now`` the moment of it."""

    filters: Filters = Filters()
    sort: str = DEFAULT_SORT
    page: int = 1
    size: int = 25
    now: datetime | None = None


class ExecutionPage(msgspec.Struct, frozen=True):
    """One page of a list: its rows, how many match in all, and how many of those are in each state.

    ``positions`` are, by stream of events, those of the last commits that all of this is read after, at that moment.
    """

    rows: list[ExecutionRow]
    total: int
    counts: dict[State, int]
    positions: dict[str, str] = {}


class Neighbours(msgspec.Struct, frozen=True):
    """The ids of the executions beside one, in its flow or in a list; ``None`` where there is none."""

    previous: str | None = None
    next: str | None = None


class Usual(msgspec.Struct, frozen=True):
    """How long something usually takes, in seconds, over ``n`` good runs."""

    n: int
    p50: float
    p95: float


class UsualDurations(msgspec.Struct, frozen=True):
    """Usual duration of a flow's executions (``None``: no good run yet) and of each of its tasks."""

    execution: Usual | None = None
    tasks: dict[str, Usual] = {}


class LogQuery(msgspec.Struct, frozen=True):
    """Which lines of an execution, in which order.

    ``time`` is the order of arrival; ``task`` keeps the lines of a task run together, task runs by their first line.
    ``min_level`` and ``max_level`` include it; ``q`` is a text that the message contains (letter case ignored).
    """

    execution_id: str
    min_level: Level = "TRACE"
    task_id: str | None = None
    task_run_id: str | None = None
    attempt: int | None = None
    q: str | None = None
    order: Literal["time", "task"] = "time"
    max_level: Level = "ERROR"


class LogTail(NamedTuple):
    """How many lines match, and the ``seq`` of the newest of them (0: none)."""

    total: int
    last_seq: int


class LogWindow(NamedTuple):
    """How many lines match in all, and some of them in order."""

    total: int
    entries: list[LogEntry]


class LogHits(NamedTuple):
    """How many lines have the text, and the places of the first of them in the query's order, counted from 0."""

    total: int
    indexes: list[int]


class LogGroup(msgspec.Struct, frozen=True):
    """The lines of a task run (``None``: of the execution itself): how many match, how many of them are errors.

    ``last_seq`` is the newest line counted, whatever its level: what came later comes by the tail.
    """

    task_run_id: str | None
    task_id: str | None
    total: int
    errors: int
    last_seq: int


class User(msgspec.Struct, frozen=True):
    """Somebody who may sign in. ``role`` is viewer, operator, admin or none, ``grants`` are roles by namespace.

    ``source``: how it signs in, ``password`` or ``oidc``.
    """

    name: str
    role: str
    grants: dict[str, str] = {}
    disabled: bool = False
    source: str = "password"


class LoginSession(msgspec.Struct, frozen=True):
    """A session of somebody who signed in; ``device`` is what the browser calls itself."""

    id: str
    user: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str | None = None
    device: str | None = None


class ApiToken(msgspec.Struct, frozen=True):
    """An API token of a user, with no more than its role in its ``namespaces`` (``None``: all)."""

    id: str
    name: str
    user: str
    role: str
    namespaces: tuple[str, ...] | None
    created_at: datetime
    hint: str
    expires_at: datetime | None = None
    used_at: datetime | None = None


class Audited(msgspec.Struct, frozen=True):
    """A row of the audit that a commit writes: who did what to what, from where, why."""

    actor: str
    action: str
    target: str
    origin: str
    reason: str | None = None
    before: Any = None
    after: Any = None


class AuditRow(msgspec.Struct, frozen=True):
    """Who did what to what, when, why, from where, and by which API token when it was one: its name and id."""

    seq: int
    at: datetime
    actor: str
    action: str
    target: str
    origin: str
    reason: str | None = None
    before: Any = None
    after: Any = None
    address: str | None = None
    token: str | None = None
