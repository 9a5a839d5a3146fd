"""Filters: the wire form, what is refused and how, and what they mean."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import FilterError
from data.filters import FIELDS, Condition, DateFilter, Filters, parse, parse_query_string, read, to_query_string
from data.matching import matches
from data.operators import LISTS, Op
from engine.flow import FlowTrigger, Subflow
from engine.flow.tasks import TASKS
from engine.flow.triggers import TRIGGERS
from engine.model import FLOW_TRIGGER, SUBFLOW_TASK, Execution, Kind, StateChange, Trigger
from engine.states import State
from streaming.messages import ExecutionRow
from streaming.rows import row_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CORE = "io.kestra.plugin.core"
ROW = ExecutionRow(
    id="019c0000-aaaa-7bbb-8ccc-0123456789ab",
    version=3,
    namespace="company.team",
    flow_id="nightly-load",
    revision=2,
    state=State.FAILED,
    start_date=NOW - timedelta(hours=2),
    changed_at=NOW,
    end_date=NOW - timedelta(hours=1),
    labels={"env": "prod", "owner": "Ada"},
    error="Connection refused: db-7",
    trigger_id="every-night",
    last_task="fetch",
    original_id="019c0000-0000-7bbb-8ccc-000000000000",
)
RANGE = (
    "filters[startDate][GREATER_THAN_OR_EQUAL_TO]=2026-03-01T{}:00Z"
    "&filters[endDate][LESS_THAN_OR_EQUAL_TO]=2026-03-01T{}:00Z"
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", True),
        ("filters[state][IN]=FAILED,WARNING", True),
        ("filters[state][IN]=SUCCESS&filters[state][IN]=FAILED", True),
        ("filters[state][NOT_IN]=FAILED", False),
        ("filters[namespace][PREFIX]=company", True),
        ("filters[namespace][PREFIX]=comp", False),
        ("filters[namespace][CONTAINS]=comp", True),
        ("filters[namespace][IN]=other,company.team", True),
        ("filters[flowId][STARTS_WITH]=nightly", True),
        ("filters[flowId][ENDS_WITH]=nightly", False),
        ("filters[flowId][NOT_EQUALS]=nightly-load", False),
        ("filters[kind][EQUALS]=NORMAL", True),
        ("filters[kind][EQUALS]=SYNTHETIC", False),
        ("filters[scope][EQUALS]=USER", True),
        ("filters[scope][EQUALS]=SYSTEM", False),
        ("filters[childFilter][EQUALS]=MAIN", True),
        ("filters[childFilter][EQUALS]=CHILD", False),
        ("filters[labels][EQUALS][env]=prod", True),
        ("filters[labels][EQUALS]=env:prod", True),
        ("filters[labels][NOT_EQUALS][env]=prod", False),
        ("filters[labels][NOT_EQUALS][team]=prod", True),
        ("filters[labels][IN][env]=dev,prod", True),
        ("filters[labels][NOT_IN][env]=dev", True),
        ("filters[labels][IN]=env:dev,env:prod", True),
        ("filters[labels][IN]=env:prod,team:x", True),
        ("filters[labels][IN]=team:x,env:prod", True),
        ("filters[labels][IN]=env:dev&filters[labels][IN]=owner:Ada", True),
        ("filters[labels][IN]=env:dev,team:x", False),
        ("filters[labels][IN]=env:prod,team:x&filters[state][IN]=SUCCESS", False),
        ("filters[labels][IN]=env:dev,owner:Ada&filters[or][0][state][IN]=SUCCESS", False),
        ("filters[labels][IN]=env:dev,owner:Ada&filters[or][0][state][IN]=FAILED", True),
        ("filters[or][0][labels][IN]=env:dev,owner:Ada&filters[or][0][state][IN]=FAILED", True),
        ("filters[or][0][labels][IN]=env:dev,owner:Ada&filters[or][0][state][IN]=SUCCESS", False),
        ("filters[labels][NOT_IN]=env:dev,team:x", True),
        ("filters[labels][NOT_IN]=env:dev,owner:Ada", False),
        ("filters[labels][CONTAINS][owner]=da", True),
        ("filters[timeRange][EQUALS]=PT3H", True),
        ("filters[timeRange][EQUALS]=PT1H", False),
        ("filters[startDate][GREATER_THAN_OR_EQUAL_TO]=2026-03-01T10:00:00Z", True),
        ("filters[startDate][GREATER_THAN]=2026-03-01T10:00:00.000000000Z", False),
        ("filters[startDate][LESS_THAN]=2026-03-01T12:00:00+01:00", True),
        ("filters[endDate][EQUALS]=2026-03-01T11:00:00Z", True),
        ("filters[triggerExecutionId][EQUALS]=abc", False),
        ("filters[parentId][NOT_EQUALS]=abc", True),
        ("filters[q][EQUALS]=REFUSED", True),
        ("filters[q][EQUALS]=env:PROD", True),
        ("filters[q][EQUALS]=ada", True),
        ("filters[q][EQUALS]=team+nightly", False),
        ("q=6789ab", True),
        ("q=019c0000-aaaa", True),
        ("q=019c", False),
        ("filters[namespace][PREFIX]=other,company", True),
        ("filters[namespace][REGEX]=^company\\.(team|ops)$", True),
        ("filters[namespace][REGEX]=^team", False),
        ("filters[labels][REGEX][owner]=^A", True),
        ("filters[labels][REGEX][nobody]=.", False),
        ("filters[triggerId][EQUALS]=every-night", True),
        ("filters[triggerId][NOT_IN]=every-night,other", False),
        ("filters[taskId][IN]=fetch,load", True),
        ("filters[flowRevision][GREATER_THAN]=1", True),
        ("filters[flowRevision][IN]=1,3", False),
        ("filters[originalId][ENDS_WITH]=000000", True),
        ("filters[originalId][EQUALS]=019c0000-aaaa-7bbb-8ccc-0123456789ab", False),
        ("filters[id][STARTS_WITH]=019c0000-aaaa", True),
        ("filters[q][EQUALS]=EVERY-NIGHT", True),
        ("filters[or][0][flowId][EQUALS]=a&filters[or][1][state][IN]=FAILED", True),
        ("filters[or][0][flowId][EQUALS]=a&filters[or][0][state][IN]=FAILED", False),
        ("filters[state][IN]=SUCCESS&filters[or][0][flowId][EQUALS]=nightly-load", False),
        ("filters[timeRange][EQUALS]=PT90M", False),
        ("filters[timeRange][EQUALS]=PT90M&dateFilter=START_DATE", False),
        ("filters[timeRange][EQUALS]=PT90M&dateFilter=END_DATE", True),
        ("filters[timeRange][EQUALS]=PT90M&dateFilter=START_OR_END_DATE", True),
        (f"{RANGE.format('10:30', '11:30')}&dateFilter=START_DATE", False),
        (f"{RANGE.format('10:30', '11:30')}&dateFilter=END_DATE", True),
        (f"{RANGE.format('10:30', '10:50')}&dateFilter=START_OR_END_DATE", False),
        (f"{RANGE.format('09:30', '10:50')}&dateFilter=START_OR_END_DATE", True),
        (RANGE.format("09:30", "11:00"), True),
        ("state=FAILED&namespace=company&labels=env:prod&childFilter=MAIN", True),
        ("state=SUCCESS", False),
        ("page=2&size=50&sort=startDate:desc&q=", True),
    ],
)
def test_filters_mean(text: str, found: bool) -> None:
    assert matches(parse_query_string(text), ROW, NOW) is found


@pytest.mark.parametrize(
    ("text", "part", "says"),
    [
        ("filters[colour][IN]=red", "filters[colour][IN]", "there is no field 'colour'; the fields are q, namespace"),
        ("filters[state][CONTAINS]=F", "filters[state][CONTAINS]", "has no operator 'CONTAINS'; it has IN, NOT_IN"),
        ("filters[state][IN]=BROKEN", "filters[state][IN]", "expected one of CREATED, QUEUED"),
        ("filters[state][IN]=,", "filters[state][IN]", "expected at least one value"),
        ("filters[namespace][EQUALS]=", "filters[namespace][EQUALS]", "got an empty one"),
        ("filters[startDate][LESS_THAN]=tomorrow", "filters[startDate][LESS_THAN]", "ISO 8601 date"),
        ("filters[startDate][LESS_THAN]=0001-01-01T00:00:00%2B14:00", "filters[startDate][LESS_THAN]", "years 1"),
        ("filters[timeRange][EQUALS]=1 day", "filters[timeRange][EQUALS]", "such as PT24H"),
        ("filters[labels][EQUALS]=prod", "filters[labels][EQUALS]", "key:value"),
        ("filters[labels][IN]=env:prod,dev", "filters[labels][IN]", "expected a label as key:value, got 'dev'"),
        ("filters[labels][IN]=", "filters[labels][IN]", "expected at least one value"),
        (f"filters[labels][IN]={','.join(f'k{n}:v' for n in range(51))}", "filters", "at most 50 conditions, got 51"),
        ("filters[flowId][EQUALS][x]=a", "filters[flowId][EQUALS][x]", "takes no key"),
        ("filters[or][0][colour][EQUALS]=a", "filters[or][0][colour][EQUALS]", "there is no field 'colour'"),
        ("filters[or][x][flowId][EQUALS]=a", "filters[or][x][flowId][EQUALS]", "there is no field 'or'"),
        ("filters[flowId][REGEX]=a(", "filters[flowId][REGEX]", "a parenthesis is not closed"),
        ("filters[labels][REGEX][env]=", "filters[labels][REGEX][env]", "got an empty one"),
        ("filters[flowRevision][EQUALS]=-1", "filters[flowRevision][EQUALS]", "the number of a revision"),
        ("dateFilter=SOME_DATE", "dateFilter", "expected one of START_DATE, END_DATE, START_OR_END_DATE"),
        ("&".join(["filters[flowId][CONTAINS]=a"] * 51), "filters", "expected at most 50 conditions, got 51"),
        ("filters=1", "filters", "expected filters[field][OPERATOR]=value"),
    ],
)
def test_a_bad_filter_is_named_with_what_is_allowed(text: str, part: str, says: str) -> None:
    with pytest.raises(FilterError, match=re.escape(says)) as caught:
        parse_query_string(text)
    assert caught.value.part == part


def test_the_wire_form_gives_the_same_filters_back() -> None:
    filters = Filters(
        (
            Condition("state", Op.IN, ("FAILED", "WARNING")),
            Condition("labels", Op.EQUALS, ("a&b=c d",), "team[1]"),
            Condition("q", Op.EQUALS, ("100% of ünï+code",)),
            Condition("startDate", Op.LESS_THAN, ("2026-01-01T00:00:00+02:00",)),
            Condition("labels", Op.IN, ("a,b", "c\\", "\\,", "d"), "k"),
        ),
        ((Condition("flowId", Op.EQUALS, ("a,b",)),), (Condition("namespace", Op.PREFIX, ("x", "y")),)),
        DateFilter.END_DATE,
    )
    text = to_query_string(filters)
    assert text.startswith("filters[state][IN]=FAILED,WARNING&filters[labels][EQUALS][team[1]]=a%26b%3Dc%20d&")
    assert parse_query_string(text) == filters


def test_a_dict_and_pairs_are_the_same_filters() -> None:
    pairs = [("filters[state][IN]", "FAILED"), ("page", "3")]
    assert parse(pairs) == parse(dict(pairs)) == parse_query_string("?filters%5Bstate%5D%5BIN%5D=FAILED")


@pytest.mark.parametrize(
    ("type", "parent", "by"),
    [
        ("manual", None, None),
        (SUBFLOW_TASK, "up", "up"),
        (FLOW_TRIGGER, None, "up"),
        ("manual", "up", None),  # a replay
        (FLOW_TRIGGER, "replayed", "up"),
        (f"{CORE}.trigger.Webhook", None, None),  # whatever came with the call
        (f"{CORE}.trigger.Schedule", None, None),
    ],
)
def test_a_child_is_what_another_execution_triggered(type: str, parent: str | None, by: str | None) -> None:
    trigger = Trigger("t", type, {"executionId": "up"})
    history = (StateChange(State.CREATED, NOW),)
    row = row_of(Execution("x", "n", "f", 1, State.CREATED, history, trigger=trigger, parent_id=parent))
    assert row.triggered_by == by
    found = {
        text: matches(parse_query_string(text), row, NOW)
        for text in ("childFilter=CHILD", "childFilter=MAIN", "triggerExecutionId=up", "filters[parentId][EQUALS]=up")
    }
    assert [*found.values()] == [by is not None, by is None, by == "up", parent == "up"]


def test_triggers_that_name_an_execution_are_subflow_tasks_and_flow_triggers() -> None:
    assert TASKS.types[SUBFLOW_TASK] is Subflow
    assert TRIGGERS.types[FLOW_TRIGGER] is FlowTrigger


def test_every_field_takes_each_of_its_operators() -> None:
    example = {
        "state": "FAILED",
        "kind": Kind.NORMAL.value,
        "scope": "USER",
        "childFilter": "MAIN",
        "timeRange": "PT1H",
        "startDate": "2026-01-01",
        "endDate": "2026-01-01",
        "flowRevision": "2",
    }
    for field in FIELDS.values():
        for op in field.ops:
            key = "[k]" if field.name == "labels" else ""
            filters = parse({f"filters[{field.name}][{op}]{key}": example.get(field.name, "x")})
            assert filters.conditions[0].op is op
            assert matches(filters, ROW, NOW) in (True, False)
    assert {op for field in FIELDS.values() for op in field.ops} >= LISTS


@given(st.lists(st.lists(st.text(",\\\\ab[]=&%+ ", min_size=1), min_size=1, max_size=3), max_size=4))
def test_any_values_come_back_from_the_wire(lists: list[list[str]]) -> None:
    """A list given twice is one list on the wire, so each stands at a label of its own."""
    filters = Filters(
        tuple(Condition("labels", Op.IN, tuple(values), f"k{n}") for n, values in enumerate(lists) if _good(values))
    )
    assert parse_query_string(to_query_string(filters)) == filters


def _good(values: list[str]) -> bool:
    return all(value.strip() for value in values)


def test_lists_that_must_both_hold_are_one_on_the_wire() -> None:
    both = Filters((Condition("state", Op.IN, ("FAILED", "KILLED")), Condition("state", Op.IN, ("FAILED", "SUCCESS"))))
    assert parse_query_string(to_query_string(both)) == Filters((Condition("state", Op.IN, ("FAILED",)),))
    none = Filters((Condition("namespace", Op.IN, ("a",)), Condition("namespace", Op.IN, ("company.team",))))
    assert not matches(none, ROW, NOW)
    assert not matches(parse_query_string(to_query_string(none)), ROW, NOW)
    narrowed = Filters((Condition("namespace", Op.PREFIX, ("company", "x")), Condition("namespace", Op.PREFIX, ("x",))))
    assert parse_query_string(to_query_string(narrowed)) == narrowed


def test_every_problem_says_where_it_is_and_what_is_allowed() -> None:
    reading = read(
        [
            ("filters[state][IN]", "FAILED,BROKEN"),
            ("filters[kind][EQUALS]", "NORMAL"),
            ("filters[or][3][flowId][GREATER_THAN]", "a"),
            ("filters[labels][NEAR][env]", "x"),
        ]
    )
    assert reading.filters == Filters((Condition("kind", Op.EQUALS, ("NORMAL",)),))
    operator, label, value = reading.problems
    assert (operator.field, operator.op, operator.group) == ("flowId", "GREATER_THAN", 3)
    assert operator.allowed == FIELDS["flowId"].ops
    assert (label.field, label.op, label.key) == ("labels", "NEAR", "env")
    assert (value.field, value.op, value.group) == ("state", "IN", None)
    assert value.allowed == FIELDS["state"].values
    with pytest.raises(FilterError) as caught:
        parse({"filters[state][IN]": "BROKEN", "filters[colour][IN]": "red"})
    assert len(caught.value.problems) == 2
