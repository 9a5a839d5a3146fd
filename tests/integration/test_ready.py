"""``/ready`` and ``/metrics`` with real processes, each of which is really taken away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
import socketio
from prometheus_client.parser import text_string_to_metric_families

from data import Store
from streaming import keys
from streaming.bus import Bus
from streaming.load import Synthetic, load
from streaming.messages import LogBatch, LogLine
from tests.integration.homes import Homes
from watchfloor.product import free_port
from watchfloor.valkey import valkey_command, wait_for

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a token for Prometheus"
BASIC = {"Authorization": f"Basic {b64encode(b'admin:secret').decode()}"}
WIDE = """
id: wide
namespace: tests.ready
tasks:
  - id: many
    type: io.kestra.plugin.core.flow.ForEach
    values: "{{ range(0, 20) }}"
    concurrencyLimit: 0
    tasks: [{id: one, type: io.kestra.plugin.core.log.Log, message: one}]
"""
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
            "WATCHFLOOR_METRICS_TOKEN": TOKEN,
            "WATCHFLOOR_SUBSCRIBER_BUFFER_ITEMS": "10",
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

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """A process that stands still for the time of the block."""
        group = self._processes[name].pid
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

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


@pytest.fixture
def bus(product: Product) -> Iterator[Bus]:
    """The product's own."""
    bus = Bus(f"unix://{product.socket}")
    yield bus
    bus.close()


