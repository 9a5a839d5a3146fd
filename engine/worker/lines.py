"""Bytes of a process into lines, lines into numbered, capped batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from engine.worker.limits import Limits
from streaming.messages import LEVELS, Job, Level, LogBatch, LogLine

FLUSH_SECONDS = 0.05
BATCH_LINES = 500
_PROTOCOL_START = b"::{"


class LineSplitter:
    """Cuts a byte stream into lines and keeps at most ``keep`` bytes of each (``keep_protocol`` of a ``::{…`` one)."""

    def __init__(self, keep: int, keep_protocol: int) -> None:
        self._keep = keep
        self._keep_protocol = keep_protocol
        self._kept = bytearray()
        self._length = 0

    def feed(self, chunk: bytes) -> list[tuple[bytes, int]]:
        """The lines that ``chunk`` completes: (what was kept, how long the line really was)."""
        first, *others = chunk.split(b"\n")
        self._add(first)
        if not others:
            return []
        lines = [self._take()]
        lines += [(part[: self._limit(part)], len(part)) for part in others[:-1]]
        self._add(others[-1])
        return lines

    def end(self) -> list[tuple[bytes, int]]:
        """The last line, if it had no newline."""
        return [self._take()] if self._length else []

    def _add(self, part: bytes) -> None:
        self._length += len(part)
        room = self._limit(self._kept or part) - len(self._kept)
        if room > 0:
            self._kept += part[:room]

    def _limit(self, start: bytes | bytearray) -> int:
        return self._keep_protocol if start.startswith(_PROTOCOL_START) else self._keep

    def _take(self) -> tuple[bytes, int]:
        line = (bytes(self._kept), self._length)
        self._kept.clear()
        self._length = 0
        return line


class FirstError:
    """Finds the line that says what went wrong: the first error line, of a Python traceback its last one."""

    def __init__(self) -> None:
        self.line: str | None = None
        self._in_traceback = False

    def see(self, message: str) -> None:
        """Look at one ERROR line."""
        if self.line is not None or not message.strip():
            return
        if message.startswith("Traceback (most recent call last)"):
            self._in_traceback = True
        elif not (self._in_traceback and message[:1] in " \t"):
            self.line = message.strip()


class Lines:
    """The log of one attempt: numbers its lines, cuts long ones, counts those over the cap, sends them in batches.

    The first line goes out at once, later ones at most every ``FLUSH_SECONDS``; whoever waits for something calls
    ``flush_due`` meanwhile. ``minimum`` is the task's ``logLevel``.
    """

    def __init__(
        self,
        job: Job,
        send: Callable[[LogBatch], None],
        limits: Limits,
        *,
        minimum: Level = "TRACE",
        start: int = 0,
        hide: Callable[[str], str] = str,
    ) -> None:
        self.number = start
        self.over_cap = 0
        self.first_error = FirstError()
        self._job = job
        self._send = send
        self._limits = limits
        self._minimum = LEVELS.index(minimum)
        self._hide = hide
        self._waiting: list[LogLine] = []
        self._sent_at = 0.0

    def add(self, level: Level, message: str, length: int | None = None) -> None:
        """One line; ``length`` is its real size in bytes when some was cut off already."""
        if level == "ERROR":
            self.first_error.see(message)
        if LEVELS.index(level) < self._minimum:
            return
        if self.number >= self._limits.max_lines:
            self._refuse()
            return
        self._append(level, self._cut(message, length))

    def note(self, level: Level, message: str) -> None:
        """A line of the worker itself: it is kept whatever the caps say."""
        self._append(level, message)

    def flush_due(self) -> None:
        """Send what waits if it has waited long enough."""
        if self._waiting and time.monotonic() - self._sent_at >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if not self._waiting:
            return
        job = self._job
        lines, self._waiting = tuple(self._waiting), []
        self._sent_at = time.monotonic()
        self._send(
            LogBatch(
                execution_id=job.execution_id,
                namespace=job.namespace,
                flow_id=job.flow_id,
                task_id=job.task.get("id"),
                task_run_id=job.task_run_id,
                attempt=job.attempt,
                lines=lines,
            )
        )

    def close(self) -> None:
        """Say how many lines were not kept, and send the rest."""
        if self.over_cap:
            self.note("WARN", f"{self.over_cap:,} more lines were not kept (WATCHFLOOR_TASK_MAX_LOG_LINES).")
        self.flush()

    def _append(self, level: Level, message: str) -> None:
        self.number += 1
        self._waiting.append(LogLine(self.number, datetime.now(UTC), level, self._hide(message)))
        if len(self._waiting) >= BATCH_LINES:
            self.flush()
        else:
            self.flush_due()

    def _refuse(self) -> None:
        self.over_cap += 1
        if self.over_cap == 1:
            self.note(
                "WARN",
                f"The log is capped at {self._limits.max_lines:,} lines (WATCHFLOOR_TASK_MAX_LOG_LINES): "
                "further lines are counted, not kept.",
            )

    def _cut(self, message: str, length: int | None) -> str:
        limit = self._limits.max_line_bytes
        size = length if length is not None else len(message.encode("utf-8", "replace"))
        if size <= limit:
            return message
        kept = message.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")
        return f"{kept} … [cut: {size:,} bytes, WATCHFLOOR_TASK_MAX_LINE_BYTES is {limit:,}]"
