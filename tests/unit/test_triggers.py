"""Dates of Schedule triggers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.flow import Trigger, parse
from engine.triggers import last_date, next_date, next_dates

DAY = datetime(2026, 3, 28, 12, 0, 30, tzinfo=UTC)


def trigger(cron: str, extra: str = "") -> Trigger:
    return parse(f"""
id: f
namespace: n
tasks: [{{id: a, type: io.kestra.plugin.core.log.Log, message: hi}}]
triggers: [{{id: t, type: io.kestra.plugin.core.trigger.Schedule, cron: "{cron}"{extra}}}]
""").triggers[0]


@pytest.mark.parametrize(
    ("cron", "extra", "date"),
    [
        ("* * * * *", "", "2026-03-28T12:01:00"),
        ("*/2 * * * *", "", "2026-03-28T12:02:00"),
        ("*/10 * * * * *", "", "2026-03-28T12:00:40"),
        ("@daily", "", "2026-03-29T00:00:00"),
        ("0 9 * * *", ", timezone: America/New_York", "2026-03-28T13:00:00"),
        ("30 2 * * 0", ", timezone: Europe/Paris", "2026-03-29T01:00:00"),  # 02:30 doesn't exist on that day
        ("0 0 29 2 *", "", "2028-02-29T00:00:00"),
    ],
)
def test_next_date(cron: str, extra: str, date: str) -> None:
    assert next_date(trigger(cron, extra), DAY) == datetime.fromisoformat(date).replace(tzinfo=UTC)


def test_a_date_itself_is_not_after_it() -> None:
    date = next_date(trigger("* * * * *"), DAY)
    assert date is not None
    assert next_date(trigger("* * * * *"), date) > date


@pytest.mark.parametrize(("cron", "extra"), [("* * * * *", ", disabled: true"), ("0 0 31 2 *", "")])
def test_never(cron: str, extra: str) -> None:
    assert next_date(trigger(cron, extra), DAY) is None


def test_an_hour_that_comes_twice_fires_once_a_day() -> None:
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    dates = next_dates(trigger("30 2 * * *", ", timezone: Europe/Paris"), autumn, 3)
    assert [date.day for date in dates] == [25, 26, 27]


def test_each_minute_of_the_hour_that_comes_twice() -> None:
    before = datetime(2026, 10, 25, 0, 58, tzinfo=UTC)
    dates = next_dates(trigger("* * * * *", ", timezone: Europe/Paris"), before, 4)
    assert [(date.hour, date.minute) for date in dates] == [(0, 59), (1, 0), (1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("until", "date"),
    [("12:00:59.500", "12:00:00"), ("12:01:00", "12:01:00"), ("12:01:00.001", "12:01:00"), ("00:00:30", "00:00:00")],
)
def test_last_date_includes_the_moment_itself_and_nothing_after_it(until: str, date: str) -> None:
    day = "2026-03-28T"
    last = last_date(trigger("* * * * *"), datetime.fromisoformat(f"{day}{until}").replace(tzinfo=UTC))
    assert last == datetime.fromisoformat(f"{day}{date}").replace(tzinfo=UTC)
