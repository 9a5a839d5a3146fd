"""Watchfloor on several machines, as one: processes by themselves against PostgreSQL and Redis, each may be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from data import Store
from tests.waiting import until
from watchfloor.product import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long enough password"
_API = "/api/v1/main"


class Fleet:
    """``kinds``: web, executor, logs, worker with how many of each; a name is kind and number: ``worker-2``."""

    def __init__(self, folder: Path, redis_url: str, database_url: str, **kinds: int) -> None:
        self.folder = folder
        self.ports = [free_port() for _ in range(kinds["web"])]
        self.names = [f"{kind}-{number}" for kind, count in kinds.items() for number in range(count)]
        self._env = os.environ | {
            "WATCHFLOOR_REDIS_URL": redis_url,
            "WATCHFLOOR_DATABASE_URL": database_url,
            "WATCHFLOOR_PARTITIONS": str(kinds["executor"]),
            "WATCHFLOOR_FLOWS_DIR": str(folder / "flows"),
            "WATCHFLOOR_FILES_URL": (folder / "files").as_uri(),
            "WATCHFLOOR_SECRET_KEY": "the same for all web processes",
            "WATCHFLOOR_WORKER_PROCESSES": "2",
            "WATCHFLOOR_PROXIES": "1",
            "WATCHFLOOR_LOGIN_RATE": "3 per minute",
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._log = (folder / "fleet.log").open("wb")
        store = Store(database_url)
        store.migrate()
        store.ensure_admin(PASSWORD)
        store.close()

    def start(self, *names: str) -> None:
        """Start these; each has a data folder of its own, as on a machine of its own."""
        for name in names:
            kind, _, number = name.partition("-")
            env = self._env | {"WATCHFLOOR_DATA_DIR": str(self.folder / name)}
            command = [sys.executable, "-m", "watchfloor.cli", kind]
            if kind == "web":
                command = [sys.executable, "-m", "watchfloor.web"]
                env["WATCHFLOOR_PORT"] = str(self.ports[int(number)])
            if kind == "executor":
                command += ["--partition", number]
            self._processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=self._log, stderr=self._log, start_new_session=True
            )

    def pid(self, name: str) -> int:
        """The process of this name."""
        return self._processes[name].pid

    def kill(self, name: str) -> None:
        """Kill -9 a process and all of its group."""
        process = self._processes.pop(name)
        os.killpg(process.pid, 9)
        process.wait()

    def call(self, web: int, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Any:
        """What a web process answers as JSON; raises OSError while it is away."""
        token = b64encode(f"admin:{headers.pop('password', PASSWORD)}".encode()).decode()
        url = f"http://127.0.0.1:{self.ports[web]}{path}"
        request = Request(url, body, {"Authorization": f"Basic {token}", **headers}, method=method)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                raise OSError(f"{error.code}: {error.read().decode()[:500]}") from error

    def execute(self, web: int, flow: str, **inputs: str) -> str:
        """Ask a web process for an execution; its id."""
        boundary = "wf-boundary"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in inputs.items()
        ]
        body = ("".join(parts) + f"--{boundary}--\r\n").encode()
        kind = f"multipart/form-data; boundary={boundary}"
        return str(self.call(web, f"{_API}/executions/{flow}", "POST", body, **{"Content-Type": kind})["id"])

    def shown(self, web: int) -> dict[str, str]:
        """State by id of the newest executions, as a web process tells them."""
        found = self.call(web, f"{_API}/executions/search?size=500")
        return {item["id"]: item["state"]["current"] for item in found["results"]}

    def ready(self, web: int) -> bool:
        """Whether everything behind a web process answers it."""
        try:
            return bool(self.call(web, "/ready")["status"] == "ok")
        except OSError:
            return False

    def said(self) -> str:
        """The last lines of all processes."""
        return (self.folder / "fleet.log").read_text(errors="replace")[-6_000:]

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for a condition; what is away meanwhile is asked again."""

        def asked() -> Any:
            try:
                return condition()
            except OSError:
                return None

        try:
            return until(asked, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None

    def close(self) -> None:
        """Kill everything."""
        for name in list(self._processes):
            self.kill(name)
        self._log.close()


@contextmanager
def running(folder: Path, redis_url: str, database_url: str, **kinds: int) -> Iterator[Fleet]:
    """All processes for the time of the block."""
    fleet = Fleet(folder, redis_url, database_url, **kinds)
    try:
        fleet.start(*fleet.names)
        fleet.until(lambda: all(fleet.ready(web) for web in range(len(fleet.ports))), "all ready")
        yield fleet
    finally:
        fleet.close()
