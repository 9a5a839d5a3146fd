"""The product over a Valkey, a proxy and a disk of our own, so that each of them can fail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.chaos.mix import options, write_flows
from benchmarks.chaos.proxy import Proxy, proxy_to
from data import Store
from streaming.bus import Bus
from watchfloor.product import Product, running
from watchfloor.settings import Settings
from watchfloor.up import read_state
from watchfloor.valkey import valkey_command, wait_for

DISK = "256m"
_FULL_SECONDS = 1.5
_HOLD_SECONDS = 1.0


class Valkey:
    """The server that is embedded otherwise, started again at once when it is killed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.socket = home / "valkey.sock"
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with (self.home / "valkey.log").open("ab") as log:
            process = subprocess.Popen(valkey_command(self.home, self.socket), stdout=log, stderr=log)
        wait_for(f"unix://{self.socket}", process)
        return process

    def kill(self) -> None:
        """SIGKILL, and a new one over the same files."""
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


class World:
    """What runs. ``faults`` are the names that ``do`` knows."""

    def __init__(self, home: Path, valkey: Valkey, proxy: Proxy, product: Product) -> None:
        self.side = home / "side"
        self._disk = home / "data"
        self._valkey = valkey
        self._proxy = proxy
        self._product = product
        self._full_until: float | None = None
        settings = Settings(data_dir=self._disk, redis_url=f"unix://{valkey.socket}")
        self.store = Store(settings.resolved_database_url)
        self.bus = Bus(settings.resolved_redis_url)
        self._do: dict[str, Callable[[], None]] = {
            **{name: lambda name=name: self._kill(name) for name in ("executor", "worker", "logs", "web")},
            "pool": self._kill_pool,
            "valkey": valkey.kill,
            "cut": proxy.cut,
            "hold": lambda: proxy.hold(_HOLD_SECONDS),
        }
        if os.path.ismount(self._disk):
            self._do["disk"] = self._fill

    @property
    def faults(self) -> list[str]:
        """Names of all that can go wrong here."""
        return list(self._do)

    def do(self, fault: str) -> None:
        """Let it go wrong, now."""
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            self._do[fault]()

    def tidy(self) -> None:
        """What is over is taken back; call it often."""
        if self._full_until is not None and time.monotonic() > self._full_until:
            self._full_until = None
            (self._disk / "filling").unlink()

    def close(self) -> None:
        """Close what was opened to look at it."""
        self.store.close()
        self.bus.close()

    def _pid(self, name: str) -> int:
        state = read_state(self._disk)
        return state.processes[name] if state is not None else 0

    def _kill(self, name: str) -> None:
        if pid := self._pid(name):
            os.kill(pid, signal.SIGKILL)

    def _kill_pool(self) -> None:
        """One process of the worker's pool."""
        if pid := self._pid("worker"):
            for child in psutil.Process(pid).children()[-1:]:
                child.kill()

    def _fill(self) -> None:
        with (self._disk / "filling").open("wb") as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
        self._full_until = time.monotonic() + _FULL_SECONDS


@contextmanager
def world(home: Path, *, disk: bool) -> Iterator[World]:
    """The product in ``home`` for the time of the block; with ``disk`` on a small file system of its own, where that
    may be mounted."""
    data = home / "data"
    data.mkdir(parents=True)
    write_flows(home / "flows", home / "side")
    with _small_disk(data, wanted=disk):
        valkey = Valkey(data)
        try:
            with proxy_to(valkey.socket) as proxy:
                env = {**options(), "WATCHFLOOR_REDIS_URL": proxy.url}
                with running(data, home / "flows", **env) as product:
                    made = World(home, valkey, proxy, product)
                    try:
                        yield made
                    finally:
                        (data / "filling").unlink(missing_ok=True)
                        made.close()
                        (home / "output").write_text("".join(product.output))
                        shutil.copytree(data / "logs", home / "logs", dirs_exist_ok=True)
        finally:
            valkey.close()


@contextmanager
def _small_disk(folder: Path, *, wanted: bool) -> Iterator[None]:
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    mounted = wanted and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
