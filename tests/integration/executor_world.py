"""An executor at work in a test: a worker that answers at once, crashes, and waiting for what must come."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from data import Store
from engine.ids import new_id
from engine.states import State
from streaming import keys
from streaming.bus import Bus
from streaming.executor import Executor, environment
from streaming.messages import Job, TaskEnded, TaskStarted
from tests.threads import in_thread
from watchfloor.settings import Settings


class Crash(BaseException):
    """Stands for kill -9: nothing catches it."""


class Worker:
    """Runs each job at once, successfully, through the event stream; counts the attempts given out."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.attempts: list[tuple[str, int]] = []

    def submit(self, job: Job) -> None:
        """Claim, start and end the attempt."""
        claimed = self._bus.redis.set(keys.claim(job.task_run_id, job.attempt), "w", nx=True)
        if not claimed:
            return
        self.attempts.append((job.task_run_id, job.attempt))
        now = datetime.now(UTC)
        self._bus.append(TaskStarted(new_id(), job.execution_id, now, job.task_run_id, job.attempt, "w"))
        self._bus.append(TaskEnded(new_id(), job.execution_id, now, job.task_run_id, job.attempt, State.SUCCESS))


def crashing(method: Callable[..., object], chance: float, dice: random.Random) -> Callable[..., object]:
    """``method``, but at times everything ends just before or just after it."""

    def call(*args: object, **kwargs: object) -> object:
        if dice.random() < chance:
            raise Crash
        result = method(*args, **kwargs)
        if dice.random() < chance:
            raise Crash
        return result

    return call


def executor(settings: Settings, store: Store, bus: Bus, worker: Worker | None = None) -> Executor:
    """An executor, with a worker of its own when none is given."""
    return Executor(settings, store, bus, worker or Worker(bus), environment(settings))


@contextmanager
def running(made: Executor) -> Iterator[Executor]:
    """The executor at work in a thread."""
    with in_thread(made.run):
        yield made


def state_of(store: Store, execution_id: str) -> State | None:
    """Its state, ``None`` when there is none."""
    row = store.row(execution_id)
    return row.state if row else None
