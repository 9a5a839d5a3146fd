"""Labels of 50,000 executions changed in one operation, and what others feel of it.

A past of so many executions is written to the store; then all of it gets other labels by one request over REST, while
a synthetic load of 200 events a second goes on, Chromium looks at its executions and another subscriber at all. Seconds
are from the request to the end of the operation. A sample is one event of the load, from its acceptance to the first
painted frame whose cursor covers it. In the end every execution must have the labels and a result, each once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests

from benchmarks.live import PAGE, match
from benchmarks.product import PASSWORD, Follower, browser_on, load_process, other_subscribers, wait_until
from benchmarks.results import percentiles, value, write
from data import Store
from data.filters import parse_query_string
from data.operation_records import UNFINISHED, Operation
from data.seed import seed
from watchfloor.product import Product, running

EXECUTIONS = 50_000
QUICK = 5_000
RATE = 200.0
SECONDS_MAX = 240.0
CHOSEN = "filters[namespace][NOT_EQUALS]=synthetic.load"
LABEL = "bulk"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--executions", type=int, help="how many, instead of 50,000")
    options = parser.parse_args()
    count = options.executions or (QUICK if options.quick else EXECUTIONS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wf-")))
        (folder / "flows").mkdir()
        product = stack.enter_context(running(folder / "data", folder / "flows", WATCHFLOOR_ADMIN_PASSWORD=PASSWORD))
        store = Store(product.settings.resolved_database_url)
        stack.callback(store.close)
        seed(store, count)
        browser = stack.enter_context(browser_on(product, PAGE))
        stack.enter_context(other_subscribers(product, "/executions", 1))
        measure(product, store, browser, count)


def measure(product: Product, store: Store, browser: Any, count: int) -> None:
    """The operation under a load; prints the figures."""
    seconds = max(10.0, count / 800)
    browser.start_recording()
    with Follower(product.settings) as follower:
        with load_process(product.settings, RATE, seconds, seed=7) as load:
            took, operation = relabel(product, store)
            sent = load.wait()
        events = [(cursor, at) for cursor, at in follower.events(sent) if at < operation.ended_at.timestamp()]
        browser.wait_for_cursor(follower.last_cursor)
    samples, _ = match(events, browser.frames())
    case = f"labels of {count:,}"
    write(value("bulk", case, took, "s", operation.total))
    write(value("bulk", f"{case}: executions not done exactly once", wrong(store, operation, count), "executions"))
    write(percentiles("bulk", f"{case}: a load of {RATE:.0f}/s meanwhile", samples))


def relabel(product: Product, store: Store) -> tuple[float, Operation]:
    """Start the operation and wait for its end: (seconds, the operation)."""
    url = f"{product.url}/api/v1/main/executions/labels/by-query?{CHOSEN}"
    began = time.monotonic()
    answer = requests.post(url, json=[{"key": LABEL, "value": "yes"}], auth=("admin", PASSWORD), timeout=60)
    answer.raise_for_status()
    operation_id = answer.json()["operationId"]

    def ended() -> bool:
        found = store.operation(operation_id)
        return found is not None and found.state not in UNFINISHED

    wait_until("the end of the operation", ended, SECONDS_MAX)
    took = time.monotonic() - began
    operation = store.operation(operation_id)
    assert operation is not None
    return took, operation


def wrong(store: Store, operation: Operation, count: int) -> int:
    """How many executions have no label or no result, or were counted twice."""
    labelled = sum(store.counts(parse_query_string(f"filters[labels][EQUALS][{LABEL}]=yes")).values())
    return abs(count - labelled) + abs(count - operation.done) + abs(operation.total - operation.answered)


if __name__ == "__main__":
    main()
