"""Cards of triggers, and the form of a backfill: values in, values out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.callbacks.triggers import read
from dashboard.components.triggers import Shown, card
from dashboard.ids import Backfill as Ids
from data.records import StoredFlow
from engine.flow import Schedule, parse
from engine.inputs import InputError
from engine.model import evolve
from engine.states import State
from engine.trigger_state import Backfill, Met, TriggerState
from streaming.messages import ExecutionRow

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CORE = "io.kestra.plugin.core.trigger"
SOURCE = f"""\
id: f
namespace: company.team
inputs:
  - {{id: day, type: DATE}}
  - {{id: n, type: INT, min: 1}}
tasks: [{{id: a, type: io.kestra.plugin.core.log.Log, message: hi}}]
triggers:
  - id: nightly
    type: {CORE}.Schedule
    cron: "0 3 * * *"
    timezone: Europe/Paris
    inputs: {{n: 3, day: "{{{{ trigger.date }}}}"}}
  - {{id: hook, type: {CORE}.Webhook, key: a-secret-key-of-the-hook}}
  - id: both
    type: {CORE}.Flow
    preconditions:
      id: p
      flows: [{{namespace: x, flowId: one, states: [SUCCESS]}}, {{namespace: x, flowId: two}}]
"""
FLOW = parse(SOURCE)
STORED = StoredFlow("company.team", "f", 1, SOURCE, NOW)


def shown(index: int, *, off: str | None = None, last: ExecutionRow | None = None, **state: Any) -> str:
    """The card of a trigger, as the JSON that the browser gets."""
    trigger = FLOW.triggers[index]
    dates = [NOW + timedelta(days=n) for n in (1, 2)]
    known = TriggerState("company.team", "f", trigger.id, **state)
    made = card(Shown(trigger, known, dates if index == 0 else (), last, off))
    return json.dumps(made.to_plotly_json(), default=lambda one: one.to_plotly_json(), ensure_ascii=False)


def test_a_schedule_shows_its_cron_its_next_dates_and_what_it_started() -> None:
    row = ExecutionRow("e1", 1, "company.team", "f", 1, State.FAILED, NOW, NOW)
    text = shown(0, last_at=NOW, last=row)
    for part in (
        "0 3 * * *",
        "Europe/Paris",
        "2026-01-02T12:00:00Z",
        "2026-01-03T12:00:00Z",
        "/executions/e1",
        "FAILED",
    ):
        assert part in text
    assert '"checked": true' in text


def test_a_webhook_shows_its_address_but_not_its_key() -> None:
    text = shown(1)
    assert "/api/v1/main/executions/webhook/company.team/f/" in text
    assert "a-secret-key" not in text
    assert "trigger-backfill" not in text


def test_a_flow_trigger_shows_what_it_waits_for_and_has_seen() -> None:
    text = shown(2, met={"flow 1": Met("e9", NOW)})
    assert "x.one (SUCCESS)" in text
    assert "x.two" in text
    assert text.count("seen in this window") == 1


def test_one_that_is_off_says_why() -> None:
    assert "switched off by ada" in shown(0, disabled=True, why="switched off by ada")
    disabled = shown(0, off="The flow is disabled in its source.")
    assert "The flow is disabled in its source." in disabled
    assert '"checked": false, "disabled": true' in disabled
    assert "it broke" in shown(0, error="it broke")


def test_a_backfill_shows_how_far_it_is_and_what_can_be_done() -> None:
    job = Backfill(
        "asked:1", NOW, NOW + timedelta(days=10), NOW + timedelta(days=4), started=4, ended=3, failed=1, running=("e",)
    )
    text = shown(0, backfill=job)
    for part in ("Backfill 40 %", "3 ended, 1 running, 1 failed", "pause-backfill", "delete-backfill"):
        assert part in text
    assert "continue-backfill" in shown(0, backfill=evolve(job, paused=True))


def form(**given: Any) -> Backfill:
    schedule = FLOW.triggers[0]
    assert isinstance(schedule, Schedule)
    fields = {"from": Ids.FROM, "to": Ids.TO, "labels": Ids.LABELS}
    return read(schedule, FLOW.inputs, {fields.get(name, name): value for name, value in given.items()}, lambda: STORED)


def test_dates_of_the_form_are_on_the_clocks_of_the_trigger() -> None:
    made = form(**{"from": "2026-07-01T09:00", "to": "2026-01-01T09:00"})
    assert made.start == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert made.end == datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert form(**{"from": "2026-07-01T09:00Z"}).start == datetime(2026, 7, 1, 9, tzinfo=UTC)


def test_without_an_end_it_is_now() -> None:
    assert abs(form(**{"from": "2026-01-01T00:00"}).end - datetime.now(UTC)) < timedelta(seconds=10)


def test_labels_and_inputs_of_the_form() -> None:
    made = form(**{"from": "2026-01-01T00:00", "labels": "why: repair, by:ada", "n": 5, "other": 1})
    assert made.labels == {"why": "repair", "by": "ada"}
    assert made.inputs == {"n": 5}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, Ids.FROM),
        ({"from": "soon"}, Ids.FROM),
        ({"from": "2026-01-01T00:00", "to": "later"}, Ids.TO),
        ({"from": "2026-01-01T00:00", "labels": "nothing"}, Ids.LABELS),
        ({"from": "2026-01-01T00:00", "labels": "system.x:y"}, Ids.LABELS),
        ({"from": "2026-01-01T00:00", "n": 0}, "n"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        form(**given)
    assert set(refused.value.errors) == {field}
