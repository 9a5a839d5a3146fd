"""Memory of each kind of process, MB, with a full house: 1,000,000 past executions, 10,000 live, 200 subscribers.

The past is written by the seed, the live ones come through the real event stream. Half of the subscribers look at all
executions, half at the running ones, while events come and lists are asked for by REST, so that caches are as full as
they get. The size of a kind of process is that of all its processes together, pages they share counted once; for web
the worker's whole resident size is there too.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import requests

from benchmarks.product import PASSWORD, other_subscribers, wait_until
from benchmarks.results import value, write
from data import Store
from data.filters import Filters
from data.seed import seed
from engine.states import TERMINAL
from streaming.bus import Bus
from streaming.load import load
from watchfloor.product import Product, running
from watchfloor.settings import Settings
from watchfloor.up import read_state

PAST = 1_000_000
QUICK_PAST = 50_000
LIVE = 10_000
SPARE = 1_000  # some end while others begin
SUBSCRIBERS = 200
PAGES = ("/executions", "/executions?filters[state][IN]=RUNNING")
RATE = 500.0
SECONDS = 40.0
QUICK_SECONDS = 24.0
KINDS = ("web", "executor", "logs", "worker", "valkey")
MB = 1_000_000
_LISTS = ("", "?filters[state][IN]=FAILED", "?filters[q][EQUALS]=timeout", "?filters[timeRange][EQUALS]=PT24H&page=3")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--past", type=Path, help="keep the past in this folder, and take it from there again")
    options = parser.parse_args()
    quick = options.quick
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wf-")))
        (folder / "flows").mkdir()
        past = QUICK_PAST if quick else PAST
        seconds = write_past(options.past or folder / "data", past)
        write(value("memory", f"time to seed {past:,} executions", seconds, "s"))
        if options.past:
            shutil.copytree(options.past, folder / "data")
        product = stack.enter_context(running(folder / "data", folder / "flows", WATCHFLOOR_ADMIN_PASSWORD=PASSWORD))
        for page in PAGES:
            stack.enter_context(other_subscribers(product, page, SUBSCRIBERS // len(PAGES)))
        use(product, QUICK_SECONDS if quick else SECONDS)
        case = f"{past:,} past, {LIVE:,} live, {SUBSCRIBERS} subscribers"
        for kind in KINDS:
            write(value("memory", f"{case}: {kind}", shared_once(product, kind) / MB, "MB"))
        write(value("memory", f"{case}: web worker, resident", largest(product, "web") / MB, "MB"))


def write_past(data_dir: Path, count: int) -> float:
    """Seconds it took to write ``count`` executions."""
    data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(Settings(data_dir=data_dir).resolved_database_url)
    begun = time.monotonic()
    try:
        store.migrate()
        if sum(store.counts(Filters()).values()) < count:
            seed(store, count)
    finally:
        store.close()
    return time.monotonic() - begun


def use(product: Product, seconds: float) -> None:
    """Make ``LIVE`` executions run, with events and requests for ``seconds``."""
    bus, store = Bus(product.settings.resolved_redis_url), Store(product.settings.resolved_database_url)
    try:
        sent = load(bus, RATE, seconds, alive=LIVE + SPARE)
        if sent.events < LIVE + SPARE:
            raise RuntimeError(f"expected at least {LIVE + SPARE} events, sent {sent.events}")
        wait_until("live executions", lambda: alive(store) >= LIVE, 60)
        ask_for_lists(product)
    finally:
        store.close()
        bus.close()


def alive(store: Store) -> int:
    """How many executions have not ended."""
    return sum(n for state, n in store.counts(Filters()).items() if state not in TERMINAL)


def ask_for_lists(product: Product) -> None:
    """Lists as people and scripts ask for them."""
    for query in _LISTS * 5:
        address = f"{product.url}/api/v1/main/executions/search{query}"
        requests.get(address, auth=("admin", PASSWORD), timeout=30).raise_for_status()


def processes(product: Product, kind: str) -> list[psutil.Process]:
    """The product's process of a kind and all its children; raises ``LookupError`` when there is none."""
    state = read_state(product.settings.data_dir)
    if state is None or kind not in state.processes:
        raise LookupError(f"expected a process {kind!r}, found {sorted(state.processes) if state else 'none'}")
    process = psutil.Process(state.processes[kind])
    return [process, *process.children(recursive=True)]


def shared_once(product: Product, kind: str) -> float:
    """Bytes of all processes of a kind together."""
    return float(sum(process.memory_full_info().pss for process in processes(product, kind)))


def largest(product: Product, kind: str) -> float:
    """Resident bytes of the largest process of a kind."""
    return float(max(process.memory_info().rss for process in processes(product, kind)))


if __name__ == "__main__":
    main()
