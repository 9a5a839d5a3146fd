"""The audit as it is asked for: filters of a query string, shapes, and files of everything that matches."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from data.audit import AuditQuery
from data.records import AuditRow
from data.store import Store
from streaming import codec

FIELDS = ("actor", "action", "target", "origin", "text", "since", "until")
COLUMNS = ("seq", "at", "actor", "action", "target", "origin", "address", "token", "reason", "before", "after")


class AuditFilterError(ValueError):
    """A filter that can't be read. ``field`` is what it is about."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


def query_of(given: Mapping[str, str | None]) -> AuditQuery:
    """The query that parameters mean; what is empty filters nothing. Raises ``AuditFilterError``."""
    values: dict[str, Any] = {name: given[name] for name in FIELDS[:5] if given.get(name)}
    for name in ("since", "until"):
        if text := given.get(name):
            values[name] = _date(name, text)
    if before := given.get("before"):
        if not before.isdigit():
            raise AuditFilterError("before", f"expected the number of a row, got {before!r}")
        values["before"] = int(before)
    return AuditQuery(**values)


def _date(name: str, text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise AuditFilterError(name, f"expected an ISO 8601 date such as 2026-01-31T12:00:00Z, got {text!r}") from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def shape(row: AuditRow) -> dict[str, Any]:
    """A row as JSON has it."""
    return {name: getattr(row, name) for name in COLUMNS}


def jsonl(store: Store, query: AuditQuery) -> Iterator[bytes]:
    """Everything that matches, an object a line, a piece at a time."""
    for rows in store.iter_audits(query):
        yield b"".join(codec.to_json(shape(row)) + b"\n" for row in rows)


def csv_of(store: Store, query: AuditQuery) -> Iterator[str]:
    """Everything that matches as CSV, a piece at a time. No cell begins a formula."""
    yield ",".join(COLUMNS) + "\r\n"
    for rows in store.iter_audits(query):
        text = io.StringIO()
        csv.writer(text).writerows([_cell(value) for value in shape(row).values()] for row in rows)
        yield text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = str(value) if isinstance(value, (str, int)) else codec.to_json(value).decode()
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def differences(before: Any, after: Any) -> list[tuple[str, str | None, str | None]]:
    """(name, before, after) of everything that is not the same in both, nested names by dots."""
    old, new = dict(_leaves("", before)), dict(_leaves("", after))
    return [(name, old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)]


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, one in value.items():
            yield from _leaves(f"{path}.{name}" if path else str(name), one)
    elif value is not None and value != {}:
        yield path, value if isinstance(value, str) else codec.to_json(value).decode()
