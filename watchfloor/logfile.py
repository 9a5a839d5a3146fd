"""A log file that several processes may append to, and that any of them moves on when it is full."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from threading import Lock


class LogFile:
    """``path`` and, older, ``path.1`` up to ``path.<keep>``: about ``max_bytes`` each, the oldest is forgotten.

    A line is appended whole. A disk that is full or a folder that is gone loses lines, never the process: they are
    on standard error too.
    """

    def __init__(self, path: Path, max_bytes: int, keep: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._lock = Lock()
        self._handle: int | None = None
        # The worker forks: never while a line is being written.
        os.register_at_fork(before=self._lock.acquire, after_in_parent=self._lock.release, after_in_child=self._forked)

    def _forked(self) -> None:
        self._lock.release()

    def write(self, line: str) -> None:
        """Append a line."""
        with self._lock, suppress(OSError):
            data = line.encode("utf-8", "replace") + b"\n"
            if self._size() + len(data) > self._max_bytes:
                self._move_on(len(data))
            assert self._handle is not None
            os.write(self._handle, data)

    def _size(self) -> int:
        """Size of the file, opened when it is not, or when another process moved it on."""
        with suppress(OSError):
            if self._handle is not None and os.stat(self._path).st_ino == os.fstat(self._handle).st_ino:
                return os.fstat(self._handle).st_size
        self._open()
        assert self._handle is not None
        return os.fstat(self._handle).st_size

    def _open(self) -> None:
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

    def _move_on(self, needed: int) -> None:
        """The full file becomes ``.1``, by whoever comes first; the others find a new one."""
        with (self._path.parent / f".{self._path.name}.lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            size = self._size()
            if size and size + needed > self._max_bytes:
                for number in range(self._keep - 1, 0, -1):
                    with suppress(FileNotFoundError):
                        os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
                os.replace(self._path, f"{self._path}.1")
            self._open()

    def close(self) -> None:
        """Give the file back."""
        if self._handle is not None:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None
