"""Retention beside live work: from a commit being published to each of 10 subscribers, at 200/s, while the past goes.

First with nothing to remove, then while 10,000 executions that are too old are removed as the settings have it by
default: in small steps, with rests. A sample is one commit at one subscriber, as in ``fanout``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.fanout import crowd, each_to_each, log_in
from benchmarks.product import Follower, load_process
from benchmarks.results import percentiles, value, write
from data import Store
from data.seed import seed
from watchfloor.product import Product, running
from watchfloor.settings import Settings

PAST = 10_000
QUICK_PAST = 1_000
SUBSCRIBERS = 10
RATE = 200
SECONDS = 12.0  # of load at a time
QUICK_SECONDS = 5.0
WARM_UP = 2.0
DAYS = 30
RULES = f'{{"synthetic": {{"days": {DAYS}}}}}'
PATIENCE = 3_600.0
LIVE = "synthetic.load"  # the namespace of the load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    past, seconds = (QUICK_PAST, QUICK_SECONDS) if options.quick else (PAST, SECONDS)
    with tempfile.TemporaryDirectory(prefix="wf-") as name:
        folder = Path(name)
        for part in ("data", "flows"):
            (folder / part).mkdir()
        store = Store(Settings(data_dir=folder / "data").resolved_database_url)
        store.migrate()
        seed(store, past, now=datetime.now(UTC) - timedelta(days=DAYS + 1))
        with running(folder / "data", folder / "flows") as product:
            header = log_in(product)
            drive(product, WARM_UP, 0)
            with crowd(product, header, SUBSCRIBERS) as readers:
                readers.forget()
                commits = drive(product, seconds, 1)
                write(percentiles("retention", "200/s, nothing to remove", each_to_each(readers, commits)))
        with running(folder / "data", folder / "flows", WATCHFLOOR_RETENTION=RULES) as product:
            beside(product, store, past, seconds)
        store.close()


def beside(product: Product, store: Store, past: int, seconds: float) -> None:
    """The load again and again until nothing is left to remove."""
    with crowd(product, log_in(product), SUBSCRIBERS) as readers:
        readers.forget()
        began, before, commits = time.monotonic(), left(store), []
        if before < past / 2:
            raise RuntimeError(f"expected most of {past:,} executions to be there yet, {before:,} were")
        while (now := left(store)) or store.pruned_waiting():
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"waited {PATIENCE:.0f} s for retention, {now:,} executions were left")
            commits += drive(product, seconds, 2 + len(commits))
        took = time.monotonic() - began
        samples = each_to_each(readers, commits)
    write(percentiles("retention", "200/s, while executions are removed", samples))
    write(
        value("retention", f"of {past:,} executions, removed each second beside 200/s", before / took, "executions/s")
    )


def left(store: Store) -> int:
    """How many of the past are there."""
    return sum(count for namespace, count in store.ended_by_namespace().items() if namespace != LIVE)


def drive(product: Product, seconds: float, seed: int) -> list[str]:
    """Send the load; the cursors of the commits that applied it."""
    with Follower(product.settings) as follower, load_process(product.settings, RATE, seconds, seed) as load:
        return list(dict.fromkeys(cursor for cursor, _ in follower.events(load.wait())))


if __name__ == "__main__":
    main()
