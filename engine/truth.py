"""What a condition's result means: the one rule for runIf, If, Fail, Assert and every option that is true or false."""

from __future__ import annotations

from typing import Any

_FALSE = frozenset({"false", "0", "-0", "", "none", "null"})


def truth(value: Any) -> bool:
    """Whether it is true: not false, 0, null, or "false", "0", "-0", ""."""
    if isinstance(value, str):
        return value.strip().lower() not in _FALSE
    return value is not None and value is not False and value != 0
