"""PostgreSQL stopped and killed under load: all processes live on, and nothing is lost or counted twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import socketio

from data import Store
from data.records import LogQuery
from scripts.postgresql import Cluster, postgres
from streaming import keys
from streaming.bus import Bus
from streaming.load import Synthetic
from streaming.messages import Event, LogBatch, LogLine
from tests.integration.test_unsure_commits import check
from tests.integration.test_web import answers, fetch, free_port
from tests.waiting import until

PASSWORD = "a password of the tests"
BASIC = {"Authorization": "Basic " + b64encode(f"admin:{PASSWORD}".encode()).decode()}
SAID_WITHIN = 3.0 + 0.5  # seconds; the half for a machine that does other things too
LIST = "/api/v1/main/executions/search"
ENDS: list[Callable[[Cluster], None]] = [Cluster.stop, Cluster.kill, lambda cluster: cluster.stop(signal.SIGQUIT)]


class Load:
    """Events and log lines, sent in a thread until it is stopped."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._source = Synthetic(seed=11, alive=40)
        self._stop = threading.Event()
        self.events: list[Event] = []
        self.lines = 0

    def send(self) -> None:
        """Some hundred events and lines a second."""
        while not self._stop.wait(0.05):
            events = [self._source.next_event() for _ in range(15)]
            self._bus.append_all(events)
            self.events += events
            self.lines += 1
            line = LogLine(self.lines, datetime.now(UTC), "INFO", f"line {self.lines}")
            self._bus.append_logs(LogBatch("e", "n", "f", "t", "tr", 1, (line,)))

    def stop(self) -> None:
        """No more of it."""
        self._stop.set()


@contextmanager
def sending(bus: Bus) -> Iterator[Load]:
    """A load for the time of the block."""
    load = Load(bus)
    thread = threading.Thread(target=load.send)
    thread.start()
    try:
        yield load
    finally:
        load.stop()
        thread.join()


@contextmanager
def product(folder: Path, database_url: str, redis_url: str) -> Iterator[str]:
    """The address of the product, whose processes run as on several machines; all of them must live to the end."""
    port = free_port()
    environment = {
        "WATCHFLOOR_DATABASE_URL": database_url,
        "WATCHFLOOR_REDIS_URL": redis_url,
        "WATCHFLOOR_DATA_DIR": str(folder),
        "WATCHFLOOR_FLOWS_DIR": str(folder / "flows"),
        "WATCHFLOOR_PORT": str(port),
    }
    made: dict[str, subprocess.Popen[bytes]] = {}
    with ExitStack() as stack:
        for name in ("executor", "logs", "web"):
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            command = [sys.executable, "-m", "watchfloor.cli", name]
            made[name] = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}"
            for name, process in made.items():
                assert process.poll() is None, (folder / f"{name}.log").read_text()
        finally:
            for process in made.values():
                process.terminate()
            for process in made.values():
                process.wait(20)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server of our own, that commits to the disk: what it acknowledged outlives it."""
    with postgres(durable=True) as cluster:
        yield cluster


def test_nothing_is_lost_and_nothing_counts_twice(cluster: Cluster, bus: Bus, valkey_url: str) -> None:
    url = cluster.create("watchfloor")
    store = Store(url)
    with tempfile.TemporaryDirectory(prefix="wf-") as name:
        with product(Path(name), url, valkey_url) as address, sending(bus) as load:
            until(lambda: answers(f"{address}/ready"))
            store.ensure_admin(PASSWORD)
            for end in ENDS:
                progress(store)
                end(cluster)
                until(lambda: fetch(f"{address}/ready")[0] == 503, seconds=5)
                status, _, body = fetch(address + LIST, **BASIC)
                assert (status, b"atabase" in body) == (503, True), body
                cluster.start()
                status, _, body = fetch(address + LIST, **BASIC)
                assert status == 200, body
                until(lambda: answers(f"{address}/ready"), seconds=10)
            progress(store)
            load.stop()
            until(lambda: store.position(keys.EVENTS) == bus.last_id(keys.EVENTS))
            until(lambda: store.position(keys.LOGS) == bus.last_id(keys.LOGS))
        check(store, load.events)
        lines = store.log_window(LogQuery("e"), 0, 10_000)
        assert [entry.number for entry in lines.entries] == list(range(1, load.lines + 1))
        assert Counter(entry.seq for entry in lines.entries).most_common(1)[0][1] == 1
    store.close()


def progress(store: Store) -> None:
    """Return when both positions have moved on."""
    before = [store.position(stream) for stream in (keys.EVENTS, keys.LOGS)]
    until(lambda: all(store.position(s) != b for s, b in zip((keys.EVENTS, keys.LOGS), before, strict=True)))


@contextmanager
def heartbeats(address: str) -> Iterator[list[dict[str, Any]]]:
    """What a page hears each second, while the block lasts."""
    heard: list[dict[str, Any]] = []
    page = socketio.Client(reconnection=False)
    page.on("heartbeat", heard.append, namespace="/live")
    page.connect(address, headers=BASIC, namespaces=["/live"], transports=["websocket"], wait_timeout=20)
    try:
        yield heard
    finally:
        page.disconnect()


def test_a_server_that_says_nothing_is_told_within_3_s(cluster: Cluster, bus: Bus, valkey_url: str) -> None:
    url = cluster.create("silent")
    store = Store(url)
    store.migrate()
    store.ensure_admin(PASSWORD)
    with tempfile.TemporaryDirectory(prefix="wf-") as name:
        with product(Path(name), url, valkey_url) as address, sending(bus) as load:
            until(lambda: answers(f"{address}/ready"))
            with heartbeats(address) as heard:
                progress(store)
                until(lambda: bool(heard) and heard[-1]["database"] is None, seconds=10)
                began = time.monotonic()
                with cluster.silent():
                    until(lambda: "has not answered" in (heard[-1]["database"] or ""), seconds=SAID_WITHIN)
                    until(lambda: "has not answered" in problem_of(address, "database"), seconds=SAID_WITHIN)
                    took = time.monotonic() - began
                    assert took < SAID_WITHIN
                    assert fetch(f"{address}/ready")[0] == 503
                    until(lambda: "can't write: has not answered" in problem_of(address, "executor"), seconds=10)
                    assert heard[-1]["executor"] is None  # it lives, and says what it waits for
                print(f"\nsaid after {took:.2f} s")
                until(lambda: heard[-1]["database"] is None, seconds=10)
            until(lambda: answers(f"{address}/ready"), seconds=10)
            progress(store)
            load.stop()
            until(lambda: store.position(keys.EVENTS) == bus.last_id(keys.EVENTS))
        check(store, load.events)
    store.close()


def problem_of(address: str, part: str) -> str:
    """What ``/ready`` says is wrong with a part."""
    return str(json.loads(fetch(f"{address}/ready")[2])["problems"].get(part))
