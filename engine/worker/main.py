"""``watchfloor worker``: a Celery worker with a pool of processes."""

from __future__ import annotations

import logging
import os
import signal
import socket
import warnings
from typing import Any

import psutil
import structlog
from celery import Celery, signals
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning

from engine.worker.app import TASK_NAME, build_app
from engine.worker.child import Child
from watchfloor.settings import Settings

log = structlog.get_logger("worker")


def main(settings: Settings) -> int:
    """Run a worker until SIGTERM or SIGINT; its exit code."""
    _quiet()
    app = build_worker(settings, worker_id())
    worker = app.Worker(
        hostname=f"watchfloor@{socket.gethostname()}-{os.getpid()}",
        pool="prefork",
        concurrency=settings.worker_processes,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    log.info("worker_started", processes=settings.worker_processes, worker=worker_id())
    worker.start()
    return worker.exitcode or 0


def _quiet() -> None:
    """Celery speaks up for warnings only, and not of running as root or of its own coming defaults."""
    for name in ("celery", "kombu"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=SecurityWarning)
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)


def worker_id() -> str:
    """Name of this worker: host, process, and when the process began (process ids come back)."""
    process = psutil.Process()
    return f"{socket.gethostname()}:{process.pid}:{process.create_time():.0f}"


def build_worker(settings: Settings, worker: str) -> Celery:
    """The application with its task and the hooks of the pool's processes."""
    app = build_app(settings)
    children: list[Child] = []

    @app.task(name=TASK_NAME, ignore_result=True, acks_late=True)
    def run(payload: str, losses: int = 0) -> None:
        if not children:
            children.append(Child(settings, worker))
        children[0].perform(payload, losses)

    @signals.worker_process_init.connect(weak=False)
    def on_start(**_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        children[:] = [Child(settings, worker)]

    @signals.worker_process_shutdown.connect(weak=False)
    def on_end(**_: Any) -> None:
        while children:
            children.pop().close()

    @signals.worker_shutting_down.connect(weak=False)
    def on_stop(**_: Any) -> None:
        for process in psutil.Process().children():
            process.send_signal(signal.SIGTERM)

    return app
