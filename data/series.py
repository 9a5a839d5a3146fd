"""A figure over time: values gathered by minutes, hours, days, weeks or months, as long as the time asked for is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

Aggregation = Literal["sum", "avg", "min", "max"]
Group = Literal["minute", "hour", "day", "week", "month"]
_UP_TO: tuple[tuple[timedelta, Group, str], ...] = (
    (timedelta(hours=6), "minute", "1m"),
    (timedelta(days=4), "hour", "1h"),
    (timedelta(days=180), "day", "1d"),
    (timedelta(days=365), "week", "1w"),
    (timedelta.max, "month", "1mo"),
)


class SeriesQuery(msgspec.Struct, frozen=True):
    """A metric of a flow, or of one of its tasks, in executions that started between two moments."""

    namespace: str
    flow_id: str
    name: str
    since: datetime
    until: datetime
    task_id: str | None = None
    aggregation: Aggregation = "sum"


class Point(msgspec.Struct, frozen=True):
    """What the values of one minute, hour, … make together; ``date`` is where it begins."""

    date: datetime
    value: float


class Series(msgspec.Struct, frozen=True):
    """Points in the order of time, those without a value left out."""

    group: Group
    points: list[Point]


def series_of(values: Sequence[tuple[int, float]], asked: SeriesQuery) -> Series:
    """The series of (microseconds, value) in any order."""
    import polars as pl

    group, every = next((name, every) for most, name, every in _UP_TO if asked.until - asked.since <= most)
    if not values:
        return Series(group, [])
    schema = {"at": pl.Datetime("us", "UTC"), "value": pl.Float64}
    frame = pl.DataFrame(
        {"at": [at for at, _ in values], "value": [value for _, value in values]},
        schema={"at": pl.Int64, "value": pl.Float64},
    ).cast(schema)  # type: ignore[arg-type]
    value = pl.col("value")
    together = {"sum": value.sum(), "avg": value.mean(), "min": value.min(), "max": value.max()}[asked.aggregation]
    found = frame.group_by(pl.col("at").dt.truncate(every)).agg(together).sort("at")
    return Series(group, [Point(at.replace(tzinfo=UTC), value) for at, value in found.iter_rows()])
