"""Schedule triggers: dates in time, dates missed, dates made up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.flow import FlowError
from engine.model import evolve
from engine.states import State
from engine.trigger_state import TriggerAction
from engine.triggers import Rules
from tests.unit.trigger_world import NOW, SCHEDULE, TriggerWorld, minutes

MINUTELY = f'type: {SCHEDULE}, cron: "* * * * *"'
SECONDLY = f'type: {SCHEDULE}, cron: "*/10 * * * * *"'


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return NOW.replace(hour=hour, minute=minute, second=second)


# -- in time


def test_a_new_schedule_is_due_at_its_next_date_and_not_before() -> None:
    world = TriggerWorld(MINUTELY)
    assert world.state.next_at == at(12, 1)
    assert world.tick().started == []
    world.tick(at(12, 1))
    assert world.dates == ["12:01:00"]
    assert world.state.next_at == at(12, 2)
    assert (world.state.last_at, world.state.execution_id) == (at(12, 1), world.started[0].execution_id)


def test_the_execution_knows_its_date_and_those_beside_it() -> None:
    world = TriggerWorld(f'type: {SCHEDULE}, cron: "0 9 * * *", timezone: Europe/Paris')
    (event,) = world.tick(NOW + timedelta(days=1) - timedelta(hours=4)).started
    assert event.trigger is not None
    assert (event.trigger.id, event.trigger.type) == ("t", SCHEDULE)
    assert event.trigger.variables == {
        "date": "2026-01-02T08:00:00+00:00",
        "next": "2026-01-03T08:00:00+00:00",
        "previous": "2026-01-01T08:00:00+00:00",
    }


def test_dates_that_are_a_little_late_are_not_missed() -> None:
    assert TriggerWorld(SECONDLY).tick(NOW + timedelta(seconds=35)).dates == ["12:00:40", "12:00:50", "12:01:00"]


def test_asked_twice_for_the_same_date_it_is_the_same_execution() -> None:
    first, second = (TriggerWorld(MINUTELY).tick(at(12, 1)).started[0] for _ in range(2))
    assert (first.execution_id, first.event_id) == (second.execution_id, second.event_id)


def test_another_cron_begins_anew() -> None:
    world = TriggerWorld(MINUTELY)
    world.now = at(15)
    assert world.change(f'type: {SCHEDULE}, cron: "30 * * * *"', revision=2).state.next_at == at(15, 30)


def test_inputs_and_labels_are_filled_in() -> None:
    flow = "inputs: [{id: day, type: STRING}, {id: n, type: INT, defaults: 3}]\nvariables: {place: Paris}\n"
    inputs = "{day: \"{{ trigger.date | date('yyyy-MM-dd') }}\"}"
    keys = f"{MINUTELY}, inputs: {inputs}, labels: {{at: '{{{{ vars.place }}}}'}}"
    (event,) = TriggerWorld(keys, flow=flow).tick(at(12, 1)).started
    assert event.inputs == {"day": "2026-01-01", "n": 3}
    assert event.labels == {"at": "Paris"}


@pytest.mark.parametrize(
    ("inputs", "why"),
    [("{}", "day: expected a value, came none"), ('{day: "{{ nothing.there }}"}', "nothing")],
)
def test_inputs_that_do_not_fit_fail_the_execution_with_the_reason(inputs: str, why: str) -> None:
    world = TriggerWorld(f"{MINUTELY}, inputs: {inputs}", flow="inputs: [{id: day, type: DATE}]\n")
    (event,) = world.tick(at(12, 1)).started
    assert event.problem is not None
    assert why in event.problem


# -- off


@pytest.mark.parametrize(("keys", "flow"), [(f"{MINUTELY}, disabled: true", ""), (MINUTELY, "disabled: true\n")])
def test_a_disabled_one_has_no_next_date(keys: str, flow: str) -> None:
    world = TriggerWorld(keys, flow=flow)
    assert world.state.next_at is None
    assert world.tick(at(13)).started == []


def test_switched_off_and_on_again_it_goes_on_from_then() -> None:
    world = TriggerWorld(MINUTELY).ask(TriggerAction.DISABLE)
    assert (world.state.disabled, world.state.next_at, world.state.why) == (True, None, "switched off by ada")
    assert world.tick(at(13)).started == []
    world.ask(TriggerAction.ENABLE)
    assert (world.state.disabled, world.state.next_at, world.state.why) == (False, at(13, 1), None)


def test_stop_after_switches_off() -> None:
    world = TriggerWorld(f"{MINUTELY}, stopAfter: [FAILED]").tick(at(12, 1))
    assert world.started[0].trigger is not None
    assert world.started[0].trigger.notify
    world.end(world.started[0].execution_id, State.SUCCESS)
    assert not world.state.disabled
    world.tick(at(12, 2)).end(world.started[1].execution_id, State.FAILED)
    assert (world.state.disabled, world.state.next_at) == (True, None)
    assert "stopAfter" in str(world.state.why)


# -- conditions


def test_dates_whose_conditions_do_not_hold_are_passed_over() -> None:
    world = TriggerWorld(f'{MINUTELY}, conditions: [{{type: ~TimeBetween, after: "12:01:30"}}]')
    world.tick(at(12, 1)).tick(at(12, 2))
    assert world.dates == ["12:02:00"]


def test_when_is_a_condition_too() -> None:
    world = TriggerWorld(f"{MINUTELY}, when: \"{{{{ trigger.date | date('mm') == '02' }}}}\"")
    world.tick(at(12, 1)).tick(at(12, 2)).tick(at(12, 3))
    assert world.dates == ["12:02:00"]


def test_a_condition_that_can_not_be_evaluated_is_told() -> None:
    world = TriggerWorld(f'{MINUTELY}, when: "{{{{ nothing }}}}"').tick(at(12, 1))
    assert world.started == []
    assert "nothing" in str(world.state.error)


# -- missed


@pytest.mark.parametrize(
    ("policy", "dates"),
    [
        ("ALL", ["12:01:00", "12:02:00", "12:03:00", "12:04:00", "12:05:00"]),
        ("LAST", ["12:05:00"]),
        ("NONE", ["12:05:00"]),  # that one is half a minute late
    ],
)
def test_what_was_missed(policy: str, dates: list[str]) -> None:
    world = TriggerWorld(f"{MINUTELY}, recoverMissedSchedules: {policy}").tick(at(12, 5, 30))
    assert world.dates == dates
    assert world.state.next_at == at(12, 6)


@pytest.mark.parametrize(("policy", "dates"), [("ALL", ["09:00:00"]), ("LAST", ["09:00:00"]), ("NONE", [])])
def test_the_settings_say_what_a_schedule_does_not(policy: str, dates: list[str]) -> None:
    world = TriggerWorld(f'type: {SCHEDULE}, cron: "0 9 * * *"', rules=Rules(recover=policy))
    assert world.tick(NOW + timedelta(days=1)).dates == dates


def test_all_that_was_missed_comes_in_order_and_a_few_at_a_time() -> None:
    world = TriggerWorld(f"{MINUTELY}, recoverMissedSchedules: ALL", rules=Rules(backfill_running=3)).tick(at(13))
    assert world.dates == ["12:01:00", "12:02:00", "12:03:00"]
    for number in range(100):
        if len(world.started) > number:
            world.end(world.started[number].execution_id)
    assert len(world.started) == 60
    assert world.dates == sorted(world.dates)
    assert world.state.missed is None


def test_what_is_missed_again_meanwhile_comes_after_it() -> None:
    world = TriggerWorld(f"{MINUTELY}, recoverMissedSchedules: ALL", rules=Rules(backfill_running=1)).tick(at(12, 5))
    world.tick(at(12, 10))
    while world.state.missed is not None:
        world.end(world.started[-1].execution_id)
    assert world.dates == [f"12:{minute:02}:00" for minute in range(1, 11)]


@pytest.mark.parametrize("policy", ["ALL", "LAST"])
def test_what_is_later_than_the_maximum_delay_is_left_out(policy: str) -> None:
    keys = f"{MINUTELY}, recoverMissedSchedules: {policy}, lateMaximumDelay: PT2M"
    dates = TriggerWorld(keys).tick(at(12, 30)).dates
    assert dates == (["12:28:00", "12:29:00", "12:30:00"] if policy == "ALL" else ["12:30:00"])


def test_what_was_missed_has_the_ids_it_would_have_had_in_time() -> None:
    late = TriggerWorld(f"{MINUTELY}, recoverMissedSchedules: ALL").tick(at(12, 5))
    assert late.started[0].execution_id == TriggerWorld(MINUTELY).tick(at(12, 1)).started[0].execution_id


# -- summer time


@pytest.mark.parametrize(
    ("cron", "begin", "dates"),
    [
        ("30 2 * * *", datetime(2026, 3, 28, 0, tzinfo=UTC), ["28T01:30", "29T01:00", "30T00:30"]),  # skipped hour
        ("30 2 * * *", datetime(2026, 10, 24, 0, 45, tzinfo=UTC), ["25T00:30", "26T01:30"]),  # hour that comes twice
        ("0 * * * *", datetime(2026, 10, 24, 23, 30, tzinfo=UTC), ["25T00:00", "25T01:00", "25T02:00"]),
        ("0 */1 * * *", datetime(2026, 3, 28, 23, 30, tzinfo=UTC), ["29T00:00", "29T01:00", "29T02:00"]),
    ],
)
def test_clocks_that_change(cron: str, begin: datetime, dates: list[str]) -> None:
    world = TriggerWorld(f'type: {SCHEDULE}, cron: "{cron}", timezone: Europe/Paris')
    world.state = evolve(world.state, next_at=None)
    world.now = begin
    world.change(f'type: {SCHEDULE}, cron: "{cron}", timezone: Europe/Paris')
    found = []
    for _ in dates:
        assert world.state.next_at is not None
        found.append(world.state.next_at.isoformat()[8:16])
        world.tick(world.state.next_at)
    assert found == dates
    assert len(world.started) == len(dates)


# -- backfill


def test_a_backfill_runs_in_order_a_few_at_a_time_and_shows_how_far_it_is() -> None:
    world = TriggerWorld(MINUTELY, rules=Rules(backfill_running=2))
    world.backfill(at(9), at(9, 9), labels={"why": "repair"}, inputs={"ignored": 1})
    assert world.refused is None
    assert world.dates == ["09:00:00", "09:01:00"]
    job = world.state.backfill
    assert job is not None
    assert (job.started, job.ended, round(job.progress, 2)) == (2, 0, 0.22)
    assert world.started[0].labels == {"why": "repair", "system.backfill": "true"}
    number = 0
    while world.state.backfill is not None:
        assert len(world.state.backfill.running) <= 2
        world.end(world.started[number].execution_id, State.FAILED if number == 3 else State.SUCCESS)
        number += 1
    assert world.dates == [f"09:0{minute}:00" for minute in range(10)]
    assert [event.execution_id for event in world.started] == sorted(event.execution_id for event in world.started)


def test_a_backfill_gives_its_own_inputs() -> None:
    flow = "inputs: [{id: a, type: STRING}, {id: b, type: STRING}]\n"
    world = TriggerWorld(f"{MINUTELY}, inputs: {{a: its own, b: its own}}", flow=flow)
    world.backfill(at(9), at(9), inputs={"b": "given"})
    assert world.started[0].inputs == {"a": "its own", "b": "given"}


def test_a_backfill_twice_runs_twice() -> None:
    first = TriggerWorld(MINUTELY).backfill(at(9), at(9)).started[0]
    second = TriggerWorld(MINUTELY).backfill(at(9), at(9)).started[0]
    assert first.execution_id != second.execution_id


def test_a_backfill_can_be_held_and_goes_on() -> None:
    world = TriggerWorld(MINUTELY, rules=Rules(backfill_running=1)).backfill(at(9), at(9, 2))
    world.ask(TriggerAction.BACKFILL_PAUSE).end(world.started[0].execution_id)
    assert len(world.started) == 1
    world.ask(TriggerAction.BACKFILL_CONTINUE)
    assert world.dates == ["09:00:00", "09:01:00"]


def test_a_backfill_can_be_given_up() -> None:
    world = TriggerWorld(MINUTELY, rules=Rules(backfill_running=1)).backfill(at(9), at(9, 2))
    world.ask(TriggerAction.BACKFILL_DELETE).end(world.started[0].execution_id)
    assert (world.state.backfill, len(world.started)) == (None, 1)


def test_a_backfill_waits_while_the_trigger_is_off() -> None:
    world = TriggerWorld(MINUTELY, rules=Rules(backfill_running=1)).backfill(at(9), at(9, 1)).ask(TriggerAction.DISABLE)
    world.end(world.started[0].execution_id)
    assert len(world.started) == 1
    assert world.ask(TriggerAction.ENABLE).dates == ["09:00:00", "09:01:00"]


def test_a_backfill_leaves_dates_out_whose_conditions_do_not_hold() -> None:
    world = TriggerWorld(f'{MINUTELY}, conditions: [{{type: ~TimeBetween, after: "10:58:30", before: "11:30:00"}}]')
    world.backfill(at(0), at(11, 1))
    assert world.started == []
    assert world.turn.again  # a turn looks at some hundred dates, then others come to theirs
    world.tick()
    assert world.dates == ["10:59:00", "11:00:00", "11:01:00"]
    assert not world.turn.again


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (at(10), at(9), "start before the end"),
        (at(10), at(13), "not in the future"),
        (at(9, 0, 1), at(9, 0, 59), "no date from"),
    ],
)
def test_a_backfill_that_makes_no_sense_is_refused(start: datetime, end: datetime, why: str) -> None:
    world = TriggerWorld(MINUTELY).backfill(start, end)
    assert why in str(world.refused)
    assert world.state.backfill is None


def test_one_backfill_at_a_time() -> None:
    world = TriggerWorld(MINUTELY).backfill(at(9), at(10)).backfill(at(9), at(10))
    assert "is going on" in str(world.refused)
    assert "disabled" in str(TriggerWorld(MINUTELY).ask(TriggerAction.DISABLE).backfill(at(9), at(10)).refused)


@pytest.mark.parametrize(
    "action", [TriggerAction.BACKFILL_PAUSE, TriggerAction.BACKFILL_CONTINUE, TriggerAction.BACKFILL_DELETE]
)
def test_without_a_backfill_there_is_none_to_change(action: TriggerAction) -> None:
    assert TriggerWorld(MINUTELY).ask(action).refused == "No backfill of this trigger is going on."


def test_restart_and_delete_begin_anew() -> None:
    world = TriggerWorld(MINUTELY).ask(TriggerAction.DISABLE)
    world.now = NOW + minutes(90)
    assert world.ask(TriggerAction.RESTART).state.next_at is None  # it is still off
    assert world.ask(TriggerAction.DELETE).state.next_at == at(13, 31)
    assert not world.state.disabled


# -- cron


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("* 25 * * *", "field 2 (hour), came '25'"),
        ("61 * * * *", "field 1 (minute), came '61'"),
        ("0 0 0 * * 8", "field 6 (day of the week), came '8'"),
        ("* * * *", "5 fields (or 6, seconds first), came 4 fields"),
        ("R * * * *", "field 1 (minute), came 'R'"),
        ("@reboot", "expected one of @yearly"),
        ("daily", "came 1 fields"),
    ],
)
def test_a_cron_that_can_not_be_read(cron: str, why: str) -> None:
    with pytest.raises(FlowError) as refused:
        TriggerWorld(f'type: {SCHEDULE}, cron: "{cron}"')
    (violation,) = refused.value.violations
    assert why in violation.message
    assert (violation.line, violation.path) == (4, "triggers[0].cron")
