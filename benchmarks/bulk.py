"""Labels of 50,000 executions changed in one operation, and what others feel of it.

A past of so many executions is written to the store; then all of it gets other labels by one request over REST, while
a synthetic load of 200 events a second goes on, Chromium looks at its executions and another subscriber at all. Seconds
are from the request to the end of the operation. A sample is one event of the load, from its acceptance to the first
painted frame whose cursor covers it. In the end every execution must have the labels and a result, each once.

Then the same is asked for on the page: *Select all that match*, *Set labels*, and the dialog. Seconds are from the
choice to the preview and from the confirmation to the progress; a sample is a request to ``/health`` meanwhile, which
has nothing to wait for but the process that previews and starts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import requests
from selenium.common.exceptions import ElementNotInteractableException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from benchmarks.live import PAGE, match
from benchmarks.product import PASSWORD, Browser, Follower, browser_on, load_process, other_subscribers, wait_until
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
        measure_page(product, store, browser, count)


def measure(product: Product, store: Store, browser: Browser, count: int) -> None:
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


def measure_page(product: Product, store: Store, browser: Browser, count: int) -> None:
    """What starts on the page; prints the figures."""
    tab = browser.tab
    tab.get(f"{product.url}/executions?{CHOSEN}")
    for selector in (".ag-header .ag-checkbox-input", ".wf-bulk [data-wf-all]", ".wf-bulk [data-more]"):
        click(tab, selector)
    with asking(f"{product.url}/health") as samples:
        click(tab, ".wf-menu [data-action=labels]")
        to_preview = seconds_to(tab, "#act-step .wf-preview")
        one(tab, "#act-step .wf-form input:not([type=hidden])").send_keys(f"{LABEL}:page", Keys.ENTER)
        click(tab, "#act-go")
        to_progress = seconds_to(tab, "#act-step .wf-operation")
    _, (operation, *_) = store.operations(size=1)
    wait_until("the end of the operation", partial(ended, store, operation.id), SECONDS_MAX)
    case = f"labels of {count:,} from the page"
    write(value("bulk", f"{case}: to the preview", to_preview, "s", operation.total))
    write(value("bulk", f"{case}: to the progress", to_progress, "s", operation.total))
    write(percentiles("bulk", f"{case}: another request meanwhile", samples))


def one(tab: Any, selector: str) -> Any:
    """The first element that matches, waited for."""
    wait_until(selector, lambda: tab.find_elements(By.CSS_SELECTOR, selector), 60)
    return tab.find_element(By.CSS_SELECTOR, selector)


def click(tab: Any, selector: str) -> None:
    """Click the first element that matches, as soon as that works."""

    def clicked() -> bool:
        try:
            one(tab, selector).click()
        except (ElementNotInteractableException, StaleElementReferenceException):
            return False
        return True

    wait_until(f"a click on {selector}", clicked, 60)


def seconds_to(tab: Any, selector: str) -> float:
    """Seconds until an element matches."""
    began = time.monotonic()
    one(tab, selector)
    return time.monotonic() - began


@contextmanager
def asking(url: str) -> Iterator[list[float]]:
    """Ask for ``url`` every 20 ms during the block: how long each took, ms."""
    samples: list[float] = []
    stop = Event()

    def ask() -> None:
        with requests.Session() as session:
            while not stop.wait(0.02):
                began = time.monotonic()
                session.get(url, timeout=60).raise_for_status()
                samples.append((time.monotonic() - began) * 1000)

    thread = Thread(target=ask)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


def ended(store: Store, operation_id: str) -> bool:
    """Whether nothing is left to do of it."""
    found = store.operation(operation_id)
    return found is not None and found.state not in UNFINISHED


def relabel(product: Product, store: Store) -> tuple[float, Operation]:
    """Start the operation and wait for its end: (seconds, the operation)."""
    url = f"{product.url}/api/v1/main/executions/labels/by-query?{CHOSEN}"
    began = time.monotonic()
    answer = requests.post(url, json=[{"key": LABEL, "value": "yes"}], auth=("admin", PASSWORD), timeout=60)
    answer.raise_for_status()
    operation_id = answer.json()["operationId"]
    wait_until("the end of the operation", partial(ended, store, operation_id), SECONDS_MAX)
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
