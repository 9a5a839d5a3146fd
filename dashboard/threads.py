"""Work that would hold up everybody: greenlets share one thread, and SQLite and hashes don't let go of it meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def in_thread(work: Callable[[], T]) -> T:
    """What ``work`` gives, or raises: done in a real thread when requests are greenlets, else at once.

    It sees the context of who asks: audit rows written there say from where, too.
    """
    from gevent import get_hub
    from gevent.monkey import is_module_patched

    if not is_module_patched("threading"):
        return work()
    found, error = get_hub().threadpool.apply(copy_context().run, (_tried, work))
    if error is not None:
        raise error
    return found


def _tried(work: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """The pool would print an error that goes out of it, expected or not."""
    try:
        return work(), None
    except Exception as error:
        return None, error
