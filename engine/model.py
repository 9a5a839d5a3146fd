"""What an execution is: frozen records, values in and values out.

Times are aware UTC datetimes, durations seconds. Records are never changed: ``evolve`` gives a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import immutables
import msgspec

from engine.ids import attempt_id
from engine.states import TERMINAL, State

T = TypeVar("T", bound=msgspec.Struct)
SYSTEM_PREFIX = "system."
"""Labels whose keys begin so are set by Watchfloor alone."""
SUBFLOW_TASK = "io.kestra.plugin.core.flow.Subflow"
FLOW_TRIGGER = "io.kestra.plugin.core.trigger.Flow"
_BY_EXECUTIONS = frozenset({SUBFLOW_TASK, FLOW_TRIGGER})


def own_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Those that people, flows and tasks may set: without Watchfloor's own."""
    return {key: value for key, value in labels.items() if not key.startswith(SYSTEM_PREFIX)}


def evolve(record: T, **changes: Any) -> T:
    """A copy of ``record`` with ``changes``."""
    return msgspec.structs.replace(record, **changes)


class Kind(StrEnum):
    """What an execution is for. TEST and PLAYGROUND ones run like others, but no Flow trigger hears of them. SYNTHETIC
    ones are made by ``watchfloor load`` and ``seed`` and run nothing."""

    NORMAL = "NORMAL"
    TEST = "TEST"
    PLAYGROUND = "PLAYGROUND"
    SYNTHETIC = "SYNTHETIC"


class Branch(StrEnum):
    """Which list of its parent a task run belongs to."""

    TASKS = "TASKS"
    ERRORS = "ERRORS"
    FINALLY = "FINALLY"
    AFTER_EXECUTION = "AFTER_EXECUTION"


class StateChange(msgspec.Struct, gc=False, frozen=True, array_like=True):
    """One line of a status history."""

    state: State
    date: datetime


History = tuple[StateChange, ...]


