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
from engine.worker.child import Child, job_of
from engine.worker.identity import die_with_parent, worker_id
from engine.worker.queues import QUEUE, own_queue
from engine.worker.registry import Registry
from engine.worker.requests import JobTask
from engine.worker.watch import Watch
from streaming.bus import Bus
from streaming.metrics import Meter
from streaming.metrics.exchange import publish, withdraw
from watchfloor.settings import Settings

log = structlog.get_logger("worker")


def main(settings: Settings) -> int:
    """Run a worker until SIGTERM or SIGINT; its exit code."""
    _quiet()
    name = worker_id()
    bus = Bus.of(settings)
    registry = Registry(bus, name, name)
    meter = _meter(settings, registry, name)
    watch = Watch(bus, registry, name, lambda: publish(bus, meter))
    worker = build_worker(settings, name, watch).Worker(
        hostname=f"watchfloor@{socket.gethostname()}-{os.getpid()}",
        pool="prefork",
        concurrency=settings.worker_processes,
        queues=[QUEUE, own_queue(name)],
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    try:
        worker.start()
    finally:
        watch.close()
        withdraw(bus, meter)
        bus.close()
    log.info("worker.stopped", worker=name)
    return worker.exitcode or 0


def _meter(settings: Settings, registry: Registry, name: str) -> Meter:
    """What this worker says of itself."""
    meter = Meter("worker")

    def look() -> None:
        meter["watchfloor_worker_slots"].set(settings.worker_processes)
        meter["watchfloor_worker_busy"].set(sum(entry.worker == name for entry in registry.running()))

    meter.look(look)
    return meter


def _quiet() -> None:
    """Celery speaks up for warnings only, and not of running as root or of its own coming defaults."""
    for name in ("celery", "kombu"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=SecurityWarning)
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)


def build_worker(settings: Settings, name: str, watch: Watch) -> Celery:
    """The application with its task and the hooks of its processes."""
    app = build_app(settings)
    children: list[Child] = []

    @app.task(name=TASK_NAME, base=JobTask, lazy=False, ignore_result=True, acks_late=True)
    def run(payload: str) -> None:
        children[0].perform(payload)

    def on_lost(payload: str) -> None:
        job = job_of(payload)
        if job is not None:
            watch.lost(job)

    run.on_lost = on_lost

    @signals.worker_ready.connect(weak=False)
    def on_ready(**_: Any) -> None:
        watch.start()
        log.info("worker.started", processes=settings.worker_processes, worker=name)

    @signals.worker_process_init.connect(weak=False)
    def on_start(**_: Any) -> None:
        die_with_parent()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        children[:] = [Child(settings, name)]

    @signals.worker_process_shutdown.connect(weak=False)
    def on_end(**_: Any) -> None:
        while children:
            children.pop().close()

    @signals.worker_shutting_down.connect(weak=False)
    def on_stop(**_: Any) -> None:
        for process in psutil.Process().children():
            process.send_signal(signal.SIGTERM)

    return app
