"""What becomes of the attempts of a worker that died: they are given out again, and its processes are ended.

Each worker says every two seconds that it lives, and looks for running attempts of workers that don't. On one machine
the process table tells at once; of another machine a worker counts as dead after ``AWAY_SECONDS`` of silence while
Redis could be reached all the time.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import psutil
import redis
import structlog

from engine.dispatch import Dispatch
from engine.ids import derived_id
from engine.states import State
from engine.worker.identity import is_local, lives_here
from engine.worker.processes import MARK, mark_of
from engine.worker.registry import Entry, Registry
from streaming.bus import Bus
from streaming.messages import Job, TaskEnded

log = structlog.get_logger("worker")

LOSSES_MAX = 3
AWAY_SECONDS = 15.0
_ALIVE_SECONDS = 15
_PULSE = 2.0


class Watch:
    """One thread in the worker's main process. ``lost`` may be called from any other.

    ``beat`` is called at each look, every two seconds; it may raise ``RedisError``.
    """

    def __init__(
        self,
        bus: Bus,
        registry: Registry,
        dispatch: Dispatch,
        worker: str,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._dispatch = dispatch
        self._worker = worker
        self._beat = beat
        self._silent_since: dict[str, float] = {}
        self._lost: queue.SimpleQueue[tuple[Job, int] | None] = queue.SimpleQueue()
        self._working = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="worker-watch", daemon=True)
        # The pool forks: never while this thread is in the middle of something.
        os.register_at_fork(
            before=self._working.acquire, after_in_parent=self._working.release, after_in_child=self._working.release
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop and join the thread, and say goodbye."""
        self._lost.put(None)
        self._thread.join(10)
        try:
            self._registry.withdraw()
        except redis.RedisError:
            return

    def lost(self, job: Job, losses: int) -> None:
        """A process of this worker's pool died while it had ``job``."""
        self._lost.put((job, losses))

    def _run(self) -> None:
        pending: list[tuple[Job, int]] = []
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

    def _step(self, pending: list[tuple[Job, int]]) -> list[tuple[Job, int]]:
        """One look at everything; the losses that Redis's absence leaves for the next one."""
        try:
            self._registry.announce(_ALIVE_SECONDS)
            self._beat()
            while pending:
                self._recover(*pending[0])
                pending.pop(0)
            self.reap()
        except redis.RedisError as error:
            self._silent_since.clear()
            log.warning("redis.away", error=str(error), waiting_for="watch")
        return pending

    def reap(self) -> None:
        """Give out again what dead workers ran."""
        entries = [entry for entry in self._registry.running() if entry.worker != self._worker]
        dead = {worker for worker in {entry.worker for entry in entries} if self._is_dead(worker)}
        for entry in entries:
            if entry.worker in dead:
                self._give_out(entry.job, entry)

    def _is_dead(self, worker: str) -> bool:
        if is_local(worker):
            return not lives_here(worker)
        if self._registry.announced(worker):
            self._silent_since.pop(worker, None)
            return False
        return time.monotonic() - self._silent_since.setdefault(worker, time.monotonic()) > AWAY_SECONDS

    def _recover(self, job: Job, losses: int) -> None:
        entry = self._registry.entry(job)
        if entry is not None:
            self._give_out(job, entry)
        elif not self._registry.claimed(job):  # it died before it had begun
            self._dispatch.submit(job, losses=losses)

    def _give_out(self, job: Job, entry: Entry) -> None:
        if is_local(entry.worker):
            end_processes(mark_of(job))
        mine = self._registry.release(job, entry)
        if mine is None:
            return
        log.warning("attempt.given_out_again", task_run=job.task_run_id, attempt=job.attempt, of=entry.worker)
        if mine.losses < LOSSES_MAX:
            self._dispatch.submit(job, losses=mine.losses)
        else:
            self._bus.append(_given_up(job, mine.losses))
            self._registry.ended(job)


def _given_up(job: Job, losses: int) -> TaskEnded:
    return TaskEnded(
        event_id=derived_id("ended", job.task_run_id, job.attempt),
        execution_id=job.execution_id,
        at=datetime.now(UTC),
        task_run_id=job.task_run_id,
        attempt=job.attempt,
        state=State.FAILED,
        error=f"its worker died {losses} times while it ran this task (out of memory?)",
    )


def end_processes(mark: str) -> None:
    """SIGKILL to what a dead worker left of one attempt on this machine."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                process.send_signal(signal.SIGKILL)
        except (psutil.Error, OSError):
            continue
