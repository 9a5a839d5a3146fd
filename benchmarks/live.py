"""From an event being accepted to pixels in a real Chromium, at several rates, with 1 and 10 subscribers.

The events are synthetic executions sent through the real event stream by a process of its own. One subscriber is
Chromium on the Executions page; the further ones are Socket.IO clients that acknowledge at once. A sample is one
event: from its ``at`` to the first painted frame whose cursor covers the commit that applied it. An event that no
painted frame covers, or whose execution is missing in the page's total, is not accounted for. Beside each case stands
how much of the processors other machines on the same host took meanwhile.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from bisect import bisect_left
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from benchmarks.product import (
    PASSWORD,
    Follower,
    browser_on,
    cursor_key,
    load_process,
    other_subscribers,
    process_memory,
    product_memory,
)
from benchmarks.results import percentiles, value, write
from watchfloor.product import Product, running

RATES = (10, 200, 1_000, 5_000)
SUBSCRIBERS = (1, 10)
SECONDS = 20.0
MINUTE = 60.0
PAGE = "/executions?filters[namespace][EQUALS]=synthetic.load"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wf-")))
        (folder / "flows").mkdir()
        product = stack.enter_context(running(folder / "data", folder / "flows", WATCHFLOOR_ADMIN_PASSWORD=PASSWORD))
        browser = stack.enter_context(browser_on(product, PAGE))
        known: set[str] = set()
        for rate in (1_000,) if quick else RATES:
            for subscribers in SUBSCRIBERS:
                long = rate == RATES[-1] and subscribers == 1 and not quick
                seconds = MINUTE if long else 5.0 if quick else SECONDS
                known |= measure(product, browser, rate, subscribers, seconds, known)


def measure(product: Product, browser: Any, rate: int, subscribers: int, seconds: float, known: set[str]) -> set[str]:
    """One case; prints its figures. Ids of its executions; ``known`` are those of the cases before it."""
    case = f"{rate}/s, {subscribers} subscriber{'s' if subscribers > 1 else ''}"
    browser.start_recording()
    before = psutil.cpu_times()
    with other_subscribers(product, PAGE, subscribers - 1), Follower(product.settings) as follower:
        with load_process(product.settings, rate, seconds, seed=rate + subscribers) as load:
            memory = watch_memory(product, browser, seconds) if seconds >= MINUTE else {}
            sent = load.wait()
        events = follower.events(sent)
        browser.wait_for_cursor(follower.last_cursor)
    samples, uncovered = match(events, browser.frames())
    write(percentiles("live", case, samples))
    write(value("live", f"{case}: processors taken by other machines", stolen(before), "%"))
    begun = {execution_id for execution_id, _ in sent}
    lost = uncovered + len(sent) - len(events) + abs(browser.total() - len(known | begun))
    write(value("live", f"{case}: events not accounted for", lost, "events", len(sent)))
    for what, ratio in memory.items():
        write(value("live", f"{case}: {what}", ratio, "ratio"))
    return begun


def stolen(before: Any) -> float:
    """Percent of all processor time since ``before`` that a virtual machine wanted and didn't get; 0 on a real one."""
    now = psutil.cpu_times()
    return 100 * (getattr(now, "steal", 0.0) - getattr(before, "steal", 0.0)) / max(0.01, sum(now) - sum(before))


def match(events: list[tuple[str, float]], frames: list[tuple[str, float]]) -> tuple[list[float], int]:
    """Latencies in ms of (cursor, accepted at) events against (cursor, painted at) frames; how many stay uncovered."""
    cursors = [cursor_key(cursor) for cursor, _ in frames]
    samples, missing = [], 0
    for cursor, accepted in events:
        index = bisect_left(cursors, cursor_key(cursor))
        if index == len(frames):
            missing += 1
        else:
            samples.append((frames[index][1] - accepted) * 1000)
    return samples, missing


def watch_memory(product: Product, browser: Any, seconds: float) -> dict[str, float]:
    """Memory at the end of a load against earlier: of the page and the web process, and of all processes together.

    The executor and Redis keep what is newest up to their caps, which takes the load most of a minute.
    """
    start, read = time.monotonic(), []
    for moment in (15.0, 40.0, seconds - 2):
        time.sleep(max(0.0, moment - (time.monotonic() - start)))
        read.append((browser.heap(), process_memory(product, "web"), product_memory(product)))
    early, full, late = read
    return {
        "page heap after a minute / after 15 s": late[0] / early[0],
        "web memory after a minute / after 15 s": late[1] / early[1],
        "server memory after a minute / after 40 s": late[2] / full[2],
    }


if __name__ == "__main__":
    main()
