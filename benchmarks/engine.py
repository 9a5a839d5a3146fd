"""What the engine itself costs: a flow of two ``debug.Return`` tasks when idle and when busy, and a wide ForEach.

The real product with its own workers; executions are asked for as the REST API does (checked, audited, appended). An
execution counts as ended when the commit that ends it comes through the live channel. The second Return uses what the
first one gave, so it can't begin before that is committed.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.product import wait_until
from benchmarks.results import percentiles, value, write
from data import Store
from engine.states import TERMINAL, State
from streaming import codec, keys
from streaming.bus import Bus, split_live
from streaming.commands import Commands
from streaming.messages import Deltas
from watchfloor.logs import configure
from watchfloor.product import Product, running

NAMESPACE = "company.bench"
WARM_UP = 20  # executions
IDLE = 100  # executions, one after the other
SECONDS = 15.0
IN_FLIGHT = 100  # executions at a time
WIDTHS = (200, 2_000)
REPEATS = 3
TWO = """
id: two
namespace: company.bench
tasks:
  - id: first
    type: io.kestra.plugin.core.debug.Return
    format: one
  - id: second
    type: io.kestra.plugin.core.debug.Return
    format: "{{ outputs.first.value }} and two"
"""
WIDE = """
id: wide-{width}
namespace: company.bench
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: {values}
    concurrencyLimit: 0
    tasks:
      - id: one
        type: io.kestra.plugin.core.debug.Return
        format: "{{{{ taskrun.value }}}}"
"""


class Ends(threading.Thread):
    """Hears on the live channel when executions end."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(daemon=True)
        self.ended: dict[str, tuple[float, State]] = {}
        self.news = threading.Condition()
        self._bus = bus
        self._ready = threading.Event()
        self._closing = threading.Event()

    def __enter__(self) -> Ends:
        self.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.join(5)
        self._bus.close()

    def run(self) -> None:
        """Listen until the block ends."""
        with self._bus.subscription(keys.LIVE) as live:
            live.get(timeout=1)
            self._ready.set()
            while not self._closing.is_set():
                heard = live.get(timeout=0.2)
                if heard is not None:
                    self._take(codec.decode_live(split_live(heard[1])[1]))

    def _take(self, message: Any) -> None:
        if not isinstance(message, Deltas):
            return
        now = time.monotonic()
        with self.news:
            for item in message.items:
                if item.row.state in TERMINAL:
                    self.ended.setdefault(item.row.id, (now, item.row.state))
            self.news.notify_all()

    def wait(self, execution_id: str, seconds: float = 120) -> float:
        """When it ended well, on the monotonic clock; raises RuntimeError otherwise."""
        with self.news:
            if not self.news.wait_for(lambda: execution_id in self.ended, seconds):
                raise RuntimeError(f"execution {execution_id} did not end within {seconds:.0f} s")
        at, state = self.ended[execution_id]
        if state is not State.SUCCESS:
            raise RuntimeError(f"expected execution {execution_id} to end in SUCCESS, it is {state}")
        return at


class Bench(msgspec.Struct, frozen=True):
    """A running product, how to ask it for executions, and how to hear of their ends."""

    commands: Commands
    ends: Ends

    def start(self, flow_id: str) -> str:
        """Ask for an execution; its id."""
        return self.commands.execute(NAMESPACE, flow_id, actor="bench", origin="bench")

    def one(self, flow_id: str) -> float:
        """Seconds from asking for an execution to its end."""
        begun = time.monotonic()
        return self.ends.wait(self.start(flow_id)) - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=["idle", "busy", "wide"])
    options = parser.parse_args()
    configure("WARNING")
    parts = {"idle": idle, "busy": busy, "wide": wide}
    with tempfile.TemporaryDirectory(prefix="wf-") as folder:
        flows = Path(folder) / "flows"
        flows.mkdir()
        (flows / "two.yaml").write_text(TWO)
        for width in WIDTHS:
            (flows / f"wide-{width}.yaml").write_text(WIDE.format(width=width, values=list(range(width))))
        with running(Path(folder) / "data", flows) as product:
            measure(product, [part for name, part in parts.items() if options.only in (None, name)], options.quick)


def measure(product: Product, parts: list[Any], quick: bool) -> None:
    """Each part in turn, on workers that have run something."""
    store, url = Store(product.settings.resolved_database_url), product.settings.resolved_redis_url
    bus = Bus(url)
    wait_until("the flows", lambda: store.flow(NAMESPACE, f"wide-{WIDTHS[-1]}") is not None)
    with Ends(Bus(url)) as ends:
        bench = Bench(Commands(store, bus), ends)
        for _ in range(WARM_UP):
            bench.one("two")
        for part in parts:
            part(bench, quick)
    store.close()
    bus.close()


def idle(bench: Bench, quick: bool) -> None:
    """Nothing else runs."""
    samples = [bench.one("two") * 1000 for _ in range(IDLE // 5 if quick else IDLE)]
    write(percentiles("engine", "two tasks, idle", samples))


def busy(bench: Bench, quick: bool) -> None:
    """As many executions as the engine takes: always ``IN_FLIGHT`` of them on their way."""
    seconds = SECONDS / 3 if quick else SECONDS
    room = threading.Semaphore(IN_FLIGHT)
    began, started = time.monotonic(), set[str]()
    seen = set(bench.ends.ended)

    def free() -> None:
        for execution_id in bench.ends.ended.keys() - seen:
            seen.add(execution_id)
            room.release()

    while time.monotonic() - began < seconds:
        if room.acquire(blocking=False):
            started.add(bench.start("two"))
            continue
        with bench.ends.news:
            bench.ends.news.wait(0.5)
            free()
    end = time.monotonic()
    done = sum(at <= end for execution_id, (at, _) in bench.ends.ended.items() if execution_id in started)
    for execution_id in started:
        bench.ends.wait(execution_id)
    write(value("engine", "two tasks, busy", done / (end - began), "executions/s", done))


def wide(bench: Bench, quick: bool) -> None:
    """Time a task run in a wide ForEach, beside one in a narrow one; medians."""
    repeats = 1 if quick else REPEATS
    times: dict[int, list[float]] = {width: [] for width in WIDTHS}
    for _ in range(repeats):
        for width in WIDTHS:
            times[width].append(bench.one(f"wide-{width}") * 1000 / width)
    for width in WIDTHS:
        write(percentiles("engine", f"a task run of {width:,} in parallel", times[width]))
    narrow, broad = (sorted(times[width])[repeats // 2] for width in WIDTHS)
    write(value("engine", f"a task run of {WIDTHS[1]:,} / of {WIDTHS[0]:,}", broad / narrow, "ratio", repeats))


if __name__ == "__main__":
    main()