def until(condition: Callable[[], Any], product: Product, seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        log = (product.folder / "processes.log").read_text()[-3_000:]
        assert time.monotonic() < deadline, f"it did not come; last: {product.ready()}\n{log}"
        time.sleep(0.1)
    return found


def figures(product: Product) -> dict[tuple[str, str], float]:
    """(name, process) of every sample, added up."""
    status, text = product.get("/metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, sample.labels["process"])
            found[key] = found.get(key, 0.0) + sample.value
    return found


def test_the_figures_of_all_processes_are_there(product: Product, bus: Bus) -> None:
    sent = load(bus, 200, 1.0, seed=3, alive=20)
    until(lambda: figures(product).get(("watchfloor_events_applied_total", "executor")) == sent.events, product)
    found = figures(product)
    assert found["watchfloor_commit_events_sum", "executor"] == sent.events
    assert found["watchfloor_commit_seconds_count", "executor"] == found["watchfloor_commit_events_count", "executor"]
    assert found["watchfloor_events_waiting", "executor"] == 0
    assert found["watchfloor_worker_slots", "worker"] == 2
    assert found["watchfloor_up", "web"] == 5
    assert {process for name, process in found if name == "process_resident_memory_bytes"} == set(COMMANDS)


@contextmanager
def page(product: Product, *topics: tuple[str, dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """A page that looks at some topics and acknowledges at once, as a browser does; its frames."""
    frames: list[dict[str, Any]] = []
    client = socketio.Client(reconnection=False)
    client.on("frame", lambda sub, text: frames.append(json.loads(text)), namespace="/live")
    address = f"http://127.0.0.1:{product.port}"
    client.connect(address, headers=BASIC, namespaces=["/live"], transports=["websocket"], wait_timeout=20)
    try:
        for number, (topic, params) in enumerate(topics):
            answer = client.call("subscribe", {"sub": str(number), "topic": topic, "params": params}, "/live")
            assert answer["ok"], answer
        yield frames
    finally:
        client.disconnect()


def lines(execution_id: str, count: int, first: int = 1) -> LogBatch:
    said = tuple(LogLine(n, datetime.now(UTC), "INFO", f"line {n}") for n in range(first, first + count))
    return LogBatch(execution_id, "tests", "flow", "task", "run", 1, said)


def left_out(frames: list[dict[str, Any]]) -> int:
    """How many lines the page was told were skipped."""
    items = (item for frame in list(frames) for item in frame.get("items", ()))
    return sum(item["count"] for item in items if item["t"] == "skipped")


def test_what_pages_get_is_counted(product: Product, bus: Bus) -> None:
    rows = {"filters": "", "sort": "startDate:desc", "page": 1, "size": 10}
    before = figures(product)
    assert before["watchfloor_subscribers", "web"] == 0
    with page(product, ("executions", rows), ("logs", {"execution_id": "chatty"})) as frames:
        assert figures(product)["watchfloor_subscribers", "web"] == 2
        assert figures(product)["watchfloor_browsers", "web"] == 1
        load(bus, 200, 0.5, seed=4, alive=20)
        until(lambda: any(frame["topic"] == "executions" for frame in frames), product)
        bus.append_logs(lines("chatty", 500))
        until(lambda: figures(product)["watchfloor_left_out_total", "web"] > 0, product)
        until(lambda: left_out(frames) == figures(product)["watchfloor_left_out_total", "web"], product)
        now = figures(product)
        sent = now["watchfloor_frame_bytes_count", "web"] - before["watchfloor_frame_bytes_count", "web"]
        assert sent >= len(frames) > 0
        assert now["watchfloor_frame_bytes_sum", "web"] > before["watchfloor_frame_bytes_sum", "web"] + 100 * sent
        assert now["watchfloor_flush_seconds_count", "web"] > before["watchfloor_flush_seconds_count", "web"]
    until(lambda: figures(product)["watchfloor_subscribers", "web"] == 0, product)
    until(lambda: figures(product)["watchfloor_log_lines_total", "logs"] == 500, product)


def test_what_waits_is_counted(product: Product, bus: Bus, homes: Homes, module_database_url: str) -> None:
    calm = figures(product)
    waits = [
        ("watchfloor_events_waiting", "executor"),
        ("watchfloor_event_lag_seconds", "executor"),
        ("watchfloor_log_batches_waiting", "logs"),
    ]
    until(lambda: all(figures(product)[figure] == 0 for figure in waits), product)
    with homes.away(module_database_url):
        source = Synthetic(seed=5, alive=5)
        for number in range(20):
            bus.append(source.next_event())
            bus.append_logs(lines("waiting", 1, number + 1))
        wanted = [20, 2.5, 20]
        until(lambda: all(figures(product)[f] >= least for f, least in zip(waits, wanted, strict=True)), product)
    until(lambda: all(figures(product)[figure] == 0 for figure in waits), product)
    now = figures(product)
    assert now["watchfloor_log_lines_total", "logs"] - calm["watchfloor_log_lines_total", "logs"] == 20
    for figure in ("watchfloor_reduce_seconds", "watchfloor_commit_seconds", "watchfloor_emit_seconds"):
        assert now[f"{figure}_count", "executor"] > calm[f"{figure}_count", "executor"]
        assert now[f"{figure}_sum", "executor"] > calm[f"{figure}_sum", "executor"]


def test_jobs_that_no_worker_takes_are_counted(product: Product) -> None:
    (product.folder / "flows").mkdir(exist_ok=True)
    (product.folder / "flows" / "wide.yaml").write_text(WIDE)
    address = "/api/v1/main/flows/tests.ready/wide"
    until(lambda: product.get(address, **BASIC)[0] == 200, product)
    ended = ("watchfloor_task_attempts_total", "executor")
    before = figures(product).get(ended, 0)
    with product.frozen("worker"):
        request = Request(
            f"http://127.0.0.1:{product.port}/api/v1/main/executions/tests.ready/wide", b"", BASIC, method="POST"
        )
        build_opener(ProxyHandler({})).open(request, timeout=20).close()
        until(lambda: figures(product)["watchfloor_jobs_waiting", "web"] >= 10, product)
    until(lambda: figures(product)["watchfloor_jobs_waiting", "web"] == 0, product)
    until(lambda: figures(product).get(ended, 0) >= before + 20, product)


def test_what_is_malformed_is_counted(product: Product, bus: Bus) -> None:
    before = figures(product)
    bus.redis.xadd(keys.EVENTS, {"d": b"\xc1 not an event"})
    bus.redis.xadd(keys.LOGS, {"d": b"\xc1 no lines"})
    buried = [("watchfloor_events_buried_total", "executor"), ("watchfloor_log_batches_buried_total", "logs")]
    until(lambda: all(figures(product)[figure] == before[figure] + 1 for figure in buried), product)
    dead = ("watchfloor_dead_letters", "web")
    assert figures(product)[dead] == before[dead] + 2


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
        until(lambda: "database" in product.ready()[1]["problems"], product)
        assert product.ready()[0] == 503
    until(lambda: product.ready()[0] == 200, product)


def test_a_redis_that_says_nothing_is_told_at_once(product: Product) -> None:
    with product.frozen("valkey"):
        told = until(lambda: (found := product.ready())[0] == 503 and found[1], product)
        assert "redis" in told["problems"]
        began = time.monotonic()
        assert product.ready()[0] == 503
        assert time.monotonic() - began < 1
    until(lambda: product.ready()[0] == 200, product)


def test_without_redis_it_is_not_ready_and_its_own_figures_are_still_there(product: Product) -> None:
    product.kill("valkey")
    told = until(lambda: (found := product.ready())[0] == 503 and found[1], product)
    assert "redis" in told["problems"]
    assert {process for _, process in figures(product)} == {"web"}
    until(lambda: figures(product)["watchfloor_up", "web"] == 1, product)
    product.start("valkey")
    until(lambda: product.ready()[0] == 200, product, 60)
