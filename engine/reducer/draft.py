"""One event's work on one execution: reads and changes go through a draft, which is then frozen into ``Applied``."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from enum import Enum, auto
from random import Random
from typing import Any

import immutables

from engine.effects import CancelTimer, Effect, WriteLog
from engine.expressions import forms_of, mask_tree
from engine.ids import derived_id, task_run_id
from engine.model import Execution, History, Progress, StateChange, Tally, TaskRun, Waiting, evolve
from engine.reducer.env import Applied, Env
from engine.reducer.plan import ROOT, Node, Plan
from engine.reducer.transitions import EXECUTION, EXECUTION_BY_HAND, TASK_RUN, TASK_RUN_BY_HAND, check
from engine.secrecy import secrets_of
from engine.states import TERMINAL, State
from streaming.messages import Answer, Level, LogBatch, LogLine, Metric

_ACTIVE, _RETRYING, _PAUSED, _ENDED = 0, 1, 2, 3
_COUNTED = {state: _ENDED if state in TERMINAL else _ACTIVE for state in State}
_COUNTED |= {State.RETRYING: _RETRYING, State.PAUSED: _PAUSED}
_ENGINE_LINES = 10_000_000  # line numbers from here on are the engine's, below are the worker's
_LINES_PER_EVENT = 100
TIMERS = {"retry": "retry_at", "resume": "resume_at", "timeout": "timeout_at"}
"""Kinds of timers of a task run, and the field that says when each is due."""
_TIMELESS = TERMINAL | {State.RETRYING, State.RESTARTED}


def timer_key(name: str, run: TaskRun) -> str:
    """Key of one of the ``TIMERS`` of a task run."""
    return f"{name}:{run.id}"


class Step(Enum):
    """Work that is left for later while an event is applied."""

    BEGIN = auto()
    ADVANCE = auto()


class Draft:
    """An execution while one event is applied to it.

    ``accepted_at`` is the event's moment, the only clock there is. ``at`` is the date of what it changes: the same,
    or that of the change before where the clock of its sender lags, so that no history goes back in time.
    """

    def __init__(self, execution: Execution, at: datetime, plan: Plan, env: Env, tally: Tally) -> None:
        self.execution = execution
        self.accepted_at = at
        self.at = max(at, execution.changed_at or at)
        self.plan = plan
        self.env = env
        self.state: State = execution.state
        self.history: History = execution.history
        self.error = execution.error
        self.failed_task = execution.failed_task
        self.last_task = execution.last_task
        self.effects: list[Effect] = []
        self.metrics: list[tuple[str, Metric]] = []
        self.answers: list[Answer] = []
        self.made: str | None = None  # the id of an execution that is made of this one
        self.passing: str | None = None  # the task run that begins in spite of its breakpoint
        self.runs = execution.task_runs.mutate()
        self.set_tally(tally)
        self._changed: dict[str, None] = {}
        self._dropped: dict[str, None] = {}
        self._queue: deque[tuple[Step, str]] = deque()
        self._lines: dict[tuple[str | None, str | None, int], list[LogLine]] = {}
        self._line_count = 0
        self._chance: Random | None = None

    # -- the execution

    @property
    def id(self) -> str:
        """The execution's id."""
        return self.execution.id

    @property
    def active(self) -> int:
        """Task runs that run or are about to; flowable ones don't count."""
        return self._counts[_ACTIVE]

    @property
    def retrying(self) -> int:
        """Task runs that wait for their retry."""
        return self._counts[_RETRYING]

    @property
    def paused(self) -> int:
        """Task runs that are PAUSED."""
        return self._counts[_PAUSED]

    def become(self, state: State, *, by_hand: bool = False) -> None:
        """Move the execution to ``state``; nothing happens when it is there. ``by_hand``: a person says so."""
        if state is self.state:
            return
        check(EXECUTION_BY_HAND if by_hand else EXECUTION, f"execution {self.id}", self.state, state)
        self.state = state
        self.history = (*self.history, StateChange(state, self.at))

    def set(self, **changes: Any) -> None:
        """Change other fields of the execution."""
        self.execution = evolve(self.execution, **changes)

    def note_error(self, task_id: str | None, message: str) -> None:
        """Keep the first error of the execution; one after its end is not its own."""
        if self.error is None and self.state not in TERMINAL:
            self.error, self.failed_task = self.hide(message), task_id

    def hide(self, value: Any) -> Any:
        """A text or nested value as it may be shown: without secrets."""
        secrets = secrets_of(self.execution)
        forms = (*forms_of(secrets), *self.env.secrets) if secrets else self.env.secrets
        return mask_tree(value, forms) if forms else value

    # -- task runs

    def run_id(
        self,
        node: Node,
        parent_id: str | None,
        value: str | None,
        number: int | None = None,
        iteration: int | None = None,
    ) -> str:
        """Id of a task run. In an errors, finally or after-execution list each attempt of the execution has its own,
        in a LoopUntil each round."""
        number = number or self.execution.attempt_number
        if node.repeats:
            return derived_id(self.id, parent_id, node.id, value, "round", iteration or 0)
        if node.side and number > 1:
            return derived_id(self.id, parent_id, node.id, value, number)
        return task_run_id(self.id, parent_id, node.id, value)

    def node(self, run: TaskRun) -> Node:
        """The place of a task run in the flow."""
        return self.plan.nodes[run.task_id]

    def add(self, run: TaskRun) -> None:
        """A new task run."""
        if not self.plan.nodes[run.task_id].container:
            self._counts[_COUNTED[run.state]] += 1
        self.put(run)

    def put(self, run: TaskRun) -> None:
        """Replace a task run by one in the same state."""
        if run.error is not None:
            run = self._without_secrets(run)
        self.runs[run.id] = run
        self._changed[run.id] = None
        self.last_task = run.task_id

    def _without_secrets(self, run: TaskRun) -> TaskRun:
        error = self.hide(run.error)
        if error == run.error:
            return run
        attempts = tuple(evolve(one, error=self.hide(one.error)) for one in run.attempts)
        return evolve(run, error=error, attempts=attempts)

    def move(self, run: TaskRun, state: State, *, by_hand: bool = False, **changes: Any) -> TaskRun:
        """Move a task run to ``state`` and change other fields of it; the changed one. ``by_hand``: a person says so.

        Where it waits for nothing any more, its timers are forgotten.
        """
        check(TASK_RUN_BY_HAND if by_hand else TASK_RUN, f"task run {run.id} of {run.task_id}", run.state, state)
        if state in _TIMELESS:
            for name, field in TIMERS.items():
                if getattr(run, field) is not None and changes.setdefault(field, None) is None:
                    self.effect(CancelTimer(self.id, timer_key(name, run)))
        if not self.plan.nodes[run.task_id].container:
            self._counts[_COUNTED[run.state]] -= 1
            self._counts[_COUNTED[state]] += 1
        moved = evolve(run, state=state, history=(*run.history, StateChange(state, self.at)), **changes)
        self.put(moved)
        return moved

    def drop(self, run: TaskRun) -> None:
        """Forget a task run."""
        if not self.plan.nodes[run.task_id].container:
            self._counts[_COUNTED[run.state]] -= 1
        del self.runs[run.id]
        self._changed.pop(run.id, None)
        self._dropped[run.id] = None
        self.set_progress(run.id, None)

    def snapshot(self) -> immutables.Map[str, TaskRun]:
        """All task runs as they are now."""
        runs = self.runs.finish()
        self.runs = runs.mutate()
        return runs

    def set_tally(self, tally: Tally) -> None:
        """Replace all counts."""
        self._progress = tally.progress.mutate()
        self._waiting = tally.waiting.mutate()
        self._counts = [tally.active, tally.retrying, tally.paused, 0]

    # -- containers

    def progress(self, container_id: str) -> Progress | None:
        """How far a container is, ``None`` when it is not open. ``ROOT`` is the flow itself."""
        return self._progress.get(container_id)

    def set_progress(self, container_id: str, progress: Progress | None) -> None:
        """Keep how far a container is, ``None`` when it has ended. Its task run is not touched by this."""
        if progress is None:
            self._progress.pop(container_id, None)
            self._waiting.pop(container_id, None)
        else:
            self._progress[container_id] = progress

    def waiting(self, container_id: str) -> Waiting | None:
        """What doesn't run yet in a Dag, ``None`` when that is not open."""
        return self._waiting.get(container_id)

    def set_waiting(self, container_id: str, waiting: Waiting | None) -> None:
        """Keep what doesn't run yet in a Dag, ``None`` when nothing starts in it any more."""
        if waiting is None:
            self._waiting.pop(container_id, None)
        else:
            self._waiting[container_id] = waiting

    def container_node(self, container_id: str) -> Node:
        """The place of a container."""
        return self.plan.root if container_id == ROOT else self.plan.nodes[self.runs[container_id].task_id]

    def open_containers(self) -> list[str]:
        """Ids of the flowable task runs that are open."""
        progress = self._progress.finish()
        self._progress = progress.mutate()
        return [container_id for container_id in progress if container_id != ROOT]

    # -- work to do: in turn, never nested, however long a flow is

    def begin_later(self, run_id: str) -> None:
        """Begin a task run after what is being done."""
        self._queue.append((Step.BEGIN, run_id))

    def advance_later(self, container_id: str) -> None:
        """Look what a container has to do next, after what is being done."""
        self._queue.append((Step.ADVANCE, container_id))

    def next_step(self) -> tuple[Step, str] | None:
        """The next thing left for later, ``None`` when all is done."""
        return self._queue.popleft() if self._queue else None

    def chance(self) -> Random:
        """What expressions draw from: the same again when the event is applied again."""
        if self._chance is None:
            self._chance = Random(f"{self.id} {self.execution.version}")
        return self._chance

    # -- what goes out

    def effect(self, effect: Effect) -> None:
        """Ask for something to be done after the commit."""
        self.effects.append(effect)

    def log(self, run: TaskRun | None, level: Level, message: str) -> None:
        """Write a line of the engine's own, of a task run or of the execution."""
        number = _ENGINE_LINES + self.execution.version * _LINES_PER_EVENT + min(self._line_count, _LINES_PER_EVENT - 1)
        self._line_count += 1
        where = (run.task_id, run.id, max(1, len(run.attempts))) if run else (None, None, self.execution.attempt_number)
        self._lines.setdefault(where, []).append(LogLine(number, self.at, level, self.hide(message)))

    def applied(self) -> Applied:
        """Freeze: the execution one version on, and everything that goes with it."""
        execution = evolve(
            self.execution,
            state=self.state,
            history=self.history,
            version=self.execution.version + 1,
            changed_at=self.at,
            error=self.error,
            failed_task=self.failed_task,
            last_task=self.last_task,
            task_runs=self.runs.finish(),
            progress=self._progress.get(ROOT),
            tally=Tally(self._progress.finish(), *self._counts[:3], self._waiting.finish()),
        )
        return Applied(
            execution,
            tuple(self._changed),
            tuple(self._dropped),
            (*self.effects, *self._log_effects()),
            tuple(self.metrics),
            tuple(self.answers),
        )

    def _log_effects(self) -> list[Effect]:
        key = (self.id, self.execution.namespace, self.execution.flow_id)
        return [WriteLog(LogBatch(*key, *where, tuple(lines))) for where, lines in self._lines.items()]
