"""The product over a Valkey, a proxy, a disk and perhaps a PostgreSQL of our own, so that each of them can fail."""

from __future__ import annotations

import base64
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import psutil

from benchmarks.chaos.mix import options, write_flows
from benchmarks.chaos.proxy import Proxy, proxy_to
from benchmarks.chaos.watcher import Watcher, watching
from benchmarks.product import PASSWORD
from data import Store
from scripts.postgresql import Cluster
from streaming.bus import Bus
from watchfloor.product import Product, running
from watchfloor.settings import Settings
from watchfloor.up import read_state
from watchfloor.valkey import look_after, valkey_command, wait_for

DISK = "256m"
_FULL_SECONDS = 1.5
_HOLD_SECONDS = 1.0
_START_SECONDS = 180.0
_SIGNED_IN = {"Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()}


class NoDisk(RuntimeError):
    """No file system may be mounted here; the message says what to do."""


class Valkey:
    """The server that is embedded otherwise, looked after as there, and started again at once when it is killed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.socket = home / "valkey.sock"
        self.process = self._start()
        self._closed = threading.Event()
        self._keeper = threading.Thread(target=look_after, args=(home, self._closed.is_set))
        self._keeper.start()

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
        self._closed.set()
        self._keeper.join()
        self.process.kill()
        self.process.wait()


class Parts(msgspec.Struct, frozen=True):
    """What a world is made of."""

    valkey: Valkey
    proxy: Proxy
    product: Product
    watcher: Watcher
    database_url: str
    cluster: Cluster | None = None
    small_disk: bool = False


class World:
    """What runs. ``faults`` are the names that ``do`` knows; ``watcher`` looks at it all the time."""

    def __init__(self, home: Path, parts: Parts) -> None:
        self.side = home / "side"
        self.watcher = parts.watcher
        self.database_url = parts.database_url
        self._disk = home / "data"
        self._full_until: float | None = None
        self.store = Store(parts.database_url)
        self.bus = Bus(f"unix://{parts.valkey.socket}")
        self._cluster = parts.cluster
        self._do: dict[str, Callable[[], bool | None]] = {
            **{name: lambda name=name: self._kill(name) for name in ("executor", "worker", "logs", "web")},
            "pool": self._kill_pool,
            "valkey": parts.valkey.kill,
            "cut": parts.proxy.cut,
            "hold": lambda: parts.proxy.hold(_HOLD_SECONDS),
            "page": parts.watcher.cut,
        }
        if parts.small_disk:
            self._do["disk"] = self._fill
        if parts.cluster is not None:
            self._do["database"] = self._kill_database

    @property
    def faults(self) -> list[str]:
        """Names of all that can go wrong here."""
        return list(self._do)

    def do(self, fault: str) -> bool:
        """Let it go wrong, now; false when there was nothing to go wrong: what is killed has not come back yet."""
        try:
            return self._do[fault]() is not False
        except psutil.NoSuchProcess:
            return False

    def tidy(self) -> None:
        """What is over is taken back; call it often."""
        if self._full_until is not None and time.monotonic() > self._full_until:
            self._full_until = None
            (self._disk / "filling").unlink()

    def close(self) -> None:
        """Close what was opened to look at it."""
        self.store.close()
        self.bus.close()

    def _process(self, name: str) -> psutil.Process | None:
        state = read_state(self._disk)
        process = psutil.Process(state.processes[name]) if state is not None and name in state.processes else None
        return None if process is None or process.status() == psutil.STATUS_ZOMBIE else process

    def _kill(self, name: str) -> bool:
        process = self._process(name)
        if process is not None:
            process.kill()
        return process is not None

    def _kill_pool(self) -> bool:
        """One process of the worker's pool, one that runs something where there is such."""
        worker = self._process("worker")
        pool = worker.children() if worker is not None else []
        if pool:
            max(pool, key=lambda child: len(child.children())).kill()
        return bool(pool)

    def _kill_database(self) -> None:
        assert self._cluster is not None
        self._cluster.kill()
        self._cluster.start()

    def _fill(self) -> None:
        with (self._disk / "filling").open("wb") as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
        self._full_until = time.monotonic() + _FULL_SECONDS


@contextmanager
def world(home: Path, watched: Sequence[str], *, disk: bool, cluster: Cluster | None = None) -> Iterator[World]:
    """The product in ``home`` for the time of the block, and somebody who looks at the executions ``watched``.

    With ``disk`` on a small file system of its own; with a ``cluster`` in a database of that.
    """
    data = home / "data"
    data.mkdir(parents=True)
    write_flows(home / "flows", home / "side")
    url = cluster.create(home.name) if cluster is not None else Settings(data_dir=data).resolved_database_url
    with _small_disk(data, wanted=disk):
        valkey = Valkey(data)
        try:
            with proxy_to(valkey.socket) as proxy:
                env = {**options(), "WATCHFLOOR_REDIS_URL": proxy.url, "WATCHFLOOR_DATABASE_URL": url}
                with (
                    running(data, home / "flows", seconds=_START_SECONDS, **env) as product,
                    watching(product.url, _SIGNED_IN, watched) as watcher,
                ):
                    made = World(home, Parts(valkey, proxy, product, watcher, url, cluster, disk))
                    try:
                        yield made
                    finally:
                        (data / "filling").unlink(missing_ok=True)
                        made.close()
                        (home / "output").write_text("".join(product.output))
                        shutil.copytree(data / "logs", home / "logs", dirs_exist_ok=True)
        finally:
            valkey.close()
            if cluster is not None:
                cluster.drop(home.name)


@contextmanager
def _small_disk(folder: Path, *, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoDisk(
            f"expected to mount a small disk, as root may: {done.stderr.strip()}; or leave it out: --without disk"
        )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
