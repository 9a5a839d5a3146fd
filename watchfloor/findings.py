"""What a check of ``watchfloor doctor`` found, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec

from watchfloor.settings import Settings


class Verdict(StrEnum):
    """OK; WARN: works, but look at it; BAD: broken."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True):
    """What one check found. ``mend`` says what to do about it."""

    verdict: Verdict
    what: str
    mend: str = ""


Check = Callable[[Settings], Finding]
