"""Cron expressions: read with what was expected, and in which field, when they can't be."""

from __future__ import annotations

import re
from typing import Annotated

from croniter import croniter
from croniter.croniter import CroniterError
from pydantic import AfterValidator

_FIELDS = (
    ("second", "0-59"),
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of the month", "1-31 or L"),
    ("month", "1-12 or jan-dec"),
    ("day of the week", "0-7 or sun-sat, such as 1-5 or fri#1"),
)
_NICKNAMES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_RANDOM = re.compile(r"[rR](\(.*\))?(/.*)?")  # croniter's own: another date each time it is asked
_BASE = 0.0  # any moment will do to try an expression


def read_cron(text: str) -> str:
    """``text`` if it is a cron of five fields, six with the seconds first, or a nickname; raises ValueError."""
    if text.startswith("@"):
        if text not in _NICKNAMES:
            raise ValueError(f"expected one of {', '.join(_NICKNAMES)}, came {text!r}")
        return text
    fields = text.split()
    if len(fields) not in (5, 6):
        raise ValueError(f"expected a cron of 5 fields (or 6, seconds first), came {len(fields)} fields: {text!r}")
    for number, (field, (name, values)) in enumerate(zip(fields, _FIELDS[-len(fields) :], strict=True), 1):
        if not _alone(field, number - 1 + 6 - len(fields)):
            raise ValueError(
                f"expected {values}, *, a list, a range or a step in field {number} ({name}), came {field!r}"
            )
    try:
        croniter(text, _BASE, second_at_beginning=True)
    except (CroniterError, ValueError, KeyError) as error:
        raise ValueError(f"expected a cron such as `*/5 * * * *` or `@daily`, came {text!r}: {error}") from error
    return text


def _alone(field: str, place: int) -> bool:
    """Whether a field can be read when all others are ``*``."""
    fields = ["*"] * 6
    fields[place] = field
    if any(_RANDOM.fullmatch(part) for part in field.split(",")):
        return False
    try:
        croniter(" ".join(fields), _BASE, second_at_beginning=True)
    except (CroniterError, ValueError, KeyError):
        return False
    return True


Cron = Annotated[str, AfterValidator(read_cron)]
