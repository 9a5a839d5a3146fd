"""How much a number that only rises rose lately."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_STEP = 5.0  # seconds between two remembered totals


class Recent:
    """Told a total now and then, it knows by how much that rose within the last ``minutes``."""

    def __init__(self, minutes: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = minutes * 60
        self._clock = clock
        self._known: deque[tuple[float, int]] = deque()

    def rise(self, total: int) -> int:
        """``total`` is how much it is now; the rise, to within five seconds."""
        now = self._clock()
        if not self._known or now - self._known[-1][0] >= _STEP:
            self._known.append((now, total))
        while len(self._known) > 1 and self._known[1][0] <= now - self._seconds:
            self._known.popleft()
        return total - self._known[0][1]
