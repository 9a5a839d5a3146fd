"""The values a field has among the executions that match, with their counts: what pickers offer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from data.counts import Counting, Grouping
from data.database import Database
from data.errors import FilterError
from data.fields import FIELDS
from data.filters import Filters
from data.signatures import pairs_of

SUGGESTED = tuple(name for name, field in FIELDS.items() if field.suggests)


class FieldValue(msgspec.Struct, frozen=True):
    """A value, and how many of the executions have it; of a namespace, those below it included."""

    value: str
    count: int


class Distinct(Database):
    """Values of fields."""

    def distinct(
        self,
        field: str,
        filters: Filters | None = None,
        *,
        text: str = "",
        key: str | None = None,
        size: int = 100,
        now: datetime | None = None,
    ) -> list[FieldValue]:
        """The ``size`` most frequent values of a field that contain ``text`` (letter case aside), most first.

        Of ``namespace`` the ones above are there too; of ``labels`` the keys, with ``key`` its values. Labels of the
        system's own are not. Raises ``FilterError`` for a field whose values can't be listed.
        """
        if field not in SUGGESTED:
            raise FilterError("field", f"expected one of {', '.join(SUGGESTED)}, got {field!r}")
        with self._read() as connection:
            counting = Counting(connection, now or datetime.now(UTC), Grouping(field, key))
            counts = counting.count(counting.meaning(filters or Filters()))
        found: Counter[str] = Counter()
        for value, n in counts.items():
            if value not in (None, ""):
                for each in _values(field, key, str(value)):
                    found[each] += n
        wanted = [FieldValue(value, n) for value, n in found.items() if text.lower() in value.lower()]
        return sorted(wanted, key=lambda one: (-one.count, one.value))[:size]


def _values(field: str, key: str | None, value: str) -> Iterable[str]:
    if field == "namespace":
        parts = value.split(".")
        return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    if field == "labels" and key is None:
        return {name for name, _ in pairs_of(value)}
    return (value,)
