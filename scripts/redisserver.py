"""A private Redis server for tests: with a password, users and TLS, as one on the network has them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchfloor.product import free_port
from watchfloor.valkey import wait_for


class RedisMissing(RuntimeError):
    """There is no Redis server on this machine."""


@contextmanager
def redis_server(folder: Path, port: int | None = None, url: str | None = None, **options: str) -> Iterator[int]:
    """A server on 127.0.0.1 for the time of the block; its port.

    ``options`` are its settings, ``_`` for ``-``. With ``url`` it is waited for there rather than without a password.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise RedisMissing("expected redis-server on PATH, found none: run `make test` once, or install redis-server")
    port = port or free_port()
    listen = {"tls_port": str(port), "port": "0"} if "tls_cert_file" in options else {"port": str(port)}
    given = {"bind": "127.0.0.1", "dir": str(folder), "save": "", **listen, **options}
    words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", *value.split("\n"))]
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen([program, *words], stdout=log, stderr=log)
    try:
        wait_for(url.format(port=port) if url else f"redis://127.0.0.1:{port}", process)
        yield port
    finally:
        process.terminate()
        process.wait(10)
