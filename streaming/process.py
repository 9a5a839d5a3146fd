"""Lifetimes that the processes share: threads that end with their block, signals, waiting for what is away."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as Stop
from threading import Thread
from typing import Any

import structlog
from redis.exceptions import RedisError

from data.errors import StoreUnavailable
from streaming.outage import Outage

log = structlog.get_logger()

_BACKOFF_MAX = 2.0
_COLLECT_AFTER = (20_000, 50, 50)  # new objects, collections of the young ones, of the middle-aged ones


def settle_memory() -> None:
    """Said once a process has loaded what it keeps: the garbage collector then passes over that, and comes less often.

    A full collection stops everything, in a process of this size for a tenth of a second and more.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def stop_on_signals() -> Stop:
    """An event that SIGTERM and SIGINT set."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def background(name: str, work: Callable[..., None], *args: Any) -> Iterator[Thread]:
    """Run ``work(*args)`` in a thread for the time of the block; ``work`` ends by a ``Stop`` among ``args``."""
    thread = Thread(target=work, args=args, name=name, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        for arg in args:
            if isinstance(arg, Stop):
                arg.set()
        thread.join(timeout=10)


def retry_redis(work: Callable[[], object], stop: Stop) -> None:
    """Do ``work`` again, with capped backoff, whenever Redis goes away in it, until it returns or ``stop``."""
    _retry(work, stop, "redis", RedisError, OSError)


def retry_store(work: Callable[[], object], stop: Stop) -> None:
    """The same whenever the database goes away."""
    _retry(work, stop, "database", StoreUnavailable)


def _retry(work: Callable[[], object], stop: Stop, part: str, *away: type[Exception]) -> None:
    wait, outage = 0.05, Outage()
    while not stop.is_set():
        try:
            work()
            if not stop.is_set():
                outage.over()
            return
        except away as error:
            outage.away(part, error)
            stop.wait(wait)
            wait = min(wait * 2, _BACKOFF_MAX)
