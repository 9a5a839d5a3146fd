"""kv.Set, kv.Get and kv.Delete: the key-value stores of namespaces."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from data import StoreUnavailable
from data.errors import KeyRefused
from engine.durations import parse_duration
from engine.truth import truth
from engine.worker.tasks.base import Result, Running, TaskFailed
from engine.worker.tasks.core import text_of

T = TypeVar("T")
_KEY = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,255}")
_PATIENCE = 30.0  # seconds that the database may be away
_PAUSE = 0.2


def set_value(running: Running) -> Result:
    """``kv.Set``: keeps a value for later executions."""
    given = running.properties
    namespace, key = _place(running)
    value, kind = typed(given.get("value"), given.get("kvType"))
    limits = running.limits
    description = given.get("kvDescription")
    _patiently(
        running,
        lambda: running.records.store.kv_set(
            namespace,
            key,
            value,
            kind,
            ttl=_ttl(given.get("ttl")),
            description=None if description is None else text_of(description),
            overwrite=truth(given.get("overwrite", True)),
            max_bytes=limits.kv_max_bytes,
            max_keys=limits.kv_max_keys,
        ),
    )
    return Result()


def get_value(running: Running) -> Result:
    """``kv.Get``: its output ``value`` is that of the key, null when there is none."""
    namespace, key = _place(running)
    found = _patiently(running, lambda: running.records.store.kv(namespace, key))
    if found is None and truth(running.properties.get("errorOnMissing", False)):
        raise TaskFailed(f"the key {key!r} is not in the store of {namespace!r}")
    return Result({"value": None if found is None else found.value})


def delete(running: Running) -> Result:
    """``kv.Delete``: its output ``deleted`` says whether the key was there."""
    namespace, key = _place(running)
    deleted = _patiently(running, lambda: running.records.store.kv_delete(namespace, key))
    if not deleted and truth(running.properties.get("errorOnMissing", False)):
        raise TaskFailed(f"the key {key!r} is not in the store of {namespace!r}")
    return Result({"deleted": deleted})


def typed(value: Any, kind: Any = None) -> tuple[Any, str]:
    """A value in its plain form, and its type's name; without ``kind`` the type it has."""
    if kind is None:
        return value, next((name for types, name in _OWN if isinstance(value, types)), "JSON")
    name = text_of(kind).upper()
    if name not in _READERS:
        raise TaskFailed(f"kvType: expected one of {', '.join(_READERS)}, came {name!r}")
    try:
        return _READERS[name](value), name
    except (ValueError, TypeError, KeyError) as error:
        raise TaskFailed(f"value: expected {_EXPECTED[name]} (kvType {name}), came {text_of(value)[:80]!r}") from error


_OWN: tuple[tuple[Any, str], ...] = ((bool, "BOOLEAN"), ((int, float), "NUMBER"), (str, "STRING"))


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, (int, float)):
        return value
    number = json.loads(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise TypeError
    return number


_TRUTH = {"true": True, "false": False}


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else _TRUTH[text_of(value).strip().lower()]


def _checked(check: Callable[[str], Any]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = text_of(value).strip()
        check(text)
        return text

    return read


_READERS: dict[str, Callable[[Any], Any]] = {
    "STRING": text_of,
    "NUMBER": _number,
    "BOOLEAN": _boolean,
    "DATETIME": _checked(datetime.fromisoformat),
    "DATE": _checked(date.fromisoformat),
    "DURATION": _checked(parse_duration),
    "JSON": lambda value: json.loads(value) if isinstance(value, str) else value,
}
_EXPECTED = {
    "STRING": "text",
    "NUMBER": "a number",
    "BOOLEAN": "true or false",
    "DATETIME": "a date and time such as 2030-12-31T23:59:00Z",
    "DATE": "a date such as 2030-12-31",
    "DURATION": "a duration such as PT5M",
    "JSON": "JSON",
}


def _place(running: Running) -> tuple[str, str]:
    namespace = text_of(running.properties.get("namespace") or running.job.namespace)
    key = text_of(running.properties.get("key"))
    if not _KEY.fullmatch(key):
        raise TaskFailed(f"key: expected letters, digits, ., - and _ (at most 256), came {key[:80]!r}")
    return namespace, key


def _ttl(given: Any) -> timedelta | None:
    if given is None:
        return None
    seconds = given if isinstance(given, (int, float)) else parse_duration(text_of(given))
    if seconds <= 0:
        raise TaskFailed(f"ttl: expected a duration above PT0S, came {text_of(given)!r}")
    return timedelta(seconds=seconds)


def _patiently(running: Running, work: Callable[[], T]) -> T:
    """Do ``work``; a database that is away is waited for, but not for ever."""
    left = _PATIENCE
    while True:
        try:
            return work()
        except KeyRefused as error:
            raise TaskFailed(str(error)) from error
        except StoreUnavailable as error:
            if left <= 0 or running.control.wait(_PAUSE) is not None:
                raise TaskFailed(f"the database can't be reached: {error}") from error
            left -= _PAUSE
