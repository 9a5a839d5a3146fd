"""Values inside expressions: how large they may be, how they look as text, and what stands for a missing one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from jinja2.exceptions import UndefinedError
from jinja2.runtime import StrictUndefined, Undefined

from engine.expressions.errors import ExpressionError, LimitExceeded
from engine.expressions.limits import MAX_DEPTH, MAX_INT_BITS, Budget, running


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
            budget.tick()
            stack.extend(item)
        else:
            size += 2 + len(item) if kind is str else 4
        if size > budget.max_bytes:
            budget.fits(size, "a list or map")


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
        budget.tick()
        if isinstance(item, Mapping):
            return {copy(as_text(key), depth): copy(item[key], depth + 1) for key in item}
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


class MissingName(UndefinedError):
    """A name that is not there was used."""

    def __init__(self, undefined: Missing) -> None:
        super().__init__("missing")
        self.undefined = undefined


class Missing(StrictUndefined):
    """A name that is not there. Its own attributes are missing too; using it is an error that names it."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self

    def _fail_with_undefined_error(self, *args: Any, **kwargs: Any) -> Any:
        raise MissingName(self)

    @property
    def holder(self) -> Any:
        """What the name was looked up in; jinja2's ``missing`` for the context itself."""
        return self._undefined_obj

    @property
    def name(self) -> Any:
        """The name or key."""
        return self._undefined_name


_USES = """iter str len eq ne bool hash contains add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod
pos neg call getitem lt le gt ge int float complex pow rpow"""
for _use in _USES.split():
    setattr(Missing, f"__{_use}__", Missing._fail_with_undefined_error)


class Entry(str):
    """A key of a map while it is looped over: itself the key, with Pebble's ``entry.key`` and ``entry.value``."""

    __slots__ = ("key", "value")

    def __new__(cls, key: str, value: Any) -> Entry:
        entry = super().__new__(cls, key)
        entry.key = key
        entry.value = value
        return entry


class Each(list[Any]):
    """What a loop goes over: each step looks at the clock."""

    def __iter__(self) -> Iterator[Any]:
        tick = running().tick
        for item in super().__iter__():
            tick()
            yield item


def each(value: Any) -> Each:
    """The items of a list, the letters of a text, the entries of a map; null has none."""
    if value is None:
        return Each()
    if isinstance(value, Mapping):
        return Each(Entry(as_text(key), value[key]) for key in value)
    if isinstance(value, (int, float, bool)):
        raise ExpressionError(f"a loop needs a list or a map, this is {as_text(value)}")
    return Each(value)


def to_text(value: Any) -> str:
    """A value as it stands inside a text: lists and maps as JSON, null as nothing."""
    kind = type(value)
    if kind is str:
        return value
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return to_json(value)
    return as_text(value)


def to_json(value: Any) -> str:
    """Compact JSON."""
    return json.dumps(plain(value, running()), ensure_ascii=False, separators=(",", ":"))
