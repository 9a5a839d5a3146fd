"""ISO 8601 durations (``PT5S``) and back. Durations are seconds everywhere inside."""

from __future__ import annotations

import re

_FORM = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<weeks>\d+(?:[.,]\d+)?)W)?(?:(?P<days>\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+(?:[.,]\d+)?)H)?(?:(?P<minutes>\d+(?:[.,]\d+)?)M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?",
    re.IGNORECASE | re.ASCII,
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_LONGEST = 100 * 366 * 86_400
_SHAPE = "a duration such as PT30S, PT5M, PT1H30M or P1D"


class DurationError(ValueError):
    """The text is no duration of fixed length. The message says what was expected and what came."""


def parse_duration(value: str | float) -> float:
    """Seconds of an ISO 8601 duration with weeks, days, hours, minutes and seconds; a number is seconds already.

    Months and years have no fixed length, so they are refused; so is anything longer than a century.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise DurationError(f"expected {_SHAPE}, came {value!r}")
    seconds = _of_text(value) if isinstance(value, str) else float(value)
    if not abs(seconds) <= _LONGEST:
        raise DurationError(f"expected at most a hundred years, came {value!r}")
    return seconds


def _of_text(text: str) -> float:
    found = _FORM.fullmatch(text.strip())
    parts = {unit: found[unit] for unit in _SECONDS if found[unit]} if found else {}
    if not parts:
        raise DurationError(f"expected {_SHAPE}, came {text!r}")
    seconds = sum(float(number.replace(",", ".")) * _SECONDS[unit] for unit, number in parts.items())
    return -seconds if found and found["sign"] == "-" else seconds


def format_duration(seconds: float) -> str:
    """ISO 8601 of ``seconds`` to the microsecond, in days, hours, minutes and seconds; zero is ``PT0S``."""
    micros = round(abs(seconds) * 1_000_000)
    whole, micros = divmod(micros, 1_000_000)
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    clock = "".join(
        (f"{hours}H" if hours else "", f"{minutes}M" if minutes else "", f"{rest}{fraction}S" if rest or micros else "")
    )
    sign = "-" if seconds < 0 and (whole or micros) else ""
    text = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return f"{sign}P{text or 'T0S'}"
