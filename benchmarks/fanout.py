"""One event to many: from a commit being published to each of 10, 200 and 1,000 subscribers, at 1,000 events/s.

The subscribers look at the newest executions over one web process, acknowledge at once, and are one process of their
own on the same machine. A sample is one commit at one subscriber: from its publication (its cursor says when) to the
first frame that covers it. Then some subscribers more that read nothing any more: what each costs in memory of the web
process, and what they cost the others.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import requests

from benchmarks.live import match
from benchmarks.product import Follower, cursor_key, load_process, process_memory
from benchmarks.results import percentiles, value, write
from watchfloor.product import Product, running

COUNTS = (10, 200, 1_000)
RATE = 1_000
SECONDS = 12.0
QUICK_SECONDS = 5.0
WARM_UP = 2.0
STALLED = 20
BESIDE = 200  # subscribers that read, beside those
FILTERS = "filters[namespace][EQUALS]=synthetic.load"
SETTLE = 3.0  # seconds in which the last frames arrive


class Crowd:
    """Subscribers in a process of their own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def forget(self) -> None:
        """What came so far doesn't count."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def frames(self) -> list[list[tuple[str, float]]]:
        """(cursor, received at) of what came, for each; they are gone after this."""
        output, _ = self._process.communicate()
        return msgspec.msgpack.decode(output, type=list[list[tuple[str, float]]])


@contextmanager
def crowd(product: Product, header: str, count: int, *options: str) -> Iterator[Crowd]:
    """``count`` subscribers."""
    command = [sys.executable, "-m", "benchmarks.subscribers", product.url, header, FILTERS, str(count), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != b"subscribed\n":
                raise RuntimeError("expected subscribers, got none: see above")
            yield Crowd(process)
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=int, choices=COUNTS)
    options = parser.parse_args()
    seconds = QUICK_SECONDS if options.quick else SECONDS
    with tempfile.TemporaryDirectory(prefix="wf-") as name:
        folder = Path(name)
        (folder / "flows").mkdir()
        with running(folder / "data", folder / "flows") as product:
            header = log_in(product)
            drive(product, WARM_UP, seed=0)
            for count in (options.only,) if options.only else COUNTS:
                with crowd(product, header, count) as readers:
                    figures = percentiles(
                        "fanout", f"{count:,} subscribers", latencies(product, readers, seconds, count)
                    )
                write(figures)
                if count == BESIDE:
                    stalled(product, header, seconds, figures["p95"])


def log_in(product: Product) -> str:
    """The header of a logged-in user."""
    session = requests.Session()
    session.get(product.login_url).raise_for_status()
    return "Cookie: " + "; ".join(f"{name}={value}" for name, value in session.cookies.items())


def drive(product: Product, seconds: float, seed: int) -> list[str]:
    """Send the load; the cursors of all its commits."""
    with Follower(product.settings) as follower, load_process(product.settings, RATE, seconds, seed) as load:
        follower.events(load.wait())
        return follower.cursors()


def latencies(product: Product, readers: Crowd, seconds: float, seed: int) -> list[float]:
    """ms of each commit of a load to each subscriber."""
    readers.forget()
    cursors = drive(product, seconds, seed)
    return each_to_each(readers, cursors)


def each_to_each(readers: Crowd, cursors: list[str]) -> list[float]:
    """ms of the commits at these cursors to each subscriber; raises RuntimeError where one got less than all."""
    time.sleep(SETTLE)
    commits = [(cursor, cursor_key(cursor)[0] / 1000) for cursor in cursors]
    samples = []
    for frames in readers.frames():
        found, missing = match(commits, frames)
        if missing:
            raise RuntimeError(f"expected every subscriber to get {len(commits):,} commits, {missing:,} were missing")
        samples += found
    return samples


def stalled(product: Product, header: str, seconds: float, alone: float) -> None:
    """Some more that stop reading, beside those that read, whose p95 ``alone`` was so many ms."""
    with crowd(product, header, BESIDE) as readers:
        before = process_memory(product, "web")
        with crowd(product, header, STALLED, "--stall"):
            samples = latencies(product, readers, seconds, STALLED)
            after = process_memory(product, "web")
    figures = percentiles("fanout", f"{BESIDE} subscribers, {STALLED} more that stopped reading", samples)
    write(figures)
    write(
        value("fanout", "p95 of the others beside them / without them", figures["p95"] / alone, "ratio", len(samples))
    )
    each = (after - before) / STALLED / 1e6
    write(value("fanout", "web memory of a subscriber that stopped reading", each, "MB", STALLED))


if __name__ == "__main__":
    main()
