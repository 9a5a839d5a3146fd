"""``/ready`` and ``/metrics`` with real processes, each of which is really taken away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from prometheus_client.parser import text_string_to_metric_families

from data import Store
from streaming.bus import Bus
from streaming.load import load
from tests.integration.homes import Homes
from watchfloor.product import free_port
from watchfloor.valkey import valkey_command, wait_for

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "web": ["-m", "watchfloor.web"],
    **{name: ["-m", "watchfloor.cli", name] for name in ("executor", "logs", "worker")},
}


class Product:
    """Every process by itself, so that each can be killed and stays away until it is started again."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder, self.port = folder, free_port()
        self._database_url = database_url
        self.socket = folder / "valkey.sock"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._log = (folder / "processes.log").open("wb")

    def start(self, *names: str) -> None:
        env = os.environ | {
            "WATCHFLOOR_DATA_DIR": str(self.folder),
            "WATCHFLOOR_DATABASE_URL": self._database_url,
            "WATCHFLOOR_PORT": str(self.port),
            "WATCHFLOOR_FLOWS_DIR": str(self.folder / "flows"),
        }
        for name in names:
            command = (
                [sys.executable, *COMMANDS[name]] if name in COMMANDS else valkey_command(self.folder, self.socket)
            )
            self._processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=self._log, stderr=self._log, start_new_session=True
            )
            if name == "valkey":
                wait_for(f"unix://{self.socket}")

    def kill(self, *names: str) -> None:
        for name in names:
            process = self._processes.pop(name)
            os.killpg(process.pid, 9)
            process.wait()

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        request = Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, "{}"

    def ready(self) -> tuple[int, dict[str, Any]]:
        status, body = self.get("/ready")
        return status, json.loads(body)

    def close(self) -> None:
        self.kill(*self._processes)
        self._log.close()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("ready"), module_database_url)
    store = Store(module_database_url)
    store.ensure_admin("secret")
    store.close()
    try:
        product.start("valkey", *COMMANDS)
        until(lambda: product.ready()[0] == 200, product)
        yield product
    finally:
        product.close()


def until(condition: Callable[[], Any], product: Product, seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        log = (product.folder / "processes.log").read_text()[-3_000:]
        assert time.monotonic() < deadline, f"it did not come; last: {product.ready()}\n{log}"
        time.sleep(0.1)
    return found


def figures(product: Product) -> dict[tuple[str, str], float]:
    """(name, process) of every sample, added up."""
    basic = b64encode(b"admin:secret").decode()
    status, text = product.get("/metrics", Authorization=f"Basic {basic}")
    assert status == 200
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, sample.labels["process"])
            found[key] = found.get(key, 0.0) + sample.value
    return found


def test_the_figures_of_all_processes_are_there(product: Product) -> None:
    bus = Bus(f"unix://{product.socket}")
    sent = load(bus, 200, 1.0, seed=3, alive=20)
    bus.close()
    until(lambda: figures(product).get(("watchfloor_events_applied_total", "executor")) == sent.events, product)
    found = figures(product)
    assert found["watchfloor_commit_events_sum", "executor"] == sent.events
    assert found["watchfloor_commit_seconds_count", "executor"] == found["watchfloor_commit_events_count", "executor"]
    assert found["watchfloor_events_waiting", "executor"] == 0
    assert found["watchfloor_worker_slots", "worker"] == 2
    assert found["watchfloor_up", "web"] == 5
    assert {process for name, process in found if name == "process_resident_memory_bytes"} == set(COMMANDS)


def test_all_is_well(product: Product) -> None:
    status, told = product.ready()
    assert (status, told["status"], told["problems"]) == (200, "ok", {})
    assert {name: part["state"] for name, part in told["parts"].items()} == dict.fromkeys(
        ("database", "redis", "executor", "logs", "worker"), "ok"
    )
    assert told["parts"]["executor"]["age_s"] < 2
    assert json.loads(product.get("/health")[1])["status"] == "ok"


def test_each_process_writes_its_log(product: Product) -> None:
    for name in COMMANDS:
        lines = [json.loads(line) for line in (product.folder / "logs" / f"{name}.log").read_text().splitlines()]
        assert "process.started" in {line["action"] for line in lines}, name
        assert {line["process"] for line in lines} == {name}
    product.get("/api/v1/main/flows/search", Authorization=f"Basic {b64encode(b'admin:wrong-one').decode()}")
    said = (product.folder / "logs" / "web.log").read_text()
    assert '"login.failed"' in said
    assert "wrong-one" not in said


@pytest.mark.parametrize(("name", "part"), [("executor", "executor"), ("logs", "logs")])
def test_without_a_process_it_is_not_ready_and_says_which(product: Product, name: str, part: str) -> None:
    product.kill(name)
    status, told = until(lambda: (found := product.ready())[0] == 503 and found, product)
    assert (status, list(told["problems"])) == (503, [part])
    assert "silent for" in told["problems"][part]
    assert product.get("/health")[0] == 200
    product.start(name)
    until(lambda: product.ready()[0] == 200, product)


def test_without_a_worker_it_is_ready_and_says_so(product: Product) -> None:
    product.kill("worker")
    status, told = until(lambda: (found := product.ready())[1]["parts"]["worker"]["state"] == "away" and found, product)
    assert (status, told["parts"]["worker"]["count"]) == (200, 0)
    assert figures(product)["watchfloor_up", "web"] == 4
    product.start("worker")
    until(lambda: product.ready()[1]["parts"]["worker"]["state"] == "ok", product)


def test_without_its_database_it_is_not_ready(product: Product, homes: Homes, module_database_url: str) -> None:
    with homes.away(module_database_url):
        told = until(lambda: (found := product.ready())[0] == 503 and found[1], product)
        assert "database" in told["problems"]
    until(lambda: product.ready()[0] == 200, product)


def test_without_redis_it_is_not_ready_and_its_own_figures_are_still_there(product: Product) -> None:
    product.kill("valkey")
    told = until(lambda: (found := product.ready())[0] == 503 and found[1], product)
    assert "redis" in told["problems"]
    assert {process for _, process in figures(product)} == {"web"}
    until(lambda: figures(product)["watchfloor_up", "web"] == 1, product)
    product.start("valkey")
    until(lambda: product.ready()[0] == 200, product, 60)
