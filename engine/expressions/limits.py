"""What one evaluation may cost. No signals and no threads: loops, calls and filters ask the budget as they go.

The rule that makes the limits hold: every value an expression *makes* is measured as it is made (so none is larger
than ``max_bytes``, also not by naming one list twice), and every loop step, call and filter looks at the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from random import Random, SystemRandom
from time import monotonic
from typing import Any, Protocol

import msgspec

from engine.expressions.errors import LimitExceeded

MAX_DEPTH = 100  # of nested lists and maps
MAX_INT_BITS = 8_192
MAX_TOKENS = 20_000  # of one template
_CHANCE = SystemRandom()


class Sources(Protocol):
    """Where functions that look beyond the context read: the worker and the executor each give their own."""

    def kv(self, namespace: str, key: str) -> Any:
        """Value of a key; ``KeyError`` when there is none."""

    def read(self, uri: str) -> str:
        """Text of a stored file; ``OSError`` when it can't be read."""

    def file_size(self, uri: str) -> int:
        """Bytes of a stored file."""

    def file_uri(self, namespace: str, path: str) -> str:
        """Address of a namespace file."""

    def error_logs(self, context: Mapping[str, Any]) -> list[dict[str, Any]]:
        """ERROR log entries of the execution so far."""


class Options(msgspec.Struct, frozen=True):
    """How to evaluate. ``clock`` is what ``now()`` says, ``chance`` what ``uuid()`` and ``randomInt()`` draw from.

    A reducer passes the time of its event, and a chance that follows from it.
    """

    timeout: float = 1.0
    max_bytes: int = 1_048_576
    clock: Callable[[], datetime] | None = None
    chance: Callable[[], Random] | None = None
    sources: Sources | None = None


DEFAULT = Options()


class Budget:
    """The running evaluation: its deadline, its caps, its context."""

    __slots__ = ("context", "deadline", "depth", "max_bytes", "options")

    def __init__(self, options: Options, context: Mapping[str, Any]) -> None:
        self.options = options
        self.context = context
        self.deadline = monotonic() + options.timeout
        self.max_bytes = options.max_bytes
        self.depth = 0

    def tick(self) -> None:
        """Raise when the time is over."""
        if monotonic() > self.deadline:
            limit = f"{self.options.timeout:g} s (WATCHFLOOR_EXPRESSION_TIMEOUT)"
            raise LimitExceeded(f"the expression took longer than {limit}")

    def remaining(self) -> float:
        """Seconds left, never zero (a time-out of zero would mean none)."""
        self.tick()
        return max(self.deadline - monotonic(), 0.001)

    def fits(self, size: int, what: str = "the result") -> None:
        """Raise when ``size`` bytes are too many."""
        if size > self.max_bytes:
            raise LimitExceeded(f"{what} is larger than {self.max_bytes:,} bytes (WATCHFLOOR_EXPRESSION_MAX_BYTES)")

    def now(self) -> datetime:
        """The evaluation's clock, aware UTC by default."""
        clock = self.options.clock
        return clock() if clock else datetime.now(UTC)

    def chance(self) -> Random:
        """What the evaluation draws from, the system's own by default."""
        chance = self.options.chance
        return chance() if chance else _CHANCE


_running: ContextVar[Budget] = ContextVar("expression_budget")


def running() -> Budget:
    """The budget of the evaluation this code is called from."""
    return _running.get()


def enter(budget: Budget) -> Any:
    """Make ``budget`` the running one; give the answer to ``leave``."""
    return _running.set(budget)


def leave(token: Any) -> None:
    """Undo ``enter``."""
    _running.reset(token)


def nested() -> Budget | None:
    """The running budget when an evaluation happens inside another one (``render``)."""
    return _running.get(None)
