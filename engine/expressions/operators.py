"""Operators with Pebble's meaning, each of bounded cost."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from engine.expressions.errors import ExpressionError, LimitExceeded
from engine.expressions.limits import MAX_INT_BITS, running
from engine.expressions.values import as_text, measure, to_text

_SEQUENCES = (str, list, tuple)
_RANGE_BYTES = 10  # a number of a range, counted so that none is made that can't be a result


def bounded_int(value: Any) -> Any:
    """``value``, refused when it is a whole number of too many digits."""
    if type(value) is int and value.bit_length() > MAX_INT_BITS:
        raise LimitExceeded(f"a number has more than {MAX_INT_BITS} bits")
    return value


def add(left: Any, right: Any) -> Any:
    """Sum of numbers; texts and lists are joined."""
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return bounded_int(left + right)
    if isinstance(left, (list, tuple)):
        result = [*left, *right] if isinstance(right, (list, tuple)) else [*left, right]
    elif isinstance(left, str) or isinstance(right, str):
        result = as_operand(left) + as_operand(right)
    else:
        result = left + right
    measure(result, running())
    return result


def as_operand(value: Any) -> str:
    """A value joined to a text: as it would stand inside the template."""
    if isinstance(value, (Mapping, list, tuple)):
        raise ExpressionError(f"a text and a {type(value).__name__} can't be joined; use the filter toJson or join")
    return as_text(value)


def multiply(left: Any, right: Any) -> Any:
    """Product; a text or list times a number repeats it, within the cap."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, _SEQUENCES) and isinstance(other, int):
            running().fits(len(one) * max(other, 0), "a repetition")
            result = one * other
            measure(result, running())
            return result
    return bounded_int(left * right)


def divide(left: Any, right: Any) -> Any:
    """Quotient; of two whole numbers the whole part, as in Pebble."""
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


def modulo(left: Any, right: Any) -> Any:
    """Remainder, with the sign of the dividend as in Pebble."""
    if isinstance(left, (str, bytes)):
        raise ExpressionError("'%' works on numbers; for a text use '~' or the filter replace")
    if isinstance(left, int) and isinstance(right, int):
        remainder = abs(left) % abs(right)
        return -remainder if left < 0 else remainder
    return math.fmod(left, right)


def power(left: Any, right: Any) -> Any:
    """Power of numbers, refused before it gets too large."""
    if isinstance(left, int) and isinstance(right, int):
        if right > 0 and abs(left) > 1 and left.bit_length() * right > MAX_INT_BITS * 2:
            raise LimitExceeded(f"{left} ** {right} is too large")
        if right < -MAX_INT_BITS:
            return 0.0
    return bounded_int(left**right)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": lambda left, right: bounded_int(operator.sub(left, right)),
    "*": multiply,
    "/": divide,
    "//": operator.floordiv,
    "%": modulo,
    "**": power,
}


def between(start: Any, end: Any, step: int = 1) -> list[Any]:
    """``start..end``, both included, numbers or single letters."""
    if isinstance(start, str) and isinstance(end, str) and len(start) == len(end) == 1:
        return [chr(code) for code in between(ord(start), ord(end), step)]
    if not isinstance(start, int) or not isinstance(end, int) or not isinstance(step, int) or step == 0:
        raise ExpressionError("a range goes from a whole number or letter to another")
    if start > end and step > 0:
        step = -step
    numbers = range(start, end + (1 if step > 0 else -1), step)
    most = running().max_bytes // _RANGE_BYTES
    if len(numbers) > most:
        limit = f"{most:,} values (WATCHFLOOR_EXPRESSION_MAX_BYTES)"
        raise LimitExceeded(f"a range may have {limit}, this one has {len(numbers):,}")
    return list(numbers)


def contains(left: Any, right: Any) -> bool:
    """``left contains right``: part of a text, element of a list (or all of several), key of a map."""
    if left is None:
        return False
    if isinstance(left, str):
        return as_text(right) in left
    if isinstance(right, (list, tuple)):
        return all(one in left for one in right)
    return right in left


def concat(*parts: Any) -> str:
    """``a ~ b``: both as text."""
    result = "".join([to_text(part) for part in parts])
    measure(result, running())
    return result
