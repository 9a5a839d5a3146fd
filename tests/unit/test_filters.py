"""Filters: the wire form, what is refused and how, and what they mean."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from data.errors import FilterError
from data.filters import FIELDS, Condition, Filters, matches, parse, parse_query_string, to_query_string
from data.operators import LISTS, Op
from engine.model import Kind
from engine.states import State
from streaming.messages import ExecutionRow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
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
        ("filters[flowId][EQUALS][x]=a", "filters[flowId][EQUALS][x]", "takes no key"),
        ("filters[or][0][flowId][EQUALS]=a", "filters[or][0][flowId][EQUALS]", "there is no field 'or'"),
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
        )
    )
    text = to_query_string(filters)
    assert text.startswith("filters[state][IN]=FAILED,WARNING&filters[labels][EQUALS][team[1]]=a%26b%3Dc%20d&")
    assert parse_query_string(text) == filters


def test_a_dict_and_pairs_are_the_same_filters() -> None:
    pairs = [("filters[state][IN]", "FAILED"), ("page", "3")]
    assert parse(pairs) == parse(dict(pairs)) == parse_query_string("?filters%5Bstate%5D%5BIN%5D=FAILED")


def test_every_field_takes_each_of_its_operators() -> None:
    example = {
        "state": "FAILED",
        "kind": Kind.NORMAL.value,
        "scope": "USER",
        "childFilter": "MAIN",
        "timeRange": "PT1H",
        "startDate": "2026-01-01",
        "endDate": "2026-01-01",
    }
    for field in FIELDS.values():
        for op in field.ops:
            key = "[k]" if field.name == "labels" else ""
            filters = parse({f"filters[{field.name}][{op}]{key}": example.get(field.name, "x")})
            assert filters.conditions[0].op is op
            assert matches(filters, ROW, NOW) in (True, False)
    assert {op for field in FIELDS.values() for op in field.ops} >= LISTS
