"""Events a second through the real executor process into SQLite and into PostgreSQL, each applied exactly once.

Synthetic executions are sent through the real event stream, as many events as the executor takes: it always finds some
thousands waiting. What counts is what is committed, by the position in the database. PostgreSQL is a server of our own
on this machine that waits for the disk at each commit, as it is installed. In the end every execution's version must be
the number of its events.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from benchmarks.product import cursor_key, wait_until
from benchmarks.results import value, write
from data import Store
from scripts.postgresql import postgres
from streaming import keys
from streaming.bus import Bus
from streaming.load import Synthetic
from watchfloor.settings import Settings
from watchfloor.valkey import valkey_server

SEED = 1
ALIVE = 200  # executions at a time, as `watchfloor load` has them
SECONDS = 60.0
QUICK_SECONDS = 10.0
WARM_UP = 3.0
WAITING = 10_000  # events the executor finds at most
CHUNK = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=["SQLite", "PostgreSQL"])
    parser.add_argument("--alive", type=int, default=ALIVE, help="executions at a time")
    options = parser.parse_args()
    seconds = QUICK_SECONDS if options.quick else SECONDS
    with tempfile.TemporaryDirectory(prefix="wf-") as folder:
        if options.only != "PostgreSQL":
            measure("SQLite", Path(folder), None, seconds, options.alive)
    with tempfile.TemporaryDirectory(prefix="wf-") as folder:
        if options.only != "SQLite":
            with postgres(durable=True) as cluster:
                measure("PostgreSQL", Path(folder), cluster.create("watchfloor"), seconds, options.alive)


def measure(case: str, folder: Path, database_url: str | None, seconds: float, alive: int) -> None:
    """One database; prints its figures."""
    with valkey_server(folder) as url:
        settings = Settings(data_dir=folder, flows_dir=folder / "flows", redis_url=url, database_url=database_url)
        store, bus = Store(settings.resolved_database_url), Bus(url)
        store.migrate()
        with executor_process(settings) as process:
            feed = Feed(store, bus, process, Synthetic(SEED, alive))
            feed.until(WARM_UP)
            readings = [feed.until(at) for at in steps(seconds)]
            feed.finish()
        for result in figures(case, readings, feed):
            write(result)
        store.close()
        bus.close()


def steps(seconds: float) -> list[float]:
    """Seconds since the start at which to read how far the executor is: each ten, at the least both ends."""
    marks = range(0, int(seconds), 10)
    return [WARM_UP + mark for mark in marks] + [WARM_UP + seconds]


Reading = tuple[float, int]


def figures(case: str, readings: list[Reading], feed: Feed) -> list[dict[str, object]]:
    """Events a second over all readings and over the slowest ten seconds, and events that were not applied once."""
    (began, before), (ended, after) = readings[0], readings[-1]
    rates = [(y[1] - x[1]) / (y[0] - x[0]) for x, y in pairwise(readings)]
    return [
        value("ingest", case, (after - before) / (ended - began), "events/s", after - before),
        value("ingest", f"{case}: slowest 10 s", min(rates), "events/s", after - before),
        value("ingest", f"{case}: events not applied exactly once", feed.wrong(), "events", sum(feed.sent.values())),
    ]


class Feed:
    """Sends events as fast as they are applied, and knows how many are."""

    def __init__(self, store: Store, bus: Bus, process: subprocess.Popen[bytes], source: Synthetic) -> None:
        self._store, self._bus, self._process, self._source = store, bus, process, source
        self._ends: list[tuple[int, int]] = []  # stream id of the last event of each chunk
        self._start = time.monotonic()
        self.sent: Counter[str] = Counter()

    def applied(self) -> int:
        """Events that are in the database, by whole chunks; raises RuntimeError when nobody applies them any more."""
        if self._process.poll() is not None:
            raise RuntimeError(f"the executor ended with code {self._process.returncode}")
        return CHUNK * bisect_right(self._ends, cursor_key(self._store.position(keys.EVENTS)))

    def until(self, seconds: float) -> Reading:
        """Send until so many seconds after the start; when that was, and how many events are applied."""
        while time.monotonic() - self._start < seconds:
            if len(self._ends) * CHUNK - self.applied() < WAITING:
                self._send()
            else:
                time.sleep(0.01)
        return time.monotonic(), self.applied()

    def _send(self) -> None:
        events = [self._source.next_event() for _ in range(CHUNK)]
        self._bus.append_all(events)
        self._ends.append(cursor_key(self._bus.last_id(keys.EVENTS)))
        self.sent.update(event.execution_id for event in events)

    def finish(self) -> None:
        """Return when all is applied."""
        wait_until("all events", lambda: self.applied() == len(self._ends) * CHUNK, 120)

    def wrong(self) -> int:
        """By how many events the versions of all executions differ from what was sent."""
        ids, wrong = list(self.sent), 0
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            rows = self._store.rows(some)
            wrong += sum(abs(self.sent[i] - (rows[i].version if i in rows else 0)) for i in some)
        return wrong


@contextmanager
def executor_process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A real executor for the time of the block."""
    environment = {
        "WATCHFLOOR_DATA_DIR": str(settings.data_dir),
        "WATCHFLOOR_FLOWS_DIR": str(settings.flows_dir),
        "WATCHFLOOR_REDIS_URL": settings.resolved_redis_url,
        "WATCHFLOOR_DATABASE_URL": settings.resolved_database_url,
        "WATCHFLOOR_LOG_LEVEL": "WARNING",
    }
    process = subprocess.Popen([sys.executable, "-m", "watchfloor.cli", "executor"], env=os.environ | environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
