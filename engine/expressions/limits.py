"""What one evaluation may cost. No signals and no threads: loops, calls and filters ask the budget as they go.

The rule that makes the limits hold: every value an expression *makes* is measured as it is made (so none is larger
than ``max_bytes``, also not by naming one list twice), and every loop step, call and filter looks at the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import Any, Protocol

import msgspec

from engine.expressions.errors import ExpressionError, LimitExceeded

MAX_DEPTH = 100  # of nested lists and maps
MAX_INT_BITS = 8_192
MAX_TOKENS = 20_000  # of one template


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
    """How to evaluate. ``clock`` is what ``now()`` says (a reducer passes the time of its event)."""

    timeout: float = 1.0
    max_bytes: int = 1_048_576
    clock: Callable[[], datetime] | None = None
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
            raise LimitExceeded(f"the expression took longer than {self.options.timeout:g} s")

    def remaining(self) -> float:
        """Seconds left, never zero (a time-out of zero would mean none)."""
        self.tick()
        return max(self.deadline - monotonic(), 0.001)

    def fits(self, size: int, what: str = "the result") -> None:
        """Raise when ``size`` bytes are too many."""
        if size > self.max_bytes:
            raise LimitExceeded(f"{what} is larger than {self.max_bytes:,} bytes")

    def now(self) -> datetime:
        """The evaluation's clock, aware UTC by default."""
        clock = self.options.clock
        return clock() if clock else datetime.now(UTC)


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


def measure(value: Any, budget: Budget) -> None:
    """Raise when ``value`` is too large; maps that resolve on demand are not looked into."""
    kind = type(value)
    if kind is str:
        if len(value) * 4 > budget.max_bytes:
            budget.fits(len(value.encode("utf-8", "replace")), "a text")
    elif kind in (list, tuple, dict):
        _measure_container(value, budget)


def _measure_container(value: Any, budget: Budget) -> None:
    size = 0
    stack: list[Iterable[Any]] = [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is dict:
            size += 2 + sum(4 + len(k) if type(k) is str else 12 for k in item)
            stack.extend(item.values())
        elif kind in (list, tuple):
            size += 2 + len(item)
            budget.fits(size, "a list")
            stack.extend(item)
        else:
            size += 2 + len(item) if kind is str else 4
        if size > budget.max_bytes:
            budget.fits(size, "a list or map")


_SCALARS = (str, int, float, bool, type(None))


def plain(value: Any, budget: Budget) -> Any:
    """``value`` as builtins that any encoder takes: maps resolved, dates as ISO 8601, sets and iterators as lists."""
    left = budget.max_bytes

    def spend(size: int) -> None:
        nonlocal left
        left -= size
        if left < 0:
            raise LimitExceeded(f"the result is larger than {budget.max_bytes:,} bytes")

    def copy(item: Any, depth: int) -> Any:
        kind = type(item)
        if kind is str:
            spend(len(item) if item.isascii() else len(item.encode("utf-8", "replace")))
            return item
        if item is None or kind in (int, float, bool):
            spend(1)
            return item
        if depth > MAX_DEPTH:
            raise LimitExceeded(f"the result is nested deeper than {MAX_DEPTH}")
        spend(2)
        if isinstance(item, Mapping):
            return {key if type(key) is str else as_text(key): copy(item[key], depth + 1) for key in item}
        if isinstance(item, (list, tuple, set, frozenset, range)):
            return [copy(one, depth + 1) for one in item]
        return scalar(item)

    return copy(value, 0)


def scalar(value: Any) -> Any:
    """A leaf as str, number, bool or None."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, (datetime, date, time)):
        return iso(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise ExpressionError(f"a {type(value).__name__} can't be a result")


def iso(value: datetime | date | time) -> str:
    """ISO 8601, UTC written as ``Z``."""
    return value.isoformat().replace("+00:00", "Z")


def as_text(value: Any) -> str:
    """A leaf as the text it has inside a template: null is empty, true and false in small letters."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is int and value.bit_length() > MAX_INT_BITS:
        raise LimitExceeded(f"a number has more than {MAX_INT_BITS} bits")
    return str(scalar(value))
