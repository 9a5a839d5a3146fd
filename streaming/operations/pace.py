"""How much of an operation may wait in the executor's stream: as much as goes through in a moment. No I/O.

What others do waits behind what was sent before it. So no more is sent than the executor answers ``TARGET`` later than
it answers a few (where a few take longer than that: 1.75 times as late). That is measured: when something
else keeps the executor busy, less is sent.
"""

from __future__ import annotations

from collections import deque

TARGET = 0.06  # seconds that those told ahead may add to the time of an answer
LEAST = 50
_MORE = 1.1
_LESS = 0.25
_KNOWN = 10.0  # seconds after which the quickest answer is looked for anew


class Pace:
    """``window`` is how many executions may be unanswered at a time, at most ``most``."""

    def __init__(self, most: int) -> None:
        self._most = max(LEAST, most)
        self.window = float(LEAST)
        self.told = 0
        self.answered = 0
        self._marks: deque[tuple[int, float]] = deque()
        self._lessened_at = float("-inf")
        self._quickest = (float("inf"), float("inf"))  # within this and the last span of ``_KNOWN``
        self._span_ends = float("-inf")

    @property
    def outstanding(self) -> int:
        """How many have no answer yet."""
        return self.told - self.answered

    @property
    def free(self) -> int:
        """How many more may be told now; 0 until a part of the window is free, so that they go in fewer pieces."""
        free = int(self.window) - self.outstanding
        return free if free * 3 >= self.window else 0

    def tell(self, count: int, at: float) -> None:
        """The executor was told of ``count`` more, at the moment ``at``."""
        self.told += count
        self._marks.append((self.told, at))

    def answer(self, count: int, at: float) -> None:
        """``count`` more have their answer."""
        self.answered += count
        while self._marks and self._marks[0][0] <= self.answered:
            _, told_at = self._marks.popleft()
            self._adjust(told_at, at)

    def forget(self, count: int) -> None:
        """``count`` of those told will have no answer."""
        self.told = max(self.answered, self.told - count)
        self._marks.clear()

    def _adjust(self, told_at: float, at: float) -> None:
        """Less when it took too long, once for all that was told before that showed; else more."""
        took = at - told_at
        base = self._base(took, at)
        most = base + max(TARGET, 0.75 * base)
        if took <= most:
            self.window = min(self._most, self.window * _MORE)
        elif told_at > self._lessened_at:
            self.window = max(LEAST, self.window * max(_LESS, 0.8 * most / took))
            self._lessened_at = at

    def _base(self, took: float, at: float) -> float:
        """How quickly answers come when little waits: the quickest of late."""
        if at > self._span_ends:
            self._quickest = (float("inf"), self._quickest[0])
            self._span_ends = at + _KNOWN
        self._quickest = (min(self._quickest[0], took), self._quickest[1])
        return min(self._quickest)
