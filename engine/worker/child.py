"""What each process of the worker's pool holds: its connections, its threads and its runner."""

from __future__ import annotations

import base64
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import structlog

from engine.expressions import Options, known_secrets, render_tree
from engine.worker.identity import worker_id
from engine.worker.limits import Limits
from engine.worker.listener import Listener
from engine.worker.records import Records
from engine.worker.registry import Registry
from engine.worker.runner import Runner
from engine.worker.sender import Sender
from engine.worker.sources import WorkerSources
from streaming import codec
from streaming.bus import Bus, Read
from streaming.messages import Job
from watchfloor.settings import Settings

log = structlog.get_logger("worker")


class Child:
    """One process that runs one attempt at a time. Made after the fork."""

    def __init__(self, settings: Settings, worker: str) -> None:
        self._settings = settings
        self._bus = Bus.of(settings)
        registry = Registry(self._bus, worker, worker_id())
        self._sender = Sender(self._bus, registry)
        self._records = Records(settings.resolved_database_url)
        self._runner = Runner(
            registry,
            self._sender,
            Limits.of(settings),
            worker_id=f"{socket.gethostname()}:{os.getpid()}",
            files_url=settings.resolved_files_url,
            records=self._records,
            render=renderer(settings, self._records),
            secrets=known_secrets(),
        )
        self._listener = Listener(self._bus, lambda: self._runner.current)

    def perform(self, payload: str) -> None:
        """Run the job that Celery brought."""
        signal.signal(signal.SIGTERM, self._on_sigterm)
        job = job_of(payload)
        if job is None:
            self._bus.bury("jobs", Read("", payload.encode()), "expected a job in Base64")
            return
        self._runner.run(job, stopping=lambda: self._listener.stopping)

    def close(self) -> None:
        """Stop the threads and close the connections."""
        self._listener.close()
        self._sender.close()
        self._records.close()
        self._bus.close()

    def _on_sigterm(self, signum: int, frame: Any) -> None:
        self._listener.stop_after(self._settings.stop_grace)


def job_of(payload: str) -> Job | None:
    """The job that a message carries; ``None`` when it carries none."""
    try:
        return codec.decode_job(base64.b64decode(payload))
    except ValueError as error:
        log.error("job.malformed", reason=str(error))
        return None


def renderer(settings: Settings, records: Records) -> Callable[[Any, dict[str, Any]], Any]:
    """``render(value, context)`` of nested values, within the limits of ``settings``."""
    options = Options(
        timeout=settings.expression_timeout,
        max_bytes=settings.expression_max_bytes,
        sources=WorkerSources(settings.resolved_files_url, records),
    )
    return lambda value, context: render_tree(value, context, options=options)
