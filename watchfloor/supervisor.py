"""Honcho's manager, with two differences: a process that dies is started again, and all end in order."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import psutil
import structlog
from honcho.manager import Manager
from honcho.process import Process

log = structlog.get_logger()

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
STABLE_SECONDS = 30.0  # a process that ran that long starts again with the first pause
_PARENT_POLL = 0.5


class Restarting(Process):
    """A managed process that is started again, with growing pauses, until ``stopping`` is set.

    It ends too when the process that made it is gone, so that a killed ``watchfloor up`` leaves nothing behind.
    """

    def __init__(self, cmd: str, *, stopping: Any, **options: Any) -> None:
        super().__init__(cmd, **options)
        self._stopping = stopping

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """Start it, pass its lines on, and again; the last thing sent is its return code."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self._events = events
        threading.Thread(target=self._follow_parent, args=(os.getppid(),), daemon=True).start()
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            code = self._run_once()
            if self._stopping.is_set():
                break
            log.error("process.died", name=self.name, code=code, ran_s=round(time.monotonic() - began, 1))
            if time.monotonic() - began >= STABLE_SECONDS:
                pause = FIRST_PAUSE
            self._send_message(f"ended with code {code}; it starts again in {pause:g} s\n")
            if self._stopping.wait(pause):
                break
            pause = min(pause * 2, LONGEST_PAUSE)
        self._send_message({"returncode": code}, type="stop")

    def _run_once(self) -> int:
        # The shell that honcho starts gives way to the process, so that its id is the group's.
        self._child = self._child_ctor(f"exec {self.cmd}", env=self.env, cwd=self.cwd, preexec_fn=_default_signals)
        self._send_message({"pid": self._child.pid}, type="start")
        if self._stopping.is_set():  # told to stop while it was being started
            self._signal(signal.SIGTERM)
        ender = threading.Thread(target=self._end_group, args=(self._child,), daemon=True)
        ender.start()
        for line in iter(self._child.stdout.readline, b""):
            self._send_message(line)
        self._child.stdout.close()
        ender.join()
        return int(self._child.returncode)

    def _end_group(self, child: Any) -> None:
        """When the process has ended, so do its children: a successor needs their port, and the reader their pipe."""
        child.wait()
        self._signal(signal.SIGKILL)

    def _follow_parent(self, parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_POLL)
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self._child is not None:
            try:
                os.killpg(self._child.pid, number)
            except OSError:
                return


def _default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Supervisor(Manager):
    """Runs processes until told to stop, then ends them stage by stage.

    ``stages`` names them in the order in which they end; a stage has ``patience`` seconds before SIGKILL.
    ``on_start(name, pid)`` hears of every start.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[str]],
        patience: float,
        *,
        on_start: Callable[[str, int], None] = lambda name, pid: None,
        printer: Any = None,
    ) -> None:
        super().__init__(printer)
        self._stages = [list(stage) for stage in stages]
        self._patience = patience
        self._on_start = on_start
        self._stop = threading.Event()
        self._now = False
        self._flags: dict[str, Any] = {}

    def add_process(self, name: str, cmd: str, **options: Any) -> Process:
        """Add a process; ``start`` starts it."""
        self._flags[name] = multiprocessing.Event()
        self._process_ctor = partial(Restarting, stopping=self._flags[name])
        return super().add_process(name, cmd, **options)

    def start(self, *names: str) -> None:
        """Start these processes, unless everything is about to end."""
        for name in () if self._stop.is_set() else names:
            entry = self._processes[name]
            entry["process"] = multiprocessing.Process(name=name, target=entry["obj"].run, args=(self.events, True))
            entry["process"].start()

    @property
    def names(self) -> list[str]:
        """All processes, in the order they were added."""
        return list(self._processes)

    def stopping(self) -> bool:
        """True once ``stop`` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End everything in order; said twice: at once."""
        self._now = self._stop.is_set()
        self._stop.set()

    def pass_lines_on(self, until: Callable[[], bool]) -> None:
        """Pass lines on until ``until()``, or ``stop`` was called."""
        while not self._stop.is_set() and not until():
            self._take(0.1)

    def loop(self) -> None:
        """Pass lines on until ``stop`` was called and all have ended."""
        self.pass_lines_on(lambda: False)
        for stage in self._stages:
            self._end(stage)
        for entry in self._processes.values():
            if "process" in entry:
                entry["process"].join(5)
                entry["process"].kill()  # one that hangs would hold this process at its exit

    def _end(self, stage: list[str]) -> None:
        started = [name for name in stage if "process" in self._processes.get(name, {})]
        for name in started:
            self._flags[name].set()
            self._send(name, force=False)
        deadline = time.monotonic() + self._patience
        while any(self._alive(name) for name in started):
            self._take(0.05)
            if self._now or time.monotonic() > deadline:
                for name in filter(self._alive, started):
                    self._send(name, force=True)
                deadline = time.monotonic() + 1

    def _alive(self, name: str) -> bool:
        entry = self._processes[name]
        return "returncode" not in entry and entry["process"].is_alive()

    def _send(self, name: str, *, force: bool) -> None:
        pid = self._processes[name].get("pid")
        if pid is None or not self._alive(name):
            return
        if force:
            for child in _descendants(pid):
                child.kill()
        (self._procmgr.kill if force else self._procmgr.terminate)(pid)

    def _take(self, seconds: float) -> None:
        try:
            message = self.events.get(timeout=seconds)
        except queue.Empty:
            return
        if message.type == "line":
            with suppress(OSError):  # whoever read the lines is gone: that ends nothing
                self._printer.write(message)
        elif message.type == "start":
            self._processes[message.name]["pid"] = message.data["pid"]
            self._on_start(message.name, message.data["pid"])
        else:
            self._processes[message.name]["returncode"] = message.data["returncode"]


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
