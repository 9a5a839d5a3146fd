"""What work costs without a clock: the lines of Python it runs, the same on any machine."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


def steps(work: Callable[[], T]) -> tuple[T, int]:
    """What ``work`` gives, and how many lines ran for it, each round of a loop counted. Work done in C is not seen."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # a collection would run finalizers of what other tests left
    sys.settrace(trace)
    try:
        return work(), count
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
