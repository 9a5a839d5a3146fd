"""What each process of the worker's pool holds: its connections, its threads and its runner."""

from __future__ import annotations

import base64
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import structlog

from engine.worker.limits import Limits
from engine.worker.listener import Listener
from engine.worker.registry import Registry
from engine.worker.runner import Runner
from engine.worker.sender import Sender
from streaming import codec
from streaming.bus import Bus, Read
from watchfloor.settings import Settings

log = structlog.get_logger("worker")


class Child:
    """One process that runs one attempt at a time. Made after the fork."""

    def __init__(self, settings: Settings, worker: str) -> None:
        self._settings = settings
        self._bus = Bus(settings.resolved_redis_url)
        registry = Registry(self._bus, worker)
        self._sender = Sender(self._bus, registry)
        self._runner = Runner(
            registry,
            self._sender,
            Limits.of(settings),
            worker_id=f"{socket.gethostname()}:{os.getpid()}",
            files_url=settings.resolved_files_url,
            render=renderer(settings),
        )
        self._listener = Listener(self._bus, lambda: self._runner.current)

    def perform(self, payload: str, losses: int = 0) -> None:
        """Run the job that Celery brought."""
        signal.signal(signal.SIGTERM, self._on_sigterm)
        try:
            job = codec.decode_job(base64.b64decode(payload))
        except ValueError as error:
            log.error("job_malformed", reason=str(error))
            self._bus.bury("jobs", Read("", payload.encode()), str(error))
            return
        self._runner.run(job, losses, stopping=lambda: self._listener.stopping)

    def close(self) -> None:
        """Stop the threads and close the connections."""
        self._listener.close()
        self._sender.close()
        self._bus.close()

    def _on_sigterm(self, signum: int, frame: Any) -> None:
        self._listener.stop_after(self._settings.kill_grace)


def renderer(settings: Settings) -> Callable[[Any, dict[str, Any]], Any]:
    """``render(value, context)`` of nested values."""
    try:
        from engine.expressions import render_tree
    except ImportError:
        return lambda value, context: value
    return render_tree
