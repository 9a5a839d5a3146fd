"""What a run of events changes: collected event by event, written in one commit, announced afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from data.operation_records import Answered, Result
from data.records import Audited
from engine.effects import CancelTimer, Effect, Emit, SetTimer
from engine.model import Execution
from engine.reducer import Applied
from engine.slots import Gate, Turn
from engine.trigger_state import TriggerState
from streaming import codec, keys
from streaming.audited import outcome
from streaming.executor.timers import Due
from streaming.messages import (
    ActionRequested,
    Answer,
    Deltas,
    Event,
    ExecutionDelta,
    Metric,
    TimerFired,
    TriggerAnswer,
    TriggerEvent,
    TriggerRequested,
)
from streaming.rows import row_of


class Outbox(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is still to be done after a commit: encoded ``Deltas`` to publish, then effects to carry out."""

    deltas: bytes
    effects: tuple[Effect, ...] = ()


decode_outbox = codec.Decoder(Outbox, "an outbox")


class Batch:
    """The changes of one commit, over the executions as they are ``stored``."""

    def __init__(self, stored: Mapping[str, Execution]) -> None:
        self._stored = stored
        self.gates: dict[str, Gate] = {}
        self.slots: dict[str, dict[str, None]] = {}
        self.triggers: dict[str, TriggerState] = {}
        self.again: set[str] = set()
        self._said: list[TriggerAnswer] = []
        self._current = dict(stored)
        self._task_runs: dict[str, dict[str, None]] = {}
        self._dropped: dict[str, dict[str, None]] = {}
        self._answers: dict[str, list[Answer]] = {}
        self._timers: dict[tuple[str, str], Due | None] = {}
        self._removed: dict[str, Execution] = {}
        self._absent: list[Answer] = []
        self.keeps: dict[str, tuple[str, ...]] = {}
        self.effects: list[Effect] = []
        self.answered: list[Answered] = []
        self.audited: list[Audited] = []
        self.metrics: list[tuple[str, str, Metric]] = []

    def current(self, execution_id: str) -> Execution | None:
        """The execution with everything of this batch applied."""
        return self._current.get(execution_id)

    def add(self, event: Event, applied: Applied) -> None:
        """Take over what applying ``event`` gave."""
        execution_id = event.execution_id
        if isinstance(event, TimerFired):
            self._timers[execution_id, event.key] = None
        if isinstance(event, ActionRequested):
            self._take_answer(event, applied)
        if applied.execution is not None:
            self._current[execution_id] = applied.execution
        elif execution_id in self._current:
            self._remove(execution_id, applied.keeps)
        dropped = self._dropped.setdefault(execution_id, {})
        changed = self._task_runs.setdefault(execution_id, {})
        for task_run_id in applied.dropped:
            changed.pop(task_run_id, None)
            dropped[task_run_id] = None
        for task_run_id in applied.changed:
            dropped.pop(task_run_id, None)
            changed[task_run_id] = None
        answers = self._answers.setdefault(execution_id, []) if execution_id in self._current else self._absent
        answers.extend(applied.answers)
        self.metrics.extend((execution_id, task_run_id, metric) for task_run_id, metric in applied.metrics)
        for effect in applied.effects:
            self._take(effect)

    def _take_answer(self, event: ActionRequested, applied: Applied) -> None:
        """What became of an action, for its operation and the audit; an event that came a second time has no answer."""
        execution_id, before = event.execution_id, self._current.get(event.execution_id)
        given = next((answer for answer in applied.answers if answer.event_id == event.event_id), None)
        if event.operation is not None and before is None:
            self.answered.append(Answered(event.operation, execution_id, Result.UNKNOWN))
        elif given is not None:
            self._audit(event, before, applied.execution, given.refused)
            if event.operation is not None:
                result = Result.DONE if given.refused is None else Result.REFUSED
                self.answered.append(Answered(event.operation, execution_id, result, given.refused))

    def _audit(
        self, event: ActionRequested, before: Execution | None, now: Execution | None, refused: str | None
    ) -> None:
        if (row := outcome(event, before, now, refused)) is not None:
            self.audited.append(row)

    def failed(self, event: Event, why: str) -> None:
        """The event could not be applied: whoever waits for the answer of a bulk operation hears of it."""
        if not isinstance(event, ActionRequested):
            return
        before = self._current.get(event.execution_id)
        self._audit(event, before, before, why)
        if event.operation is not None:
            self.answered.append(Answered(event.operation, event.execution_id, Result.REFUSED, why))

    def add_turn(self, turn: Turn) -> None:
        """Take over what an event made of a gate."""
        self.gates[turn.gate.id] = turn.gate
        self.slots.setdefault(turn.gate.id, {}).update(dict.fromkeys(turn.changed))
        self.effects.extend(Emit(decision) for decision in turn.decisions)

    def _remove(self, execution_id: str, keeps: tuple[str, ...]) -> None:
        """The execution is no more, and nothing of what this batch changed in it matters but what stays."""
        del self._current[execution_id]
        self._absent.extend(self._answers.pop(execution_id, ()))
        if execution_id in self._stored:
            self._removed[execution_id] = self._stored[execution_id]
            self.keeps[execution_id] = keeps
        self._task_runs.pop(execution_id, None)
        self._dropped.pop(execution_id, None)
        self.metrics = [metric for metric in self.metrics if metric[0] != execution_id]
        self._timers |= {timer: None for timer in self._timers if timer[0] == execution_id}

    def emit(self, event: Event) -> None:
        """Append an event after the commit."""
        self.effects.append(Emit(event))

    def answer(self, event: TriggerEvent, refused: str | None) -> None:
        """Say what became of a request to a trigger."""
        if isinstance(event, TriggerRequested):
            self._said.append(TriggerAnswer(event.event_id, refused))

    def _take(self, effect: Effect) -> None:
        match effect:
            case SetTimer(execution_id, key, due, task_run_id):
                self._timers[execution_id, key] = Due(execution_id, key, due, task_run_id)
            case CancelTimer(execution_id, key):
                self._timers[execution_id, key] = None
            case _:
                self.effects.append(effect)

    def before(self, execution_id: str) -> Execution | None:
        """The execution as it is stored."""
        return self._stored.get(execution_id)

    @property
    def executions(self) -> list[Execution]:
        """The changed executions."""
        return [e for e in self._current.values() if self._stored.get(e.id) is not e]

    @property
    def removed(self) -> list[Execution]:
        """The removed executions, as they are stored."""
        return list(self._removed.values())

    @property
    def task_runs(self) -> list[tuple[str, str]]:
        """(execution id, task-run id) of the changed task runs."""
        return [(execution_id, run_id) for execution_id, runs in self._task_runs.items() for run_id in runs]

    @property
    def dropped(self) -> list[tuple[str, str]]:
        """(execution id, task-run id) of the dropped task runs."""
        return [(execution_id, run_id) for execution_id, runs in self._dropped.items() for run_id in runs]

    @property
    def timers_set(self) -> list[Due]:
        """Timers that this batch leaves set."""
        return [timer for timer in self._timers.values() if timer is not None]

    @property
    def timers_cancelled(self) -> list[tuple[str, str]]:
        """(execution id, key) of the timers that this batch leaves unset."""
        return [key for key, timer in self._timers.items() if timer is None]

    def outbox(self, executor_id: str, now: datetime, position: str = "", stream: str = keys.EVENTS) -> Outbox | None:
        """What is to be announced and done, ``None`` when nothing is."""
        items = tuple(self._delta(execution_id) for execution_id in self._touched())
        removed = tuple(row_of(execution) for execution in self.removed)
        said = tuple(self._said)
        operations = tuple(dict.fromkeys(one.operation for one in self.answered))
        absent = tuple(self._absent)
        news = items or removed or said or operations or absent
        if not news and not self.effects:
            return None
        if not news:
            return Outbox(b"", tuple(self.effects))
        deltas = Deltas(executor_id, now, items, position, removed, said, stream, operations, absent)
        return Outbox(codec.encode(deltas), tuple(self.effects))

    def _touched(self) -> list[str]:
        answered = [execution_id for execution_id, answers in self._answers.items() if answers]
        return list(dict.fromkeys([e.id for e in self.executions] + [i for i in answered if i in self._current]))

    def _delta(self, execution_id: str) -> ExecutionDelta:
        execution = self._current[execution_id]
        before = self._stored.get(execution_id) if execution_id not in self._removed else None
        runs = execution.task_runs
        return ExecutionDelta(
            row=row_of(execution),
            before=row_of(before) if before is not None else None,
            task_runs=tuple(runs[i] for i in self._task_runs.get(execution_id, ()) if i in runs),
            dropped_task_runs=tuple(self._dropped.get(execution_id, ())),
            history=execution.history,
            answers=tuple(self._answers.get(execution_id, ())),
        )
