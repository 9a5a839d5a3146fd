"""What the live benchmarks stand on: a browser that records its painted frames, clients, a load, a follower."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psutil

from dashboard.ids import Executions
from scripts.chromium import chromium
from streaming import codec, keys
from streaming.bus import Bus, split_live
from streaming.messages import Deltas
from watchfloor.product import Product
from watchfloor.settings import Settings

PASSWORD = "a password of the benchmark"

_RECORD = """
window.__frames = [];
if (!window.__recording) {
  window.__recording = true;
  window.watchfloor.painted.push(({topic, cursor}) => {
    if (topic === 'executions') window.__frames.push([cursor, (performance.timeOrigin + performance.now()) / 1000]);
  });
}
"""


_TOTAL = f"return document.getElementById('{Executions.TOTAL}').textContent"


class Browser:
    """Chromium on a page, its painted frames recorded in the page itself."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    @property
    def tab(self) -> Any:
        """The tab itself, for what only one figure does."""
        return self._driver

    def start_recording(self) -> None:
        """Forget what was recorded and go on."""
        self._driver.execute_script(_RECORD)

    def frames(self) -> list[tuple[str, float]]:
        """(cursor, painted at) of each frame, in order; times in seconds since the epoch."""
        return [(cursor, at) for cursor, at in self._driver.execute_script("return window.__frames")]

    def wait_for_cursor(self, cursor: str, seconds: float = 15) -> None:
        """Return when a painted frame covers ``cursor``, or after ``seconds``: then the figures show it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            last = self._driver.execute_script("return (window.__frames.at(-1) || [''])[0]")
            if last and cursor_key(last) >= cursor_key(cursor):
                return
            time.sleep(0.1)

    def total(self) -> int:
        """How many executions the page says there are."""
        return int(re.sub(r"\D", "", self._driver.execute_script(_TOTAL)))

    def heap(self) -> float:
        """Used JavaScript heap after a collection, bytes."""
        self._driver.execute_script("window.gc && window.gc()")
        return float(self._driver.execute_script("return performance.memory.usedJSHeapSize"))


def cursor_key(cursor: str) -> tuple[int, int]:
    """A stream id as numbers."""
    ms, _, number = cursor.partition("-")
    return int(ms), int(number)


def wait_until(what: str, condition: Any, seconds: float = 30) -> None:
    """Return when ``condition()`` is true; raises TimeoutError naming ``what``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)


@contextmanager
def browser_on(product: Product, page: str) -> Iterator[Browser]:
    """A logged-in Chromium on ``page``, live."""
    with chromium() as driver:
        driver.get(product.login_url)
        driver.get(product.url + page)
        live = "return !!window.watchfloor && window.watchfloor.live?.status.phase === 'live'"
        wait_until("a live page", lambda: driver.execute_script(live))
        yield Browser(driver)


class Load:
    """A load that is being sent."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.sent: list[tuple[str, float]] = []

    def wait(self) -> list[tuple[str, float]]:
        """(execution id, accepted at) of every event, once all are sent."""
        output, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError(f"the load failed with exit code {self._process.returncode}")
        return msgspec.msgpack.decode(output, type=list[tuple[str, float]])


@contextmanager
def load_process(settings: Settings, rate: float, seconds: float, seed: int) -> Iterator[Load]:
    """Send a seeded load from another process for the time of the block."""
    command = [sys.executable, "-m", "benchmarks.loader", settings.resolved_redis_url]
    with subprocess.Popen([*command, str(rate), str(seconds), str(seed)], stdout=subprocess.PIPE) as process:
        yield Load(process)


class Follower:
    """Reads the live channel: which commit (cursor) applied which version of which execution."""

    def __init__(self, settings: Settings) -> None:
        self._bus = Bus(settings.resolved_redis_url)
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._cursors: dict[tuple[str, int], str] = {}
        self.last_cursor = "0-0"

    def __enter__(self) -> Follower:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self._bus.close()

    def _read(self) -> None:
        with self._bus.subscription(keys.LIVE) as live:
            live.get(timeout=1)
            self._ready.set()
            while not self._stop.is_set():
                message = live.get(timeout=0.2)
                if message is not None:
                    self._take(*split_live(message[1]))

    def _take(self, cursor: str, payload: bytes) -> None:
        message = codec.decode_live(payload)
        if not isinstance(message, Deltas):
            return
        for item in message.items:
            first = item.before.version + 1 if item.before else 1
            for version in range(first, item.row.version + 1):
                self._cursors[item.row.id, version] = cursor
        self.last_cursor = cursor

    def cursors(self) -> list[str]:
        """The commits that came so far, in order."""
        return list(dict.fromkeys(self._cursors.values()))

    def events(self, sent: list[tuple[str, float]], seconds: float = 30) -> list[tuple[str, float]]:
        """(cursor, accepted at) of the events of ``sent`` that were applied; waits for them up to ``seconds``."""
        versions: dict[str, int] = {}
        wanted = []
        for execution_id, at in sent:
            versions[execution_id] = versions.get(execution_id, 0) + 1
            wanted.append(((execution_id, versions[execution_id]), at))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(key not in self._cursors for key, _ in wanted[-1000:]):
            time.sleep(0.05)
        return [(self._cursors[key], at) for key, at in wanted if key in self._cursors]


@contextmanager
def other_subscribers(product: Product, page: str, count: int) -> Iterator[None]:
    """``count`` Socket.IO clients on the same topic as ``page``, acknowledging at once, in a process of their own."""
    if not count:
        yield
        return
    header = "Authorization: Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    command = [sys.executable, "-m", "benchmarks.subscribers", product.url, header, page.partition("?")[2], str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise RuntimeError("expected subscribers, got none: see above")
            yield
        finally:
            process.terminate()


def process_memory(product: Product, word: str) -> float:
    """Resident bytes of the product's processes of the kind ``word``; raises ``LookupError`` when there are none."""
    names = {word, f"watchfloor.{word}"}
    children = psutil.Process(product.process.pid).children(recursive=True)
    found = [child for child in children if names.intersection(child.cmdline())]
    if not found:
        raise LookupError(f"expected a process {word!r}, found {[child.cmdline() for child in children]}")
    return float(sum(child.memory_info().rss for child in found))


def product_memory(product: Product) -> float:
    """Bytes of all processes of the product together, pages they share counted once."""
    children = psutil.Process(product.process.pid).children(recursive=True)
    return float(sum(child.memory_full_info().pss for child in children))
