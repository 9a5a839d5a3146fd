"""A process's loop, in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as Stop
from threading import Thread


@contextmanager
def in_thread(run: Callable[[Stop], object]) -> Iterator[None]:
    """``run`` is at work, until the block ends."""
    stop = Stop()
    thread = Thread(target=run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
