"""When a Schedule trigger fires next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from croniter import croniter
from croniter.croniter import CroniterBadDateError

from engine.flow import Trigger
from engine.flow.triggers import Schedule


def next_date(trigger: Trigger, after: datetime) -> datetime | None:
    """The first date after ``after`` (aware) on which the trigger fires, in UTC; ``None`` when it never does.

    A date is a date on the clocks of the trigger's time zone: what a change to summer time skips fires when the
    skipped hour would have begun, what the change back repeats fires once.
    """
    return next(dates(trigger, after), None)


def next_dates(trigger: Trigger, after: datetime, count: int) -> list[datetime]:
    """The next ``count`` dates after ``after``; fewer when there are no more."""
    return list(islice(dates(trigger, after), count))


def last_date(trigger: Trigger, until: datetime) -> datetime | None:
    """The last date up to ``until`` (aware, itself included) on which the trigger fires, in UTC."""
    if not isinstance(trigger, Schedule) or trigger.disabled:
        return None
    start = (until.replace(microsecond=0) + timedelta(seconds=1)).astimezone(ZoneInfo(trigger.timezone))
    try:
        return croniter(trigger.cron, start, second_at_beginning=True).get_prev(datetime).astimezone(UTC)
    except CroniterBadDateError:
        return None


def dates(trigger: Trigger, after: datetime) -> Iterator[datetime]:
    """All dates after ``after``, in order."""
    if not isinstance(trigger, Schedule) or trigger.disabled:
        return
    found = croniter(trigger.cron, after.astimezone(ZoneInfo(trigger.timezone)), second_at_beginning=True)
    while True:
        try:
            date = found.get_next(datetime)
        except CroniterBadDateError:
            return
        if not (date.fold and _names_its_hours(trigger.cron)):
            yield date.astimezone(UTC)


def _names_its_hours(cron: str) -> bool:
    """Whether the hours are listed, rather than "every hour" or "every n-th"."""
    if cron.startswith("@"):
        return cron != "@hourly"
    return not cron.split()[-4].startswith("*")
