"""The whole product for the time of a block, started as a user would: for browser tests, benchmarks and pictures."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from watchfloor.settings import Settings

_LOGIN_LINK = re.compile(r"https?://\S+/login/[\w.~-]+")


class ProductError(RuntimeError):
    """The product did not start; the message holds what it printed."""


class Product(msgspec.Struct, frozen=True):
    """A running ``watchfloor up``."""

    url: str
    login_url: str
    settings: Settings
    process: subprocess.Popen[str]
    output: list[str]


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    data_dir: Path, flows_dir: Path, *, port: int | None = None, seconds: float = 60, **env: str
) -> Iterator[Product]:
    """``watchfloor up`` over these folders; ``env`` holds further settings by their environment names."""
    port = port or free_port()
    command = [sys.executable, "-m", "watchfloor.cli", "up", "--port", str(port)]
    command += ["--data-dir", str(data_dir), "--flows", str(flows_dir)]
    settings = Settings(port=port, data_dir=data_dir, flows_dir=flows_dir)
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "200", **env},
        start_new_session=True,
    )
    output: list[str] = []
    reader = threading.Thread(target=_read, args=(process, output), daemon=True)
    reader.start()
    try:
        login_url = _wait_for_link(process, output, seconds)
        yield Product(f"http://127.0.0.1:{port}", login_url, settings, process, output)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reader.join(5)
        assert process.stdout is not None
        process.stdout.close()


def _read(process: subprocess.Popen[str], output: list[str]) -> None:
    assert process.stdout is not None
    output.extend(iter(process.stdout.readline, ""))


def _wait_for_link(process: subprocess.Popen[str], output: list[str], seconds: float) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if match := _LOGIN_LINK.search("".join(output)):
            return match.group()
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise ProductError(f"expected a login link within {seconds:.0f} s, got:\n{''.join(output)}")
