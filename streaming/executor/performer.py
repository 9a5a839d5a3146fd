"""Carries out what a commit left to do. Doing it twice is harmless, so a crash in between costs nothing."""

from __future__ import annotations

from typing import Protocol

import structlog

from engine.effects import Effect, Emit, StopTasks, Submit, WriteLog
from engine.worker.registry import Journey
from streaming import keys
from streaming.bus import Bus
from streaming.executor.batch import Outbox
from streaming.messages import Event, Job, Kill

log = structlog.get_logger()

_KILL_KEY_SECONDS = 3600


class Dispatch(Protocol):
    """Gives jobs to the workers."""

    def submit(self, job: Job) -> None:
        """Give out one attempt."""
        ...


class Performer:
    """Publishes, submits, stops, emits and logs, in this order."""

    def __init__(self, bus: Bus, dispatch: Dispatch) -> None:
        self._bus = bus
        self._dispatch = dispatch
        self._journey = Journey(bus)

    def perform(self, outbox: Outbox) -> None:
        """Do all of ``outbox``; raises ``RedisError`` or ``OSError`` half-way when the server goes away."""
        if outbox.deltas:
            self._bus.publish_deltas(outbox.deltas)
        submits = [effect for effect in outbox.effects if isinstance(effect, Submit)]
        for again in (False, True):
            if jobs := [effect.job for effect in submits if effect.again is again]:
                self._journey.begin(jobs, again=again)
        emitted: list[Event] = []
        for effect in outbox.effects:
            self._do(effect, emitted)
        if emitted:
            self._bus.append_all(emitted)

    def _do(self, effect: Effect, emitted: list[Event]) -> None:
        match effect:
            case Submit(job):
                self._dispatch.submit(job)
                log.debug("task.submitted", execution=job.execution_id, task_run=job.task_run_id, attempt=job.attempt)
            case StopTasks(execution_id, attempts):
                self._stop(execution_id, attempts)
            case Emit(event):
                emitted.append(event)
            case WriteLog(batch):
                self._bus.append_logs(batch)

    def _stop(self, execution_id: str, attempts: tuple[str, ...]) -> None:
        key = keys.kill(execution_id)
        pipe = self._bus.redis.pipeline()
        pipe.sadd(key, *attempts)
        pipe.expire(key, _KILL_KEY_SECONDS)
        pipe.execute()
        self._bus.tell(Kill(execution_id, attempts))
