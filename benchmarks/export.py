"""Seconds and memory to export 1,000,000 executions over REST as CSV, JSON Lines and Parquet.

The past is written by the seed; the file is read over HTTP by this process, as a script would. Memory is what the web
process and the process that makes the file take together beyond what the web process had before; pages of the
database's file that the web process has mapped are not counted. Meanwhile another script asks for a small answer again
and again: pages must not notice that somebody exports.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import requests

from benchmarks.memory import MB, processes, write_past
from benchmarks.product import PASSWORD
from benchmarks.results import percentiles, value, write
from watchfloor.product import Product, running

PAST = 1_000_000
QUICK_PAST = 50_000
FORMATS = {"csv": "CSV", "jsonl": "JSON Lines", "parquet": "Parquet"}
_EVERY = 0.05
_CHUNK = 1_048_576


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--past", type=Path, help="keep the past in this folder, and take it from there again")
    parser.add_argument("--only", choices=list(FORMATS))
    options = parser.parse_args()
    past = QUICK_PAST if options.quick else PAST
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wf-")))
        (folder / "flows").mkdir()
        write_past(options.past or folder / "data", past)
        if options.past:
            shutil.copytree(options.past, folder / "data")
        product = stack.enter_context(running(folder / "data", folder / "flows", WATCHFLOOR_ADMIN_PASSWORD=PASSWORD))
        for format in [options.only] if options.only else FORMATS:
            measure(product, format, past)


def measure(product: Product, format: str, past: int) -> None:
    """One format; prints its figures."""
    before = own_memory(product)
    with watched(product) as memory, asked(product) as answers:
        begun = time.monotonic()
        size = download(product, format, past)
        seconds = time.monotonic() - begun
    case = f"{past:,} rows, {FORMATS[format]}"
    write(value("export", case, seconds, "s", past))
    write(value("export", f"{case}: file", size / MB, "MB"))
    write(value("export", f"{case}: memory beyond the web process's", (max(memory) - before) / MB, "MB", len(memory)))
    write(percentiles("export", f"{case}: another request meanwhile", answers))


def own_memory(product: Product) -> int:
    """Bytes of the largest process of the web server, mapped files left out."""
    web = [one for one in processes(product, "web") if "data.exporter" not in _command(one)]
    return max(info.rss - info.shared for info in (one.memory_info() for one in web))


def download(product: Product, format: str, past: int) -> int:
    """Bytes of the file; raises unless it has all rows."""
    address = f"{product.url}/api/v1/main/executions/export/by-query/{format}?export=benchmark-{format}"
    size = 0
    with requests.get(address, auth=("admin", PASSWORD), stream=True, timeout=120) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_content(_CHUNK):
            size += len(chunk)
    known = f"{product.url}/api/v1/main/executions/export/benchmark-{format}"
    told = requests.get(known, auth=("admin", PASSWORD), timeout=10).json()
    if (told["state"], told["rows"]) != ("SUCCESS", past):
        raise RuntimeError(f"expected {past:,} rows, got {told}")
    return size


@contextmanager
def watched(product: Product) -> Iterator[list[int]]:
    """Bytes of the web process and all resident ones of its exporter, looked at again and again."""
    readings: list[int] = []

    def look() -> None:
        readings.append(own_memory(product) + sum(_resident(one) for one in _exporters(product)))

    with _again(look):
        yield readings


@contextmanager
def asked(product: Product) -> Iterator[list[float]]:
    """Milliseconds another script waits for a list of ten."""
    waited: list[float] = []
    session = requests.Session()
    session.auth = ("admin", PASSWORD)
    address = f"{product.url}/api/v1/main/executions/search"

    def ask() -> None:
        begun = time.monotonic()
        session.get(address, timeout=30).raise_for_status()
        waited.append((time.monotonic() - begun) * 1000)

    ask()
    waited.clear()
    with _again(ask):
        yield waited
    session.close()


@contextmanager
def _again(work: Callable[[], None]) -> Iterator[None]:
    stop = threading.Event()

    def repeat() -> None:
        while not stop.wait(_EVERY):
            work()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _exporters(product: Product) -> list[psutil.Process]:
    return [one for one in processes(product, "web") if "data.exporter" in _command(one)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


if __name__ == "__main__":
    main()
