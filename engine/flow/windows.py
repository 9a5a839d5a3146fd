"""Time windows: within which all that a Flow trigger waits for must happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.flow.base import Model, Seconds
from engine.flow.conditions import Time

_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Span = tuple[datetime, datetime]
"""First and last moment of a window."""


class TimeWindow(Model):
    """By default a day from midnight to midnight, UTC.

    DURATION_WINDOW: one after the other, each ``window`` long, the first from midnight moved by ``windowAdvance``.
    SLIDING_WINDOW: the last ``window``. DAILY_TIME_DEADLINE: from midnight until ``deadline``. DAILY_TIME_WINDOW: from
    ``startTime`` to ``endTime``.
    """

    type: Literal["DURATION_WINDOW", "SLIDING_WINDOW", "DAILY_TIME_DEADLINE", "DAILY_TIME_WINDOW"] = "DURATION_WINDOW"
    window: Annotated[Seconds, Field(gt=0)] = 86_400.0
    windowAdvance: Seconds = 0.0
    deadline: Time | None = None
    startTime: Time | None = None
    endTime: Time | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for key in _NEEDED.get(self.type, ()):
            if getattr(self, key) is None:
                raise ValueError(f"expected the key `{key}`: a time window of type {self.type} needs it")
        return self

    def around(self, moment: datetime) -> Span | None:
        """The window that ``moment`` (aware) is in; ``None`` when it is in none, after the deadline for example."""
        moment = moment.astimezone(UTC)
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        match self.type:
            case "SLIDING_WINDOW":
                span = (moment - timedelta(seconds=self.window), moment)
            case "DURATION_WINDOW":
                first = _EPOCH + timedelta(seconds=self.windowAdvance)
                length = timedelta(seconds=self.window)
                start = first + (moment - first) // length * length
                span = (start, start + length)
            case "DAILY_TIME_DEADLINE":
                span = (midnight, _clock(midnight, self.deadline))
            case "DAILY_TIME_WINDOW":
                span = (_clock(midnight, self.startTime), _clock(midnight, self.endTime))
                if span[1] <= span[0]:  # over midnight
                    span = (span[0], span[1] + _DAY) if moment >= span[0] else (span[0] - _DAY, span[1])
        return span if span[0] <= moment <= span[1] else None


_NEEDED = {"DAILY_TIME_DEADLINE": ("deadline",), "DAILY_TIME_WINDOW": ("startTime", "endTime")}


def _clock(midnight: datetime, clock: Time | None) -> datetime:
    assert clock is not None
    return datetime.combine(midnight.date(), clock.replace(tzinfo=clock.tzinfo or UTC)).astimezone(UTC)
