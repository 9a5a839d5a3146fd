"""Dates: reading them, formatting them by Java's patterns, adding to them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from engine.expressions.errors import ExpressionError
from engine.expressions.limits import running
from engine.expressions.values import as_text, iso

_PATTERN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|(.)", re.DOTALL)
_PATTERN_MAX = 500
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)$")
NAMED = {
    "iso": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "iso_local_date": "yyyy-MM-dd",
    "iso_local_time": "HH:mm:ss",
    "iso_local_date_time": "yyyy-MM-dd'T'HH:mm:ss",
    "iso_offset_date_time": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "iso_date_time": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "iso_instant": "yyyy-MM-dd'T'HH:mm:ss'Z'",
    "iso_zoned_date_time": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "iso_sec": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "iso_milli": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "basic_iso_date": "yyyyMMdd",
    "sql": "yyyy-MM-dd HH:mm:ss.SSSSSS",
    "sql_sec": "yyyy-MM-dd HH:mm:ss",
    "sql_milli": "yyyy-MM-dd HH:mm:ss.SSS",
    "rfc_1123_date_time": "EEE, d MMM yyyy HH:mm:ss 'GMT'",
}


def zone(name: str | None) -> tzinfo:
    """A time zone by name or offset, UTC by default."""
    if not name or name.upper() in ("UTC", "Z", "GMT"):
        return UTC
    offset = _OFFSET.match(name)
    if offset:
        from datetime import timezone

        sign = -1 if offset[1] == "-" else 1
        return timezone(sign * timedelta(hours=int(offset[2]), minutes=int(offset[3])))
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ExpressionError(f"the time zone {name!r} is not known") from error


def read(value: Any, pattern: str | None = None, tz: str | None = None) -> datetime:
    """A date from a date, an ISO 8601 text, seconds (or milliseconds) since 1970, or a text in ``pattern``."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone(tz))
    if isinstance(value, date):
        return datetime.combine(value, time(), zone(tz))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    source = as_text(value).strip()
    if pattern:
        return _read_pattern(source, NAMED.get(pattern.lower(), pattern), tz)
    try:
        found = datetime.fromisoformat(re.sub(r"\[[\w/+-]+\]$", "", source))
    except ValueError as error:
        raise ExpressionError(f"{source[:60]!r} is not a date; ISO 8601 is read, or name its existingFormat") from error
    return found if found.tzinfo else found.replace(tzinfo=zone(tz))


_READ = {"y": "%Y", "u": "%Y", "d": "%d", "H": "%H", "h": "%I", "m": "%M", "s": "%S", "S": "%f", "a": "%p", "X": "%z",
         "x": "%z", "Z": "%z", "D": "%j"}  # fmt: skip


def _read_pattern(source: str, pattern: str, tz: str | None) -> datetime:
    python = "".join(_strptime(match) for match in _PATTERN.finditer(pattern))
    try:
        found = datetime.strptime(source, python)
    except ValueError as error:
        raise ExpressionError(f"{source[:60]!r} is not a date in the form {pattern!r}") from error
    return found if found.tzinfo else found.replace(tzinfo=zone(tz))


def _strptime(match: re.Match[str]) -> str:
    run = match.group()
    if match[2] is None:
        return (match[1].replace("''", "'") or "'" if match[1] is not None else run).replace("%", "%%")
    letter = match[2]
    if letter in "yu" and len(run) == 2:
        return "%y"
    if letter in "ML":
        return ("%m", "%m", "%b", "%B")[min(len(run), 4) - 1]
    if letter in "E":
        return "%A" if len(run) > 3 else "%a"
    if letter not in _READ:
        raise ExpressionError(f"the letter {letter!r} of a date pattern can't be read")
    return _READ[letter]


def _padded(value: int, width: int) -> str:
    return str(value).zfill(min(width, 19))


def _offset(moment: datetime, width: int, *, zulu: bool, colon: bool) -> str:
    delta = moment.utcoffset() or timedelta()
    if zulu and not delta:
        return "Z"
    minutes = int(delta.total_seconds()) // 60
    sign, minutes = ("-" if minutes < 0 else "+"), abs(minutes)
    if width == 1 and minutes % 60 == 0:
        return f"{sign}{minutes // 60:02}"
    return f"{sign}{minutes // 60:02}{':' if colon else ''}{minutes % 60:02}"


