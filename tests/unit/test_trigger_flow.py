"""Flow triggers: which executions of other flows they start by, alone and together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.flow import parse
from engine.flow.windows import TimeWindow
from engine.states import State
from engine.trigger_state import TriggerAction
from engine.triggers import Rules
from engine.upstream import Upstream
from tests.unit.trigger_world import FLOW, NOW, TriggerWorld

AFTER_EXTRACT = f"type: {FLOW}, preconditions: {{id: p, flows: [{{namespace: company.team, flowId: extract"
A_AND_B = "{namespace: company.team, flowId: a}, {namespace: company.team, flowId: b}"
BOTH = f"type: {FLOW}, preconditions: {{id: p, flows: [{A_AND_B}]"


def started(world: TriggerWorld) -> list[dict[str, Any]]:
    return [event.trigger.variables for event in world.started if event.trigger]


def upstream(flow_id: str = "extract", **fields: Any) -> Upstream:
    values = {
        "namespace": "company.team",
        "revision": 1,
        "state": State.SUCCESS,
        "start_date": NOW,
        "at": NOW,
        **fields,
    }
    return Upstream(execution_id=f"{flow_id}-1", flow_id=flow_id, **values)


def test_it_starts_when_the_other_flow_has_ended_and_knows_by_what() -> None:
    world = TriggerWorld(
        f"{AFTER_EXTRACT}, states: [SUCCESS]}}]}}, inputs: {{day: '{{{{ trigger.outputs.day }}}}'}}",
        flow="inputs: [{id: day, type: DATE}]\n",
    )
    world.hear(upstream(outputs={"day": "2026-01-01"}, labels={"team": "data"}, revision=7))
    (event,) = world.started
    assert event.inputs == {"day": "2026-01-01"}
    assert event.trigger is not None
    assert event.trigger.variables == {
        "executionId": "extract-1",
        "namespace": "company.team",
        "flowId": "extract",
        "flowRevision": 7,
        "state": "SUCCESS",
        "startDate": NOW.isoformat(),
        "endDate": NOW.isoformat(),
        "labels": {"team": "data"},
        "executionLabels": {"team": "data"},
        "outputs": {"day": "2026-01-01"},
    }


@pytest.mark.parametrize(
    ("of", "fields"),
    [
        ("other", {}),
        ("extract", {"namespace": "company.other"}),
        ("extract", {"state": State.FAILED}),
        ("extract", {"labels": {"env": "test"}}),
    ],
)
def test_other_executions_do_not_start_it(of: str, fields: dict[str, Any]) -> None:
    world = TriggerWorld(f"{AFTER_EXTRACT}, states: [SUCCESS], labels: {{env: prod}}}}]}}")
    fields = {"labels": {"env": "prod"}, **fields}
    assert world.hear(upstream(of, **fields)).started == []


def test_the_same_end_said_twice_starts_it_once() -> None:
    world = TriggerWorld(f"{AFTER_EXTRACT}}}]}}").hear(upstream()).hear(upstream())
    assert len({event.execution_id for event in world.started}) == 1


@pytest.mark.parametrize(("states", "wanted"), [("", 1), (", states: [PAUSED, SUCCESS]", 2), (", states: [PAUSED]", 1)])
def test_states_say_which_changes_it_hears(states: str, wanted: int) -> None:
    world = TriggerWorld(
        f"type: {FLOW}, conditions: [{{type: ~ExecutionFlow, namespace: company.team, flowId: x}}]{states}"
    )
    world.upstream("x", State.PAUSED).upstream("x", State.SUCCESS)
    assert len(world.started) == wanted


def test_a_flow_never_starts_itself() -> None:
    assert TriggerWorld(f"type: {FLOW}").upstream("f").started == []
    assert len(TriggerWorld(f"type: {FLOW}").upstream("g").started) == 1


def test_flows_that_start_each_other_come_to_an_end() -> None:
    world = TriggerWorld(f"type: {FLOW}", rules=Rules(chain_max=3))
    assert world.upstream("g", chain=2).started[0].chain == 3
    world.upstream("g", chain=3)
    assert len(world.started) == 1
    assert "WATCHFLOOR_FLOW_TRIGGER_MAX_CHAIN" in str(world.state.error)


def test_a_trigger_that_is_switched_off_hears_nothing() -> None:
    world = TriggerWorld(f"{AFTER_EXTRACT}}}]}}").ask(TriggerAction.DISABLE).hear(upstream())
    assert world.started == []
    assert len(world.ask(TriggerAction.ENABLE).hear(upstream()).started) == 1


# -- conditions


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("type: ~ExecutionFlow, namespace: company.team, flowId: extract", True),
        ("type: ~ExecutionFlow, namespace: company.team, flowId: load", False),
        ("type: ~ExecutionStatus, in: [SUCCESS, WARNING]", True),
        ("type: ~ExecutionStatus, notIn: [SUCCESS]", False),
        ("type: ~ExecutionNamespace, namespace: company, prefix: true", True),
        ("type: ~ExecutionNamespace, namespace: company", False),
        ("type: ~ExecutionNamespace, namespace: team, comparison: SUFFIX", True),
        ("type: ~ExecutionLabels, labels: {env: prod}", True),
        ("type: ~ExecutionLabels, labels: {env: test}", False),
        ('type: ~ExecutionOutputs, expression: "{{ trigger.outputs.rows > 3 }}"', True),
        ('type: ~ExecutionOutputs, expression: "{{ trigger.outputs.rows > 30 }}"', False),
        ("type: ~Expression, expression: \"{{ flow.id == 'extract' and labels.env == 'prod' }}\"", True),
        ("type: ~Not, conditions: [{type: ~ExecutionStatus, in: [FAILED]}]", True),
        ("type: ~Or, conditions: [{type: ~ExecutionStatus, in: [FAILED]}, {type: ~Weekend}]", False),
        ("type: io.kestra.core.models.conditions.types.ExecutionStatusCondition, in: [SUCCESS]", True),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:
    world = TriggerWorld(f"type: {FLOW}, conditions: [{{{condition}}}]")
    world.hear(upstream(labels={"env": "prod"}, outputs={"rows": 4}))
    assert bool(world.started) is holds


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ("{field: FLOW_ID, type: EQUAL_TO, value: extract}", True),
        ("{field: FLOW_ID, type: NOT_EQUAL_TO, value: extract}", False),
        ("{field: NAMESPACE, type: STARTS_WITH, value: company}", True),
        ("{field: NAMESPACE, type: ENDS_WITH, value: x}", False),
        ("{field: STATE, type: IN, values: [SUCCESS, FAILED]}", True),
        ("{field: STATE, type: NOT_IN, values: [SUCCESS]}", False),
        ("{field: FLOW_ID, type: REGEX, value: 'ex.*t'}", True),
        ("{field: FLOW_ID, type: CONTAINS, value: tra}", True),
        ('{field: EXPRESSION, type: IS_TRUE, value: "{{ trigger.outputs.rows > 3 }}"}', True),
        ('{field: EXPRESSION, type: IS_NULL, value: "{{ trigger.outputs.other ?? null }}"}', True),
        ("{field: STATE, type: EQUAL_TO, value: FAILED}, {field: FLOW_ID, type: EQUAL_TO, value: extract}", False),
    ],
)
def test_where(filters: str, holds: bool) -> None:
    world = TriggerWorld(f"type: {FLOW}, preconditions: {{id: p, where: [{{id: w, filters: [{filters}]}}]}}")
    assert bool(world.hear(upstream(outputs={"rows": 4})).started) is holds


def test_where_or() -> None:
    filters = "[{field: STATE, type: EQUAL_TO, value: FAILED}, {field: FLOW_ID, type: EQUAL_TO, value: extract}]"
    keys = f"type: {FLOW}, preconditions: {{id: p, where: [{{id: w, operand: OR, filters: {filters}}}]}}"
    assert len(TriggerWorld(keys).hear(upstream()).started) == 1


# -- several


def test_all_that_is_waited_for_in_any_order_with_all_their_outputs() -> None:
    world = TriggerWorld(f"{BOTH}}}")
    world.upstream("b", outputs={"b": 1, "both": "b"})
    assert world.started == []
    world.now += timedelta(seconds=1)
    world.upstream("a", outputs={"a": 2, "both": "a"})
    assert [seen["outputs"] for seen in started(world)] == [{"b": 1, "a": 2, "both": "a"}]


def test_each_start_needs_all_of_them_anew() -> None:
    world = TriggerWorld(f"{BOTH}}}").upstream("a").upstream("b").upstream("b")
    assert len(world.started) == 1
    assert len(world.upstream("a").started) == 2


def test_without_a_reset_each_further_one_starts_it() -> None:
    world = TriggerWorld(f"{BOTH}, resetOnSuccess: false}}").upstream("a").upstream("b").upstream("b").upstream("a")
    assert len(world.started) == 3


def test_one_end_said_again_after_the_start_counts_once() -> None:
    world = TriggerWorld(f"{BOTH}}}").hear(upstream("a")).hear(upstream("b"))
    world.hear(upstream("a")).upstream("b")
    assert len(world.started) == 1


def test_what_was_seen_before_the_window_is_forgotten() -> None:
    world = TriggerWorld(f"{BOTH}, timeWindow: {{type: SLIDING_WINDOW, window: PT1H}}}}").upstream("a")
    world.now += timedelta(hours=2)
    assert world.upstream("b").started == []
    world.now += timedelta(minutes=59)
    assert len(world.upstream("a").started) == 1


def test_after_the_deadline_nothing_counts() -> None:
    world = TriggerWorld(f'{BOTH}, timeWindow: {{type: DAILY_TIME_DEADLINE, deadline: "12:30:00"}}}}').upstream("a")
    world.now = NOW.replace(hour=13)
    assert world.upstream("b").started == []
    world.now += timedelta(hours=20)  # the next day, in time
    assert world.upstream("b").started == []
    assert len(world.upstream("a").started) == 1


def test_the_older_form() -> None:
    one, two = (f"{{type: ~ExecutionFlow, namespace: company.team, flowId: {name}}}" for name in "ab")
    conditions = f"{{one: {one}, two: {two}}}"
    keys = (
        f"type: {FLOW}, conditions: [{{type: ~ExecutionStatus, in: [SUCCESS]}}, "
        f"{{type: ~MultipleCondition, id: m, timeWindow: {{window: PT12H}}, conditions: {conditions}}}]"
    )
    world = TriggerWorld(keys).upstream("a").upstream("b", State.FAILED)
    assert world.started == []
    assert len(world.upstream("b").started) == 1


@pytest.mark.parametrize(
    ("window", "moment", "span"),
    [
        ({}, "01T12:00", ("01T00:00", "02T00:00")),
        ({"window": "PT6H"}, "01T13:00", ("01T12:00", "01T18:00")),
        ({"window": "P1D", "windowAdvance": "PT6H"}, "02T05:00", ("01T06:00", "02T06:00")),
        ({"type": "SLIDING_WINDOW", "window": "PT1H"}, "01T12:00", ("01T11:00", "01T12:00")),
        ({"type": "DAILY_TIME_DEADLINE", "deadline": "09:00"}, "01T08:00", ("01T00:00", "01T09:00")),
        ({"type": "DAILY_TIME_DEADLINE", "deadline": "09:00"}, "01T09:01", None),
        ({"type": "DAILY_TIME_WINDOW", "startTime": "22:00", "endTime": "02:00"}, "02T01:00", ("01T22:00", "02T02:00")),
        ({"type": "DAILY_TIME_WINDOW", "startTime": "22:00", "endTime": "02:00"}, "02T03:00", None),
    ],
)
def test_windows(window: dict[str, str], moment: str, span: tuple[str, str] | None) -> None:
    def date(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-01-{text}:00+00:00")

    found = TimeWindow.model_validate(window).around(date(moment))
    assert found == (span and (date(span[0]), date(span[1])))


def test_a_trigger_on_everything_is_warned_of() -> None:
    source = "id: f\nnamespace: n\ntasks: [{id: a, type: io.kestra.plugin.core.log.Log, message: hi}]\n"
    assert "after every execution" in parse(f"{source}triggers: [{{id: t, type: {FLOW}}}]").warnings[0].message
