"""Loading of libraries, a process's first seconds."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Imports in this block are a tenth quicker: nothing they make is garbage, so it isn't looked for."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
