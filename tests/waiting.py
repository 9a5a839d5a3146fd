"""Waiting for what comes to pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 90.0  # seconds: what comes at all comes sooner, on a busy machine too


def until(condition: Callable[[], T], what: str = "what was waited for", seconds: float = PATIENCE) -> T:
    """The first true value of ``condition()``; fails naming ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.02)
    return found