class Attempt(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """One try of a task run. ``number`` counts from 1; ``error`` is the first error line."""

    number: int
    state: State
    history: History = ()
    worker_id: str | None = None
    error: str | None = None


class Progress(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """How far a flowable task run is, kept up to date child by child so that no event costs more than O(1).

    ``total`` children (or groups, in a ForEach) of its ``branch`` are known, ``started`` of them were given out,
    ``ended`` are terminal; ``verdict`` is the highest-priority state among the ended ones. ``values`` are a ForEach's
    values. In a stored task run the counts are those of the last change of branch: readers count the children.

    ``iteration`` is the round of a LoopUntil (from 0, the others are over), ``first`` the one from which its limit
    counts. ``cut``: it ends so, whatever its children do. ``stopped``: nothing starts in this branch any more.
    """

    total: int
    started: int = 0
    ended: int = 0
    verdict: State = State.SUCCESS
    values: tuple[str, ...] = ()
    branch: str = ""
    handling_errors: bool = False
    iteration: int = 0
    first: int = 0
    cut: State | None = None
    stopped: bool = False


class Folder(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a task of a WorkingDirectory left in the folder: an archive in the file storage, the ``worker`` it ran on,
    and the archive ``before``, from which it began (``None``: it was the first)."""

    uri: str
    worker: str | None = None
    before: str | None = None


class Waiting(msgspec.Struct, gc=False, frozen=True):
    """Which tasks of an open Dag don't run yet, by their place in it: ``ready`` ones, in order, may start at once;
    ``left`` says of the others how many tasks must still end well before."""

    ready: tuple[int, ...]
    left: immutables.Map[int, int]


class TaskRun(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """One task within one execution (within one value of its ForEach, one round of its LoopUntil).

    ``id`` is derived from (execution id, parent id, task id, value or round), so applying an event twice makes the
    same one. ``value`` is the ForEach value it runs for, ``iteration`` its index, in a LoopUntil the round.
    ``retry_at``, ``resume_at`` and ``timeout_at`` are the moments its timers are set for. ``folder``: see ``Folder``.
    """

    id: str
    task_id: str
    state: State
    history: History
    parent_id: str | None = None
    value: str | None = None
    iteration: int | None = None
    branch: Branch = Branch.TASKS
    attempts: tuple[Attempt, ...] = ()
    outputs: dict[str, Any] = {}
    error: str | None = None
    progress: Progress | None = None
    retry_at: datetime | None = None
    resume_at: datetime | None = None
    subflow_execution_id: str | None = None
    timeout_at: datetime | None = None
    folder: Folder | None = None

    @property
    def last_attempt_id(self) -> str:
        """Name of its newest attempt, of which there must be one."""
        return attempt_id(self.id, self.attempts[-1].number)


class Trigger(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """What started an execution. ``type`` is the trigger's type, or ``manual``; ``variables`` go into expressions.

    ``notify``: the trigger wants to hear how it ends.
    """

    id: str
    type: str
    variables: dict[str, Any] = {}
    notify: bool = False

    @property
    def execution_id(self) -> str | None:
        """The execution that triggered, by a Subflow task or a Flow trigger; others may have such a variable too."""
        return self.variables.get("executionId") if self.type in _BY_EXECUTIONS else None


class Renewal(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """That an execution is a retry of the one before it: for which task, which try it is (the first execution counts),
    and when the first one began."""

    task_id: str
    tries: int
    since: datetime


class Tally(msgspec.Struct, gc=False, frozen=True):
    """Counts the reducer keeps so that an event costs the same however wide a flow is. Never stored, never sent:
    ``None`` on an execution means "count again from the task runs".

    ``progress`` maps the id of each open flowable task run (``""``: the flow itself) to its progress, ``waiting`` that
    of each open Dag to what waits in it. The others count task runs that run (or wait to), wait for a retry, are
    paused.
    """

    progress: immutables.Map[str, Progress] = immutables.Map()
    active: int = 0
    retrying: int = 0
    paused: int = 0
    waiting: immutables.Map[str, Waiting] = immutables.Map()


class Hidden(msgspec.Struct, gc=False, frozen=True, omit_defaults=True):
    """Values of an execution that nothing shows: of inputs by their ids, of variables by their names, of outputs by
    task run and by the path in them, with dots. ``engine.secrecy`` says what goes here."""

    inputs: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    outputs: dict[str, dict[str, Any]] = {}


NOTHING_HIDDEN = Hidden()


class Execution(msgspec.Struct, gc=False, frozen=True):
    """One run of one revision of a flow.

    ``version`` is +1 per applied event: a reader never replaces a higher one by a lower one. ``task_runs`` maps
    task-run id to TaskRun; ``error`` is the first error line of the first failed attempt; ``last_task`` the task
    that changed last; ``changed_at`` when the newest applied event was accepted. ``paused_by_hand`` is true
    between a pause action and its resume. ``failed_task`` is the task that ``error`` comes from; ``recent_actions``
    are event ids of the actions applied last. ``slot`` is the gate it asked for a slot, until that is given back.
    ``renewal`` is set where it is a retry of another execution.
    ``chain`` counts the Flow triggers, one after the other, that led to it.
    ``breached`` are the SLAs it has broken, ``ending`` is the state that one of them ends it in while it is KILLING.
    ``hidden`` are the values behind the ``******`` in its inputs, variables and outputs.
    ``goes_on_from`` is the container whose tasks go on once it begins again, because a task run was changed by hand.
    ``deletion``: it is removed once it has ended, and of logs, metrics and files what is named here.
    ``breakpoints`` (``task`` or ``task.value``) are where it stops, ``stopped_at`` is the task run before which it has.
    ``schedule_date``: it was asked to begin then, not at once.
    """

    id: str
    namespace: str
    flow_id: str
    revision: int
    state: State
    history: History
    version: int = 0
    changed_at: datetime | None = None
    kind: Kind = Kind.NORMAL
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    labels: dict[str, str] = {}
    trigger: Trigger | None = None
    parent_id: str | None = None
    parent_task_run_id: str | None = None
    original_id: str | None = None
    attempt_number: int = 1
    error: str | None = None
    last_task: str | None = None
    paused_by_hand: bool = False
    task_runs: immutables.Map[str, TaskRun] = immutables.Map()
    progress: Progress | None = None
    failed_task: str | None = None
    recent_actions: tuple[str, ...] = ()
    tally: Tally | None = None
    slot: str | None = None
    renewal: Renewal | None = None
    breached: tuple[str, ...] = ()
    ending: State | None = None
    chain: int = 0
    hidden: Hidden = NOTHING_HIDDEN
    goes_on_from: str | None = None
    deletion: tuple[str, ...] | None = None
    breakpoints: tuple[str, ...] = ()
    stopped_at: str | None = None
    schedule_date: datetime | None = None

    @property
    def held(self) -> bool:
        """Whether nothing new begins: it is paused by hand, or stopped at a breakpoint."""
        return self.paused_by_hand or self.stopped_at is not None

    @property
    def start_date(self) -> datetime:
        """Date of the first history line."""
        return self.history[0].date

    @property
    def end_date(self) -> datetime | None:
        """Date of the last history line when terminal or PAUSED, else ``None``."""
        if self.state in TERMINAL or self.state is State.PAUSED:
            return self.history[-1].date
        return None
