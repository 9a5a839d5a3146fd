"""A private PostgreSQL for tests and benchmarks: a cluster in a folder of its own, on a Unix socket and a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from watchfloor.product import free_port

USER = "watchfloor"
_UNPRIVILEGED = ("postgres", "nobody")  # whom root runs the server as: PostgreSQL refuses root
_CAREFREE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_SECONDS = 30.0


class PostgresMissing(RuntimeError):
    """There is no PostgreSQL server on this machine."""


def program(name: str) -> str:
    """Where a program of the newest PostgreSQL server is; raises PostgresMissing."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    for folder in reversed(folders):
        if (folder / name).exists():
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise PostgresMissing(f"expected PostgreSQL's {name}, found none: run `make test` once, or install postgresql")
    return found


class Cluster:
    """A cluster in ``folder``, made where there is none; ``options`` are settings of the server.

    Texts are sorted as in English by default.
    """

    def __init__(self, folder: Path, options: dict[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {"cwd": folder} | _identity()
        if "user" in self._as:
            shutil.chown(folder, self._as["user"], self._as["group"])
        if not (folder / "data").exists():
            self._make()

    def _make(self) -> None:
        command = [program("initdb"), "--pgdata", str(self.folder / "data"), "--username", USER, "--auth", "trust"]
        command += ["--encoding", "UTF8", "--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en"]
        done = subprocess.run([*command, "--no-sync"], capture_output=True, text=True, check=False, **self._as)
        if done.returncode:
            raise RuntimeError(f"initdb failed with code {done.returncode}: {done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder)}
        words = [word for name, value in (options | self._options).items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program("postgres"), "-D", str(self.folder / "data"), *words], stdout=log, stderr=log, **self._as
            )
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                psycopg.connect(self.conninfo("postgres")).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    said = (self.folder / "server.log").read_text()[-2_000:]
                    raise RuntimeError(f"PostgreSQL does not answer ({error}): {said}") from error
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT turns clients out, SIGQUIT leaves recovery to the next start."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(_SECONDS)
        self._process = None

    def kill(self) -> None:
        """Kill -9 the server and every backend of it."""
        assert self._process is not None
        backends = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait()
        for backend in backends:
            with suppress(psutil.NoSuchProcess):
                backend.kill()
        psutil.wait_procs(backends, _SECONDS)
        self._process = None

    @contextmanager
    def silent(self) -> Iterator[None]:
        """It stands still for the time of the block: connections stay open, nothing is answered."""
        assert self._process is not None
        server = psutil.Process(self._process.pid)
        server.suspend()
        stopped = [server, *server.children(recursive=True)]
        for process in stopped[1:]:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def conninfo(self, database: str) -> str:
        """How libpq reaches a database."""
        return f"host={self.folder} port={self.port} user={USER} dbname={database}"

    def url(self, database: str) -> str:
        """How SQLAlchemy reaches it, by the Unix socket."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}&port={self.port}"

    def execute(self, sql: str) -> None:
        """Run a statement outside a transaction, as the superuser."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(sql.encode())

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database as a copy of ``template``; its URL."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _identity() -> dict[str, Any]:
    """Arguments of ``subprocess``: whom to run the server as."""
    if os.geteuid() != 0:
        return {}
    for name in _UNPRIVILEGED:
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise PostgresMissing(f"expected one of the users {', '.join(_UNPRIVILEGED)} to run PostgreSQL as, found none")


@contextmanager
def postgres(*, durable: bool = False, **options: str) -> Iterator[Cluster]:
    """A running cluster for the time of the block. Unless ``durable`` it never waits for the disk."""
    with tempfile.TemporaryDirectory(prefix="wf-pg-") as folder:
        cluster = Cluster(Path(folder), ({} if durable else _CAREFREE) | options)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop(signal.SIGQUIT)
