"""Schedule triggers in the executor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from data.records import TriggerState
from engine.flow import parse
from streaming.executor.schedules import Schedules

NOW = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
FLOW = parse(
    """
id: ticking
namespace: company.team
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: tick
triggers:
  - id: minutely
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "* * * * *"
"""
)


def schedules(*known: TriggerState) -> Schedules:
    made = Schedules()
    made.replace([(FLOW, 3)], known, NOW)
    return made


def test_a_new_schedule_is_due_at_its_next_date() -> None:
    made = schedules()
    assert made.next_due() == NOW.replace(minute=1, second=0)
    assert made.take_due(NOW) == []
    (event,) = made.take_due(NOW + timedelta(seconds=30))
    assert (event.flow_id, event.revision) == ("ticking", 3)
    assert event.trigger is not None
    assert event.trigger.variables["date"] == "2026-01-01T12:01:00+00:00"
    assert made.next_due() == NOW.replace(minute=2, second=0)


def test_of_the_dates_missed_while_nothing_ran_the_last_one_is_made_up_for() -> None:
    made = schedules(TriggerState("company.team", "ticking", "minutely", NOW - timedelta(hours=3)))
    (event,) = made.take_due(NOW)
    assert event.trigger is not None
    assert event.trigger.variables["date"] == "2026-01-01T12:00:00+00:00"
    assert made.take_due(NOW) == []


def test_asked_twice_for_the_same_date_it_is_the_same_execution() -> None:
    known = TriggerState("company.team", "ticking", "minutely", NOW - timedelta(hours=3))
    first, second = (schedules(known).take_due(NOW)[0] for _ in range(2))
    assert (first.execution_id, first.event_id) == (second.execution_id, second.event_id)


def test_what_the_store_keeps_says_when_it_was_last_and_is_next() -> None:
    made = schedules()
    made.take_due(NOW + timedelta(seconds=30))
    (state,) = made.states()
    assert (state.last_at, state.next_at) == (NOW.replace(minute=1, second=0), NOW.replace(minute=2, second=0))