_MONTHS, _MONTHS_SHORT = calendar.month_name, calendar.month_abbr
_LETTERS: dict[str, Callable[[datetime, int], str]] = {
    "y": lambda d, n: f"{d.year % 100:02}" if n == 2 else _padded(d.year, n),
    "u": lambda d, n: f"{d.year % 100:02}" if n == 2 else _padded(d.year, n),
    "Y": lambda d, n: _padded(d.isocalendar().year, n),
    "M": lambda d, n: _padded(d.month, n) if n < 3 else (_MONTHS_SHORT if n == 3 else _MONTHS)[d.month],
    "L": lambda d, n: _padded(d.month, n) if n < 3 else (_MONTHS_SHORT if n == 3 else _MONTHS)[d.month],
    "Q": lambda d, n: _padded((d.month + 2) // 3, n) if n < 3 else f"Q{(d.month + 2) // 3}",
    "w": lambda d, n: _padded(d.isocalendar().week, n),
    "D": lambda d, n: _padded(d.timetuple().tm_yday, n),
    "d": lambda d, n: _padded(d.day, n),
    "E": lambda d, n: calendar.day_name[d.weekday()] if n > 3 else calendar.day_abbr[d.weekday()],
    "e": lambda d, n: _padded(d.isoweekday(), n),
    "a": lambda d, n: "AM" if d.hour < 12 else "PM",
    "H": lambda d, n: _padded(d.hour, n),
    "k": lambda d, n: _padded(d.hour or 24, n),
    "K": lambda d, n: _padded(d.hour % 12, n),
    "h": lambda d, n: _padded(d.hour % 12 or 12, n),
    "m": lambda d, n: _padded(d.minute, n),
    "s": lambda d, n: _padded(d.second, n),
    "S": lambda d, n: f"{d.microsecond:06}000"[: min(n, 9)].ljust(min(n, 9), "0"),
    "n": lambda d, n: _padded(d.microsecond * 1000, n),
    "z": lambda d, n: d.tzname() or "UTC",
    "V": lambda d, n: getattr(d.tzinfo, "key", None) or d.tzname() or "UTC",
    "X": lambda d, n: _offset(d, n, zulu=True, colon=n == 3),
    "x": lambda d, n: _offset(d, n, zulu=False, colon=n == 3),
    "Z": lambda d, n: _offset(d, 2, zulu=False, colon=n == 5),
}


def write(moment: datetime, pattern: str) -> str:
    """A date in Java's pattern letters, or one of the named forms."""
    pattern = NAMED.get(pattern.lower(), pattern)
    if len(pattern) > _PATTERN_MAX:
        raise ExpressionError(f"a date pattern may have {_PATTERN_MAX} characters")
    parts: list[str] = []
    for match in _PATTERN.finditer(pattern):
        if match[1] is not None:
            parts.append(match[1].replace("''", "'") or "'")
        elif match[2] is None:
            parts.append(match.group())
        elif match[2] in _LETTERS:
            parts.append(_LETTERS[match[2]](moment, len(match.group())))
        else:
            raise ExpressionError(f"{match[2]!r} is no letter of a date pattern; quote text as 'text'")
    return "".join(parts)


def format_date(
    value: Any,
    format: str | None = None,
    existingFormat: str | None = None,
    timeZone: str | None = None,
    locale: str | None = None,
) -> str:
    """Filter ``date``: a date in a pattern, in a time zone."""
    moment = read(value, existingFormat, timeZone if isinstance(value, str) and existingFormat else None)
    if timeZone:
        moment = moment.astimezone(zone(timeZone))
    return write(moment, format) if format else iso(moment)


_UNITS = {
    "NANOS": timedelta(microseconds=0.001), "MICROS": timedelta(microseconds=1), "MILLIS": timedelta(milliseconds=1),
    "SECONDS": timedelta(seconds=1), "MINUTES": timedelta(minutes=1), "HOURS": timedelta(hours=1),
    "HALF_DAYS": timedelta(hours=12), "DAYS": timedelta(days=1), "WEEKS": timedelta(weeks=1),
}  # fmt: skip
_MONTH_UNITS = {"MONTHS": 1, "YEARS": 12, "DECADES": 120, "CENTURIES": 1200, "MILLENNIA": 12000}


def add(value: Any, amount: Any, unit: str = "DAYS", **reading: Any) -> datetime:
    """Filter ``dateAdd``: a date some units later (or earlier)."""
    moment = read(value, reading.get("existingFormat"), reading.get("timeZone"))
    name = unit.upper()
    name = name if name.endswith(("S", "A")) else f"{name}S"
    try:
        if name in _UNITS:
            if name == "NANOS":
                return moment + timedelta(microseconds=float(amount) / 1000)
            return moment + _UNITS[name] * float(amount)
        if name in _MONTH_UNITS:
            return _add_months(moment, int(amount) * _MONTH_UNITS[name])
    except (OverflowError, ValueError) as error:
        raise ExpressionError(f"{amount} {unit} from {iso(moment)} is no date") from error
    raise ExpressionError(f"the unit {unit!r} is not known; there are {', '.join([*_UNITS, *_MONTH_UNITS])}")


def _add_months(moment: datetime, months: int) -> datetime:
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def timestamp(factor: int) -> Callable[..., int]:
    """A filter that gives seconds since 1970 times ``factor``."""

    def seconds(value: Any, existingFormat: str | None = None, timeZone: str | None = None) -> int:
        moment = read(value, existingFormat, timeZone) - datetime(1970, 1, 1, tzinfo=UTC)
        micros = (moment.days * 86_400 + moment.seconds) * 1_000_000 + moment.microseconds
        return micros * factor // 1_000_000

    return seconds


def now(format: str | None = None, timeZone: str | None = None) -> Any:
    """Function ``now``: the evaluation's clock."""
    moment = running().now().astimezone(zone(timeZone))
    return write(moment, format) if format else moment


FILTERS: dict[str, Callable[..., Any]] = {
    "date": format_date,
    "dateAdd": add,
    "timestamp": timestamp(1),
    "timestampMilli": timestamp(1_000),
    "timestampMicro": timestamp(1_000_000),
    "timestampNano": timestamp(1_000_000_000),
}
