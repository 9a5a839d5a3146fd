"""Synthetic executions through the real event stream: reported, run by nobody, and labelled as such."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from engine.ids import derived_id, new_id
from engine.model import Kind
from engine.states import State
from streaming.bus import Bus
from streaming.messages import Event, ExecutionReported, TaskReported

NAMESPACE = "synthetic.load"
LABELS = {"system.synthetic": "true"}
_FLOWS = ("ingest-orders", "sync-customers", "train-model", "nightly-report", "export-billing")
_TASKS = ("extract", "transform", "load")
_FAILS = 0.06
_TICK = 0.01  # seconds between two round trips


class Loaded(msgspec.Struct, frozen=True):
    """What a load sent: ``events`` in ``seconds`` over ``executions``; ``behind`` is the worst lateness in seconds."""

    events: int
    seconds: float
    executions: int
    behind: float


def load(bus: Bus, rate: float, seconds: float, *, seed: int = 0, alive: int = 200) -> Loaded:
    """Send ``rate`` events a second for ``seconds``, over ``alive`` executions at a time, evenly paced."""
    source = Synthetic(seed, alive)
    start = time.monotonic()
    total = int(rate * seconds)
    sent, behind = 0, 0.0
    while sent < total:
        elapsed = time.monotonic() - start
        due = min(total, int(elapsed * rate) + 1)
        if due > sent:
            bus.append_all(source.next_event() for _ in range(due - sent))
            sent = due
            behind = max(behind, time.monotonic() - start - elapsed)
        time.sleep(max(0.0, min(_TICK, seconds)))
    return Loaded(sent, time.monotonic() - start, source.begun, behind)


class Synthetic:
    """Lifecycles of executions, interleaved; the same ``seed`` gives the same sequence of states."""

    def __init__(self, seed: int, alive: int) -> None:
        self._random = random.Random(seed)
        self._alive = alive
        self._running: list[Iterator[Event]] = []
        self.begun = 0

    def next_event(self) -> Event:
        """The next event of one of the executions, a new one while fewer than ``alive`` go on."""
        while True:
            if len(self._running) < self._alive:
                self._running.append(self._lifecycle())
                self.begun += 1
                return next(self._running[-1])
            index = self._random.randrange(len(self._running))
            event = next(self._running[index], None)
            if event is not None:
                return event
            self._running[index] = self._running[-1]
            self._running.pop()

    def _lifecycle(self) -> Iterator[Event]:
        flow_id = self._random.choice(_FLOWS)
        fails_at = self._random.randrange(len(_TASKS)) if self._random.random() < _FAILS else None
        execution_id = new_id()
        yield _execution(execution_id, flow_id, State.CREATED)
        yield _execution(execution_id, flow_id, State.RUNNING)
        for number, task_id in enumerate(_TASKS):
            yield _task(execution_id, task_id, State.RUNNING)
            if number == fails_at:
                error = f"synthetic failure of {task_id}: connection refused"
                yield _task(execution_id, task_id, State.FAILED, error)
                yield _execution(execution_id, flow_id, State.FAILED, error)
                return
            yield _task(execution_id, task_id, State.SUCCESS)
        yield _execution(execution_id, flow_id, State.SUCCESS)


def _execution(execution_id: str, flow_id: str, state: State, error: str | None = None) -> ExecutionReported:
    return ExecutionReported(
        event_id=derived_id(execution_id, state),
        execution_id=execution_id,
        at=datetime.now(UTC),
        namespace=NAMESPACE,
        flow_id=flow_id,
        state=state,
        kind=Kind.SYNTHETIC,
        labels=LABELS,
        error=error,
    )


def _task(execution_id: str, task_id: str, state: State, error: str | None = None) -> TaskReported:
    return TaskReported(
        event_id=derived_id(execution_id, task_id, state),
        execution_id=execution_id,
        at=datetime.now(UTC),
        task_run_id=derived_id(execution_id, None, task_id, None),
        task_id=task_id,
        state=state,
        error=error,
    )
