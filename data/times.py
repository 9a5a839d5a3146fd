"""Times in SQL are whole microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def to_us(date: datetime) -> int:
    """Microseconds of an aware datetime."""
    return (date - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The aware UTC datetime of ``us``."""
    return _EPOCH + timedelta(microseconds=us)


def to_us_or_none(date: datetime | None) -> int | None:
    """``to_us`` that lets ``None`` through."""
    return None if date is None else to_us(date)


def from_us_or_none(us: int | None) -> datetime | None:
    """``from_us`` that lets ``None`` through."""
    return None if us is None else from_us(us)


def now_us() -> int:
    """Microseconds now."""
    return to_us(datetime.now(UTC))
