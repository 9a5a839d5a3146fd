"""Kinds of inputs that are moments, days, times and durations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from pydantic import model_validator

from engine.durations import parse_duration
from engine.flow.base import is_template
from engine.flow.inputs import INPUTS, Input, text_of, wrong


class _Moment(Input):
    """Something between ``after`` and ``before``; a bound that is a template isn't checked."""

    after: str | None = None
    before: str | None = None

    def moment(self, value: Any) -> Any:
        """``value`` as something that compares."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _bounds_fit(self) -> _Moment:
        for bound in (self.after, self.before):
            self._bound(bound)
        return self

    def _bound(self, bound: str | None) -> Any:
        return None if bound is None or is_template(bound) else self.moment(bound)

    def read(self, value: Any) -> str:
        found = self.moment(value)
        first, last = self._bound(self.after), self._bound(self.before)
        if first is not None and found < first:
            raise wrong(f"{self.after} or later", value)
        if last is not None and found > last:
            raise wrong(f"{self.before} or earlier", value)
        return text_of(value).strip()


def _moment(value: Any, parse: Callable[[str], Any], expected: str) -> Any:
    try:
        return parse(text_of(value, expected).strip())
    except ValueError as error:
        raise wrong(expected, value) from error


@INPUTS.register("DATETIME")
class DatetimeInput(_Moment):
    """A moment in ISO 8601, UTC where it names no zone."""

    def moment(self, value: Any) -> datetime:
        found = _moment(value, datetime.fromisoformat, "a date and time such as 2030-12-31T23:59:00Z")
        return found if found.tzinfo else found.replace(tzinfo=UTC)


@INPUTS.register("DATE")
class DateInput(_Moment):
    """A day in ISO 8601."""

    def moment(self, value: Any) -> date:
        return _moment(value, date.fromisoformat, "a date such as 2030-12-31")


@INPUTS.register("TIME")
class TimeInput(_Moment):
    """A time of day in ISO 8601."""

    def moment(self, value: Any) -> time:
        return _moment(value, lambda text: time.fromisoformat(text).replace(tzinfo=None), "a time such as 23:59:00")


@INPUTS.register("DURATION")
class DurationInput(Input):
    """An ISO 8601 duration, from ``min`` to ``max``."""

    min: str | None = None
    max: str | None = None

    def read(self, value: Any) -> str:
        seconds = parse_duration(text_of(value, "a duration such as PT5M"))
        if self.min is not None and seconds < parse_duration(self.min):
            raise wrong(f"at least {self.min}", value)
        if self.max is not None and seconds > parse_duration(self.max):
            raise wrong(f"at most {self.max}", value)
        return value.strip()
