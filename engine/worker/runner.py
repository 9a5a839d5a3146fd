"""One attempt from claim to end: what it says on the way is events and log lines, nothing else."""

from __future__ import annotations

import secrets
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis
import structlog

from engine.ids import derived_id
from engine.model import Folder
from engine.states import State
from engine.worker.control import JobControl, Stop
from engine.worker.hiding import Hider
from engine.worker.limits import Limits
from engine.worker.lines import Lines
from engine.worker.records import Records
from engine.worker.registry import Registry
from engine.worker.sender import Over, Sender
from engine.worker.tasks import Result, Running, TaskFailed, kind_of
from streaming.codec import to_json
from streaming.messages import LEVELS, Job, Metric, TaskEnded, TaskStarted, WorkerLost

log = structlog.get_logger("worker")


class End(msgspec.Struct, frozen=True):
    """How an attempt ended."""

    state: State
    result: Result = Result()
    error: str | None = None
    folder: Folder | None = None


class Runner:
    """Runs attempts one after the other.

    ``render(value, context)`` fills in the expressions of a property; ``secrets`` are taken out of what is said.
    """

    def __init__(
        self,
        registry: Registry,
        sender: Sender,
        limits: Limits,
        *,
        worker_id: str,
        files_url: str,
        records: Records,
        render: Callable[[Any, dict[str, Any]], Any],
        secrets: tuple[str, ...] = (),
    ) -> None:
        self.current: JobControl | None = None
        self._registry = registry
        self._sender = sender
        self._limits = limits
        self._worker_id = worker_id
        self._files_url = files_url
        self._records = records
        self._render = render
        self._secrets = secrets

    def run(self, job: Job, *, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Run the attempt unless somebody else has it; false if it was dropped.

        Returns when all it had to say is sent. One that is cut off because its worker stops is given back.
        """
        control = self.current = JobControl(job)  # known before the claim, so that no kill falls in between
        try:
            killed = self._claim(job, stopping)
            if killed is None:
                log.info("attempt.duplicate", task_run=job.task_run_id, attempt=job.attempt)
                return False
            if killed:
                control.stop(Stop.KILL)
            control.begin()
            hider = Hider((*self._secrets, *job.secrets))
            lines = Lines(job, self._sender.put, self._limits, minimum=_level(job), hide=hider)
            self._start(job)
            left: list[Folder] = []
            end = self._outcome(job, control, lines, hider, left)
            if control.reason is Stop.SHUTDOWN:
                self._give_back(job, lines)
                return True
            self._end(job, msgspec.structs.replace(end, folder=left[-1] if left else None), lines, hider)
        finally:
            self.current = None
            control.close()
            self._drain(job, stopping)
        return True

    def _drain(self, job: Job, stopping: Callable[[], bool]) -> None:
        while not self._sender.drain(1.0):
            if stopping():
                log.error("attempt.end_not_sent", task_run=job.task_run_id, attempt=job.attempt)
                return

    def _claim(self, job: Job, stopping: Callable[[], bool]) -> bool | None:
        token = f"{self._worker_id}#{secrets.token_hex(6)}"
        pause = 0.05
        while True:
            try:
                return self._registry.claim(job, token)
            except redis.RedisError as error:
                if stopping():
                    return None
                log.warning("redis.away", error=str(error), waiting_for="claim")
                time.sleep(pause)
                pause = min(pause * 2, 1.0)

    def _start(self, job: Job) -> None:
        self._sender.put(
            TaskStarted(
                event_id=derived_id("started", job.task_run_id, job.attempt),
                execution_id=job.execution_id,
                at=datetime.now(UTC),
                task_run_id=job.task_run_id,
                attempt=job.attempt,
                worker_id=self._worker_id,
            )
        )

    def _outcome(self, job: Job, control: JobControl, lines: Lines, hider: Hider, left: list[Folder]) -> End:
        if control.reason is Stop.KILL:
            return End(State.KILLED, error="killed before it started")
        try:
            end = End(State.SUCCESS, self._perform(job, control, lines, hider, left))
            end = msgspec.structs.replace(end, state=end.result.state)
            self._check_outputs(end.result.outputs)
        except TaskFailed as failure:
            lines.first_error.line or lines.note("ERROR", str(failure))
            end = End(State.FAILED, Result(failure.outputs, failure.metrics), str(failure))
        except Exception as error:
            log.exception("task.crashed", task_run=job.task_run_id)
            lines.note("ERROR", "".join(traceback.format_exception(error)).rstrip())
            end = End(State.FAILED, error=f"{type(error).__name__}: {error}")
        return self._stopped(control.reason, job, end, lines) if control.reason else end

    def _perform(self, job: Job, control: JobControl, lines: Lines, hider: Hider, left: list[Folder]) -> Result:
        kind = kind_of(str(job.task.get("type")))
        if kind is None:
            raise TaskFailed(f"this worker has no task type {job.task.get('type')!r}")
        wanted = {name: job.task[name] for name in kind.properties if job.task.get(name) is not None}
        running = Running(
            job=job,
            properties=self._rendered(wanted, job.context),
            lines=lines,
            control=control,
            limits=self._limits,
            may_read=lambda: not self._sender.full,
            files_url=self._files_url,
            hider=hider,
            records=self._records,
            worker=self._registry.worker,
            left=left,
        )
        return kind.run(running)

    def _rendered(self, wanted: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        rendered = {}
        for name, value in wanted.items():
            try:
                rendered[name] = self._render(value, context)
            except ValueError as error:
                raise TaskFailed(f"{name}: {error}") from error
        return rendered

    def _check_outputs(self, outputs: dict[str, Any]) -> None:
        size = len(to_json(outputs))
        if size > self._limits.max_output_bytes:
            raise TaskFailed(
                f"the outputs have {size:,} bytes, {self._limits.max_output_bytes:,} are allowed "
                "(WATCHFLOOR_TASK_MAX_OUTPUT_BYTES)."
            )

    def _stopped(self, reason: Stop, job: Job, end: End, lines: Lines) -> End:
        if reason is Stop.KILL:
            lines.note("WARN", "Killed.")
            return End(State.KILLED, end.result, "killed")
        if reason is Stop.SHUTDOWN:
            return end
        said = f"timed out after {job.timeout:g} s"
        lines.note("ERROR", said[0].upper() + said[1:] + ".")
        return End(State.FAILED, end.result, said)

    def _give_back(self, job: Job, lines: Lines) -> None:
        lines.close()
        self._sender.put(
            WorkerLost(
                event_id=derived_id("stopped", job.task_run_id, job.attempt),
                execution_id=job.execution_id,
                at=datetime.now(UTC),
                task_run_id=job.task_run_id,
                attempt=job.attempt,
                worker_id=self._worker_id,
                stopped=True,
            )
        )
        self._sender.put(Over(job))

    def _end(self, job: Job, end: End, lines: Lines, hider: Hider) -> None:
        lines.close()
        self._sender.put(
            TaskEnded(
                event_id=derived_id("ended", job.task_run_id, job.attempt),
                execution_id=job.execution_id,
                at=datetime.now(UTC),
                task_run_id=job.task_run_id,
                attempt=job.attempt,
                state=end.state,
                outputs=hider(end.result.outputs),
                metrics=tuple(_shown(metric, hider) for metric in end.result.metrics),
                error=hider(end.error),
                worker_id=self._worker_id,
                labels=hider(end.result.labels),
                folder=end.folder,
            )
        )
        self._sender.put(Over(job))


def _shown(metric: Metric, hider: Hider) -> Metric:
    return msgspec.structs.replace(metric, tags=hider(metric.tags)) if metric.tags else metric


def _level(job: Job) -> Any:
    wanted = str(job.task.get("logLevel") or "TRACE").upper()
    return wanted if wanted in LEVELS else "TRACE"
