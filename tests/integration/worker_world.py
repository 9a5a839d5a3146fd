"""A runner with everything it needs, in this process, against a real Valkey and a real store."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psutil

from engine.worker.child import renderer
from engine.worker.limits import Limits
from engine.worker.listener import Listener
from engine.worker.processes import MARK
from engine.worker.records import Records
from engine.worker.registry import Registry
from engine.worker.runner import Runner
from engine.worker.sender import Sender
from streaming import codec, keys
from streaming.bus import Bus
from streaming.messages import Event, Job, LogLine, TaskEnded, TaskStarted
from tests.waiting import until
from watchfloor.settings import Settings

CORE = "io.kestra.plugin.core."
SCRIPTS = "io.kestra.plugin.scripts."
LIMITS = Limits(kill_grace=0.4)


def job(
    type_name: str, *, timeout: float | None = None, context: dict[str, Any] | None = None, **properties: Any
) -> Job:
    """An attempt of one task."""
    task = {"id": "task", "type": type_name, **properties}
    return Job("execution", "ns", "flow", 1, "run", 1, task, context or {}, timeout)


def shell(*commands: str, **more: Any) -> Job:
    """An attempt of shell commands."""
    return job(f"{SCRIPTS}shell.Commands", commands=list(commands), **more)


def processes_of(mark: str) -> list[psutil.Process]:
    """The living processes of an attempt."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


class World:
    """A runner with everything it needs, and what came out of it."""

    def __init__(
        self,
        bus: Bus,
        folder: Path,
        limits: Limits,
        secrets: tuple[str, ...] = (),
        database_url: str | None = None,
    ) -> None:
        self.bus = bus
        self.files_url = folder.as_uri()
        settings = Settings(data_dir=folder, files_url=self.files_url, database_url=database_url)
        self.records = Records(settings.resolved_database_url)
        self.registry = Registry(bus, "host/1:1:1", "host/1:1:1")
        self.sender = Sender(bus, self.registry)
        self.runner = Runner(
            self.registry,
            self.sender,
            limits,
            worker_id="worker",
            files_url=self.files_url,
            records=self.records,
            render=renderer(settings, self.records),
            secrets=secrets,
        )
        self.listener = Listener(bus, lambda: self.runner.current)

    def close(self) -> None:
        self.listener.close()
        self.sender.close()
        self.records.close()

    @property
    def events(self) -> list[Event]:
        return [codec.decode_event(e.payload) for e in self.bus.read(keys.EVENTS, "0", count=1_000, block_ms=None)]

    @property
    def lines(self) -> list[LogLine]:
        entries = self.bus.read(keys.LOGS, "0", count=10_000, block_ms=None)
        return [line for entry in entries for line in codec.decode_log_batch(entry.payload).lines]

    def said(self, level: str) -> list[str]:
        return [line.message for line in self.lines if line.level == level]

    def run(self, job: Job) -> TaskEnded:
        """Run an attempt; how it ended."""
        assert self.runner.run(job)
        started, ended = self.events[-2:]
        assert isinstance(started, TaskStarted)
        assert isinstance(ended, TaskEnded)
        return ended

    def begin(self, job: Job) -> threading.Thread:
        """Run an attempt in a thread, and wait for its first line."""
        thread = threading.Thread(target=self.runner.run, args=(job,))
        thread.start()
        until(lambda: self.lines)
        return thread
