"""A task's process: in a session and process group of its own, followed while it runs, ended with all its children."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Collection
from pathlib import Path

import psutil
import structlog

from engine.ids import attempt_id
from engine.worker.control import JobControl, Stop
from engine.worker.identity import is_local, lives_here, worker_id
from engine.worker.lines import LineSplitter
from streaming.messages import Job

log = structlog.get_logger("worker")

MARK = "WATCHFLOOR_ATTEMPT"
OWNER = "WATCHFLOOR_ATTEMPT_OF"
_READ_BYTES = 65_536
_POLL = 0.05
_LINGER = 0.3  # how long the output of background children is still read after the process itself has ended
_GIVE_UP = 5.0  # how long after SIGKILL a process may stay in the kernel before it is left alone


def mark_of(job: Job) -> str:
    """What every process of an attempt has in its environment, by which it is found wherever it went."""
    return attempt_id(job.task_run_id, job.attempt)


def end_orphans(marks: Collection[str] = ()) -> None:
    """SIGKILL to every process on this machine whose worker process is gone, and to those of the attempts ``marks``."""
    for process in psutil.process_iter():
        try:
            env = process.environ()
            if MARK in env and (env[MARK] in marks or _is_orphan(env.get(OWNER, ""))):
                process.send_signal(signal.SIGKILL)
                log.warning("process.orphan_ended", process=process.pid, attempt=env[MARK])
        except (psutil.Error, OSError):
            continue


def _is_orphan(owner: str) -> bool:
    return is_local(owner) and not lives_here(owner)


OnLine = Callable[[str, bytes, int], None]


class TaskProcess:
    """One process and what it starts. ``on_line(stream, bytes kept, real length)`` gets each line as it comes."""

    def __init__(self, argv: list[str], *, cwd: Path, env: dict[str, str], mark: str) -> None:
        self._mark = mark
        self._popen = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env | {MARK: mark, OWNER: worker_id()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self.left_behind = 0
        self.unkillable = 0

    @property
    def pid(self) -> int:
        """Process id, and id of the group."""
        return self._popen.pid

    def follow(
        self,
        on_line: OnLine,
        control: JobControl,
        *,
        splitter: Callable[[], LineSplitter],
        idle: Callable[[], None],
        may_read: Callable[[], bool],
        grace: float,
    ) -> int:
        """Read until the process has ended or was made to; its exit code (negative: the signal that ended it).

        ``idle`` is called several times a second; while ``may_read`` is false nothing is read, so that a full
        buffer makes the process wait instead of the worker grow.
        """
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        reader = _Reader({"stdout": self._popen.stdout, "stderr": self._popen.stderr}, splitter, on_line, control)
        try:
            ended_at, pause = None, 0.001
            while control.check() is None:
                reader.read(_POLL if reader.open else pause, may_read())
                pause = min(pause * 2, _POLL) if not reader.open else 0.001
                idle()
                if ended_at is None and self._ended():
                    ended_at = time.monotonic()
                if ended_at is not None and (not reader.open or time.monotonic() - ended_at > _LINGER):
                    break
            if control.reason is not None or self._left_something():
                self._end_all(reader, idle, may_read, grace if control.reason else _LINGER)
            reader.finish()
        finally:
            reader.close()
            self._kill_now()
        return self._popen.wait()

    def _ended(self) -> bool:
        """True when the process itself has ended."""
        return self._popen.poll() is not None

    def _left_something(self) -> bool:
        """True when the process has ended and its group still has members."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _family(self) -> list[psutil.Process]:
        """Everything alive that this task started: by group, by descent, by the mark in the environment."""
        found = {}
        own = os.getpid()
        for process in psutil.process_iter():
            if process.pid != own and self._is_ours(process):
                found[process.pid] = process
        for process in list(found.values()):
            for child in _children(process):
                found.setdefault(child.pid, child)
        return [p for p in found.values() if _alive(p)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return os.getpgid(process.pid) == self.pid or process.environ().get(MARK) == self._mark
        except (psutil.Error, OSError):
            return False

    def _end_all(self, reader: _Reader, idle: Callable[[], None], may_read: Callable[[], bool], grace: float) -> None:
        """SIGTERM to everything left, and SIGKILL to what is still there after ``grace``."""
        family = self._family()
        self.left_behind = sum(process.pid != self.pid for process in family)
        _signal(family, signal.SIGTERM)
        end = time.monotonic() + grace
        while family and time.monotonic() < end:
            reader.read(_POLL, may_read())
            idle()
            family = self._family()
        end = time.monotonic() + _GIVE_UP
        while family and time.monotonic() < end:
            _signal(family, signal.SIGKILL)
            reader.read(0.01, may_read())
            family = self._family()
        self.unkillable = len(family)

    def _kill_now(self) -> None:
        """However ``follow`` was left, the process itself does not outlive it."""
        if not self._ended():
            os.killpg(self.pid, signal.SIGKILL)


class _Reader:
    """Both output pipes and the control's pipe in one selector."""

    def __init__(
        self, streams: dict[str, object], splitter: Callable[[], LineSplitter], on_line: OnLine, control: JobControl
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._control = control
        self._on_line = on_line
        self._streams = streams
        self.open = dict(streams)
        self._splitters = {name: splitter() for name in streams}
        self._selector.register(control, selectors.EVENT_READ, None)
        for name, stream in streams.items():
            self._selector.register(stream, selectors.EVENT_READ, name)

    def read(self, seconds: float, may_read: bool) -> None:
        """Wait at most ``seconds`` and hand over the lines that came."""
        if not may_read or not self.open:
            self._control.check() or _nap(self._control, seconds)
            return
        for key, _ in self._selector.select(seconds):
            if key.data is not None:
                self._read_one(key.data)
        if self._control.reason is not None and self._control in self._selector.get_map():
            self._selector.unregister(self._control)

    def _read_one(self, name: str) -> None:
        stream = self.open[name]
        chunk = os.read(stream.fileno(), _READ_BYTES)
        if not chunk:
            self._selector.unregister(stream)
            del self.open[name]
        for kept, length in self._splitters[name].feed(chunk) if chunk else ():
            self._on_line(name, kept, length)

    def finish(self) -> None:
        """Hand over what is in the pipes still, and lines without a newline at their end."""
        for name in list(self.open):
            os.set_blocking(self.open[name].fileno(), False)
            try:
                while name in self.open:
                    self._read_one(name)
            except BlockingIOError:
                pass
        for name, splitter in self._splitters.items():
            for kept, length in splitter.end():
                self._on_line(name, kept, length)

    def close(self) -> None:
        self._selector.close()
        for stream in self._streams.values():
            stream.close()


def _nap(control: JobControl, seconds: float) -> None:
    if control.reason is None:
        with selectors.DefaultSelector() as selector:
            selector.register(control, selectors.EVENT_READ)
            selector.select(seconds)
    else:
        time.sleep(seconds)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def _signal(processes: list[psutil.Process], signum: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(signum)
        except psutil.Error:
            continue


def describe_exit(code: int, reason: Stop | None) -> str:
    """What an exit code says, in words."""
    if reason is not None:
        return f"the process was stopped ({reason})"
    if code >= 0:
        return f"the command ended with exit code {code}"
    return f"the command was ended by {signal.Signals(-code).name} from outside"
