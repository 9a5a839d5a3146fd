"""What becomes of the attempts of a worker that died: what it ran is ended, and the executor is told.

Each worker says every two seconds that it lives, and looks for running attempts of processes that don't. On one machine
the process table tells at once; of another machine a worker counts as dead after ``AWAY_SECONDS`` of silence while
Redis could be reached all the time. It also looks for jobs that came to no worker, and for those that wait for this
one alone while it is busy.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import redis
import structlog

from engine.ids import new_id
from engine.worker.identity import is_local, lives_here
from engine.worker.processes import end_orphans, mark_of
from engine.worker.queues import OwnQueue
from engine.worker.registry import Entry, Given, Journey, Registry, given
from streaming.bus import Bus
from streaming.messages import Job, JobMissed, WorkerLost

log = structlog.get_logger("worker")

AWAY_SECONDS = 15.0
MISSED_SECONDS = 5.0
_MISSED_AT_ONCE = 100
_ALIVE_SECONDS = 15
_PULSE = 2.0


class Watch:
    """One thread in the worker's main process. ``lost`` may be called from any other.

    ``beat`` is called at each look, every two seconds; it may raise ``RedisError``.
    """

    def __init__(self, bus: Bus, registry: Registry, worker: str, beat: Callable[[], None] = lambda: None) -> None:
        self._bus = bus
        self._registry = registry
        self._journey = Journey(bus)
        self._own = OwnQueue(bus, worker)
        self._worker = worker
        self._beat = beat
        self._silent_since: dict[str, float] = {}
        self._lost: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._working = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="worker-watch", daemon=True)
        # The pool forks: never while this thread is in the middle of something.
        os.register_at_fork(
            before=self._working.acquire, after_in_parent=self._working.release, after_in_child=self._working.release
        )

    def start(self) -> None:
        """Begin, by ending what workers left on this machine that were killed before."""
        self._thread.start()

    def close(self) -> None:
        """Stop and join the thread, look once more, and say goodbye."""
        self._lost.put(None)
        if self._thread.is_alive():
            self._thread.join(10)
        try:
            self.reap()
            self._own.hand_on(all_of_it=True)
            self._registry.withdraw()
        except redis.RedisError:
            return

    def lost(self, job: Job) -> None:
        """A process of this worker's pool died while it had ``job``."""
        self._lost.put(job)

    def _run(self) -> None:
        pending: list[Job] = []
        with self._working:
            end_orphans()
        while True:
            with self._working:
                pending = self._step(pending)
            try:
                message = self._lost.get(timeout=_PULSE if not pending else 0.2)
            except queue.Empty:
                continue
            if message is None:
                return
            pending.append(message)

    def _step(self, pending: list[Job]) -> list[Job]:
        """One look at everything; the losses that Redis's absence leaves for the next one."""
        try:
            self._registry.announce(_ALIVE_SECONDS)
            self._beat()
            while pending:
                self._recover(pending[0])
                pending.pop(0)
            self.reap()
            self._find_missed()
            self._own.hand_on()
        except redis.RedisError as error:
            self._silent_since.clear()
            log.warning("redis.away", error=str(error), waiting_for="watch")
        return pending

    def reap(self) -> None:
        """Tell of attempts whose process is gone, once what they started is ended."""
        dead = [entry for entry in self._registry.running() if self._is_dead(entry)]
        if not dead:
            return
        end_orphans({mark_of(entry.job) for entry in dead if is_local(entry.worker)})
        for entry in dead:
            self._tell(entry)

    def _is_dead(self, entry: Entry) -> bool:
        worker = entry.worker
        if is_local(worker):
            return not lives_here(entry.process)
        if self._registry.announced(worker):
            self._silent_since.pop(worker, None)
            return False
        return time.monotonic() - self._silent_since.setdefault(worker, time.monotonic()) > AWAY_SECONDS

    def _recover(self, job: Job) -> None:
        """The process that had ``job`` died; it may have died before the claim. ``reap`` finds it after that."""
        if self._registry.entry(job) is None:
            self._ask_again(given(job))

    def _tell(self, entry: Entry) -> None:
        job = entry.job
        log.warning("attempt.worker_lost", task_run=job.task_run_id, attempt=job.attempt, of=entry.process)
        self._bus.append(
            WorkerLost(new_id(), job.execution_id, datetime.now(UTC), job.task_run_id, job.attempt, entry.worker)
        )
        self._registry.ended(job)

    def _find_missed(self) -> None:
        """Tell of jobs that came to no worker: one died between taking and claiming it, or its connection did."""
        for job in self._journey.missed(MISSED_SECONDS, _MISSED_AT_ONCE):
            self._ask_again(job)

    def _ask_again(self, job: Given) -> None:
        log.warning("job.missed", task_run=job.task_run_id, attempt=job.attempt)
        self._bus.append(JobMissed(new_id(), job.execution_id, datetime.now(UTC), job.task_run_id, job.attempt))
        self._journey.end(job)
