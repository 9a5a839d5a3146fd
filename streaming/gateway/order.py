"""The order of the executions list, the same as the store's (``data.pages.SORTS``): by the field, then by start, then
by id; an absent value comes first when rising and last when falling."""

from __future__ import annotations

from collections.abc import Callable
from functools import total_ordering
from typing import Any

from streaming.gateway.window import SortKey
from streaming.messages import ExecutionRow


def _duration(row: ExecutionRow) -> Any:
    return row.end_date - row.start_date if row.end_date is not None else None


FIELDS: dict[str, Callable[[ExecutionRow], Any]] = {
    "startDate": lambda row: row.start_date,
    "endDate": lambda row: row.end_date,
    "duration": _duration,
    "namespace": lambda row: row.namespace,
    "flowId": lambda row: row.flow_id,
    "state": lambda row: row.state.value,
    "id": lambda row: row.id,
}


# Sorts in which many rows are equal (what has not ended has no end), and the store orders those by a number of its own.
TIED = {"endDate", "duration"}

# Names of the REST API that mean one of ``FIELDS``.
ALIASES = {
    "state.current": "state",
    "state.startDate": "startDate",
    "state.endDate": "endDate",
    "state.duration": "duration",
}


class SortError(ValueError):
    """The sort names no known field or direction."""


@total_ordering
class _Falling:
    """Compares the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Falling) and self.value == other.value

    def __lt__(self, other: _Falling) -> bool:
        return other.value < self.value


def normal(sort: str) -> str:
    """The sort by the store's own names."""
    field, colon, direction = sort.partition(":")
    return ALIASES.get(field, field) + colon + direction


def is_exact(sort: str) -> bool:
    """Whether the order of any two rows follows from the rows alone."""
    return sort.partition(":")[0] not in TIED


def sort_key(sort: str) -> SortKey:
    """Key of ``field:asc`` or ``field:desc``; raises SortError."""
    field, _, direction = sort.partition(":")
    if field not in FIELDS or direction not in ("asc", "desc"):
        raise SortError(f"expected a sort like startDate:desc over {', '.join(FIELDS)}, got {sort!r}")
    value = FIELDS[field]

    def rising(row: ExecutionRow) -> Any:
        found = value(row)
        return (found is not None, found if found is not None else 0, row.start_date, row.id)

    if direction == "asc":
        return rising
    return lambda row: _Falling(rising(row))
