"""Exports that are being made: a process for each, its file passed on as it comes, its progress told by Redis."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from select import select
from socket import MSG_PEEK
from typing import Any, Literal

import msgspec
import structlog
from redis.exceptions import RedisError

from data.exporter import DATA, END, FAILED, HEAD, Order
from streaming import keys
from streaming.bus import Bus

log = structlog.get_logger()

KEPT_SECONDS = 600  # progress can be asked for so long after its last change
_TELL_SECONDS = 0.2
_ROOT = Path(__file__).resolve().parent.parent

State = Literal["RUNNING", "SUCCESS", "FAILED", "CANCELLED"]


class Progress(msgspec.Struct, kw_only=True):
    """How far an export is. ``bytes`` are those that were sent."""

    id: str
    owner: str
    format: str
    total: int
    state: State = "RUNNING"
    rows: int = 0
    bytes: int = 0
    error: str | None = None


class ExportFailed(Exception):
    """The file is not whole: the connection ends without saying that it is."""


class Exports:
    """The exports of one process, ``most`` at a time."""

    def __init__(self, bus: Bus, most: int) -> None:
        self._bus, self._most = bus, most
        self._running: dict[str, Export] = {}

    def start(self, order: Order, progress: Progress) -> Export | None:
        """Begin to make a file; ``None`` when as many as there may be are being made."""
        alive = {id: one for id, one in self._running.items() if one.alive}
        self._running = alive
        if len(alive) >= self._most:
            return None
        export = self._running[progress.id] = Export(order, progress, self._bus)
        return export

    def progress(self, export_id: str) -> Progress | None:
        """How far it is, whichever process makes it; ``None`` when nothing is known of it (any more)."""
        found = self._bus.redis.get(keys.export(export_id))
        return msgspec.json.decode(found, type=Progress) if found else None

    def cancel(self, export_id: str) -> None:
        """End it, here or in whichever process makes it."""
        self._bus.redis.set(keys.export_cancelled(export_id), b"1", ex=KEPT_SECONDS)
        if export_id in self._running:
            self._running[export_id].cancel()


class Export:
    """One export: iterate over ``pieces`` for its file, then ``close`` it, whatever happened."""

    def __init__(self, order: Order, progress: Progress, bus: Bus) -> None:
        self.progress = progress
        self._bus = bus
        self._told = 0.0
        self._closed = False
        self._tell()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "data.exporter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT
        )
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.msgpack.encode(order))
        self._process.stdin.close()
        log.info("export.started", export=progress.id, format=progress.format, actor=progress.owner)

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process.poll() is None

    def pieces(self, client: Any = None) -> Iterator[bytes]:
        """The file as it comes, empty pieces while there is nothing of it yet. Raises ``ExportFailed``.

        ``client``: the socket of whoever gets it, looked at while there is nothing to send.
        """
        try:
            yield from self._frames(client)
        finally:
            self.close()

    def _frames(self, client: Any) -> Iterator[bytes]:
        while True:
            kind, rows, data = self._frame()
            self.progress.rows = rows
            self._look(client if kind != DATA else None)
            if kind == END:
                self.progress.state = "SUCCESS"
                return
            if kind == FAILED:
                self._fail(data.decode())
            self.progress.bytes += len(data)
            yield data

    def _frame(self) -> tuple[bytes, int, bytes]:
        out = self._process.stdout
        assert out is not None
        head = out.read(HEAD.size)
        if len(head) < HEAD.size:
            self._fail("the process that makes it ended too early; its log says more")
        kind, rows, size = HEAD.unpack(head)
        return kind, rows, out.read(size)

    def _look(self, client: Any) -> None:
        """Now and then: tell how far it is, and end it when that was asked for or nobody waits for it any more."""
        if time.monotonic() - self._told < _TELL_SECONDS:
            return
        if self._tell() or (client is not None and _is_gone(client)):
            self.cancel()

    def _tell(self) -> bool:
        """Write the progress; whether the export was cancelled meanwhile."""
        self._told = time.monotonic()
        try:
            with self._bus.redis.pipeline(transaction=False) as pipe:
                pipe.set(keys.export(self.progress.id), msgspec.json.encode(self.progress), ex=KEPT_SECONDS)
                pipe.exists(keys.export_cancelled(self.progress.id))
                return bool(pipe.execute()[1])
        except RedisError:  # the file comes all the same
            return False

    def _fail(self, why: str) -> None:
        if self.progress.state == "RUNNING":
            self.progress.state, self.progress.error = "FAILED", why
        raise ExportFailed(why)

    def cancel(self) -> None:
        """End its process; who reads the pieces gets ``ExportFailed``."""
        if self.progress.state == "RUNNING":
            self.progress.state = "CANCELLED"
        self._process.kill()

    def close(self) -> None:
        """End its process if it still runs, and say how it ended. A reader that went away cancels it."""
        if self._closed:
            return
        self._closed = True
        self.cancel()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()
        self._tell()
        done = self.progress
        log.info(
            "export.ended", export=done.id, state=done.state, rows=done.rows, bytes=done.bytes, error=done.error
        )  # fmt: skip


def _is_gone(client: Any) -> bool:
    """Whether the other end of a socket has closed."""
    readable, _, _ = select([client], [], [], 0)
    try:
        return bool(readable) and client.recv(1, MSG_PEEK) == b""
    except OSError:
        return True
