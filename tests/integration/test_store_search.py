"""Lists: what SQL finds, counts and sorts is what Python would."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import Store
from data.distinct import SUGGESTED
from data.errors import FilterError
from data.filters import FIELDS, Condition, DateFilter, Filters, parse_query_string
from data.matching import matches
from data.namespaces import inside
from data.operators import LISTS, Op
from data.pages import SORTS
from data.records import Commit, ExecutionQuery, Neighbours
from data.signatures import clean
from engine.ids import new_id
from engine.model import FLOW_TRIGGER, SUBFLOW_TASK, Execution, Kind, StateChange, Trigger, evolve
from engine.states import EXECUTION_STATES, TERMINAL, State
from streaming import keys
from streaming.messages import ExecutionRow
from streaming.rows import row_of

NOW = datetime(2026, 3, 10, 12, 34, 56, tzinfo=UTC)
NAMESPACES = ("company", "company.team", "companyx", "system", "system.jobs", "Ünï.code")
FLOWS = ("load", "load-all", "Load", "probe")
ERRORS = (None, None, "Boom in step 3", "timeout after 5 s")
SYSTEM = {"system.origin": "test", "env": "prod"}
LABELS = (
    {},
    {"env": "prod"},
    {"env": "dev", "team": "data"},
    {"team": "Data.Ops"},
    {"env": "prod:eu"},
    SYSTEM,
    {"env": "odd\x1evalue\x1f", "team": ""},
)
TRIGGERS = (None, Trigger("nightly", "schedule"), Trigger("Hook", "webhook", {"executionId": "its own"}))
TASKS = (None, "fetch", "load", "Load")


def some_trigger(random: random.Random, parents: list[str]) -> Trigger | None:
    by = {"executionId": random.choice([*parents, "nobody"])}
    return random.choice([*TRIGGERS, Trigger("call", SUBFLOW_TASK, by), Trigger("Then", FLOW_TRIGGER, by)])


def some_execution(random: random.Random, parents: list[str]) -> Execution:
    start = NOW - random.choice([timedelta(seconds=1), timedelta(minutes=40), timedelta(days=1)]) * random.random() * 9
    state = random.choice(EXECUTION_STATES)
    history = (StateChange(State.CREATED, start), StateChange(state, start + timedelta(seconds=random.randrange(9))))
    return Execution(
        id=new_id(int(start.timestamp() * 1000)),
        namespace=random.choice(NAMESPACES),
        flow_id=random.choice(FLOWS),
        revision=random.choice((1, 2, 11)),
        state=state,
        history=history,
        version=1,
        kind=random.choice(list(Kind)),
        labels=random.choice(LABELS),
        error=random.choice(ERRORS) if state in TERMINAL else None,
        parent_id=random.choice([*parents, None, None]) if parents else None,
        original_id=random.choice([*parents, None, None, None]) if parents else None,
        trigger=some_trigger(random, parents),
        last_task=random.choice(TASKS),
    )


class Filled(NamedTuple):
    """A store and the rows it should hold."""

    store: Store
    rows: list[ExecutionRow]

    def __repr__(self) -> str:
        return f"{len(self.rows)} rows"


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Iterator[Filled]:
    """A store that several commits wrote and changed, and the rows it should hold."""
    store = Store(module_database_url)
    chance = random.Random(7)
    current: dict[str, Execution] = {}
    for round in range(6):
        new = [some_execution(chance, list(current)[:3]) for _ in range(60)]
        again = [changed(chance, current[i]) for i in chance.sample(sorted(current), min(20, len(current)))]
        store.commit(Commit(stream=keys.EVENTS, position=f"{round}-0", executions=[*new, *again]))
        current |= {e.id: e for e in (*new, *again)}
    IDS[:] = [*list(current)[:6], list(current)[2][-6:], list(current)[1][:23]]
    yield Filled(store, [row_of(e) for e in current.values()])
    store.close()


def changed(random: random.Random, execution: Execution) -> Execution:
    state = random.choice(EXECUTION_STATES)
    change = StateChange(state, execution.history[-1].date + timedelta(seconds=1))
    return evolve(
        execution,
        state=state,
        history=(*execution.history, change),
        version=execution.version + 1,
        labels=random.choice(LABELS),
        error=random.choice(ERRORS),
        last_task=random.choice(TASKS),
    )


EXPRESSIONS = ["^l", "a.*d$", "[a-z]+[-.]", "prod|data", "^$", "(e|o)[vr]"]
IDS: list[str] = []  # of executions in the store, and of their parents
VALUES = {
    "q": ["load", "BOOM", "prod", "env:dev", "step 3", "nothing at all", "ünï", "a"],
    "namespace": [*NAMESPACES, "comp", "nowhere"],
    "flowId": [*FLOWS, "lo", "all"],
    "state": [state.value for state in EXECUTION_STATES],
    "kind": [kind.value for kind in Kind],
    "scope": ["USER", "SYSTEM"],
    "childFilter": ["CHILD", "MAIN"],
    "labels": ["prod", "dev", "prod:eu", "data", "Data", "none", "test", "odd\x1evalue\x1f"],
    "flowRevision": ["1", "2", "3", "11"],
    "triggerId": ["nightly", "Hook", "hook", "night", "ly", "call", "Then"],
    "taskId": ["fetch", "load", "lo", "nothing"],
    "timeRange": ["PT5S", "PT1H", "PT5H", "P3D", "P9999D"],
}


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    field = FIELDS[draw(st.sampled_from(sorted(FIELDS)))]
    op = draw(st.sampled_from(field.ops))
    if op is Op.REGEX:
        text = [draw(st.sampled_from(EXPRESSIONS))]
    elif field.name in ("startDate", "endDate"):
        text = [(NOW - timedelta(seconds=draw(st.integers(0, 9 * 86_400)))).isoformat()]
    elif field.kind == "id":
        text = [draw(st.sampled_from(["019c", "a", "nobody", *IDS]))]
    else:
        size = draw(st.integers(1, 3)) if op in LISTS else 1
        text = draw(st.lists(st.sampled_from(VALUES[field.name]), min_size=size, max_size=size))
    key = draw(st.sampled_from(["env", "team", "other", "system.origin"])) if field.name == "labels" else None
    return Condition(field.name, op, tuple(text), key)


@st.composite
def some_filters(draw: st.DrawFn) -> Filters:
    groups = draw(st.lists(st.lists(conditions(), min_size=1, max_size=2).map(tuple), max_size=3))
    few = draw(st.lists(conditions(), max_size=3))
    return Filters(tuple(few), tuple(groups), draw(st.sampled_from([None, None, *DateFilter])))


def expected(rows: list[ExecutionRow], filters: Filters) -> list[ExecutionRow]:
    return [row for row in rows if matches(filters, row, NOW)]


@pytest.mark.parametrize("few", [20_000, 0], ids=["listed", "along"])
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filters=some_filters(), field=st.sampled_from(sorted(SORTS)), descending=st.booleans())
def test_sql_finds_and_counts_what_python_does(
    filled: Filled,
    few: int,
    filters: Filters,
    field: str,
    descending: bool,
) -> None:
    """Read as if few executions matched, and as if many did."""
    store, rows = filled
    sort = f"{field}:{'desc' if descending else 'asc'}"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("data.pages.FEW", "data.counts.FEW", "data.counts.SIGNED_FEW"):
            patch.setattr(name, few)
        page = store.search(ExecutionQuery(filters, sort, page=1, size=1000, now=NOW))
    want = expected(rows, filters)
    assert {row.id for row in page.rows} == {row.id for row in want}
    assert page.counts == Counter(row.state for row in want)
    assert page.total == len(page.rows) == len(want)


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("field", sorted(SORTS))
def test_pages_follow_each_other_in_order(filled: Filled, field: str, direction: str) -> None:
    store, rows = filled
    pages = [store.search(ExecutionQuery(Filters(), f"{field}:{direction}", page=n, size=50)) for n in range(1, 10)]
    found = [row for page in pages for row in page.rows]
    assert sorted(row.id for row in found) == sorted(row.id for row in rows)
    values = [value for row in found if (value := sort_value(field, row)) is not None]
    assert values == sorted(values, reverse=direction == "desc")


def sort_value(field: str, row: ExecutionRow) -> object:
    match field:
        case "startDate":
            return row.start_date
        case "endDate":
            return row.end_date
        case "duration":
            return row.end_date and row.end_date - row.start_date
        case "flowId":
            return row.flow_id
        case _:
            return getattr(row, field)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "filters[state][IN]=FAILED,WARNING",
        "filters[namespace][PREFIX]=company",
        "filters[kind][EQUALS]=SYNTHETIC",
        "filters[labels][EQUALS][env]=prod",
        "filters[q][EQUALS]=load",
    ],
)
def test_a_page_deep_inside_is_the_slice_of_the_whole(
    filled: Filled, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read as if every page was far away and every result large, so that the short cuts are taken."""
    store, _ = filled
    filters = parse_query_string(text)
    whole = store.search(ExecutionQuery(filters, size=1000, now=NOW))
    monkeypatch.setattr("data.pages.NEAR", 0)
    monkeypatch.setattr("data.pages.FEW", 0)
    monkeypatch.setattr("data.counts.FEW", 0)
    for number in range(1, -(-whole.total // 7) + 2):
        page = store.search(ExecutionQuery(filters, page=number, size=7, now=NOW))
        assert [row.id for row in page.rows] == [row.id for row in whole.rows[(number - 1) * 7 : number * 7]]
        assert page.total == whole.total


def test_free_text_finds_the_beginning_and_the_end_of_an_id(filled: Filled) -> None:
    store, rows = filled
    some = rows[5].id
    for text in (some, some[:18], some[-6:]):
        filters = Filters((Condition("q", Op.EQUALS, (text,)),))
        page = store.search(ExecutionQuery(filters, now=NOW))
        assert some in {row.id for row in page.rows}
        assert page.counts == Counter(row.state for row in expected(rows, filters))


def test_children_and_parents(filled: Filled) -> None:
    store, rows = filled
    parent = next(row.parent_id for row in rows if row.parent_id)
    want = {row.id for row in rows if row.parent_id == parent}
    assert store.descendants(parent) == len(want) + sum(store.descendants(child) for child in want)
    assert store.descendants("nobody") == 0
    for op, text in ((Op.EQUALS, parent), (Op.STARTS_WITH, parent[:20]), (Op.CONTAINS, parent[5:25])):
        page = store.search(ExecutionQuery(Filters((Condition("parentId", op, (text,)),)), size=500))
        assert want <= {row.id for row in page.rows}


def test_children_are_what_was_made_or_triggered(filled: Filled) -> None:
    store, rows = filled
    some = [row.parent_id for row in rows if row.parent_id][:2]
    want = [row for row in rows if row.parent_id in some or row.triggered_by in some]
    assert any(row.parent_id not in some for row in want)
    assert any(row.triggered_by not in some for row in want)
    want.sort(key=lambda row: row.start_date)
    assert store.children(*some) == want
    assert store.children(*some, limit=3) == want[:3]
    within = ("company", "system.jobs")
    allowed = [row for row in want if inside(row.namespace, within)]
    assert store.children(*some, within=within) == allowed != want
    assert store.children(*some, within=()) == store.children("nothing") == []


def test_neighbours_and_the_last_of_a_flow(filled: Filled) -> None:
    store, rows = filled
    same = [row for row in rows if (row.namespace, row.flow_id) == (rows[0].namespace, rows[0].flow_id)]
    same.sort(key=lambda row: row.start_date)
    for before, here, after in zip(same, same[1:], same[2:], strict=False):
        found = store.neighbours(here.id)
        assert (found.previous, found.next) == (before.id, after.id)
    assert store.neighbours(same[0].id).previous is None
    assert store.neighbours(same[-1].id).next is None
    last = store.last_of_flow(rows[0].namespace, rows[0].flow_id, 3)
    assert [row.id for row in last] == [row.id for row in reversed(same[-3:])]


@settings(max_examples=20, deadline=None)
@given(filters=some_filters(), field=st.sampled_from(sorted(SORTS)), descending=st.booleans(), at=st.integers(0, 359))
def test_neighbours_in_a_list_are_the_rows_above_and_below(
    filled: Filled, filters: Filters, field: str, descending: bool, at: int
) -> None:
    """Of any execution, in the list or not: it stands where it would stand if it was."""
    store, rows = filled
    here = rows[at].id
    sort = f"{field}:{'desc' if descending else 'asc'}"
    listed = {row.id for row in store.search(ExecutionQuery(filters, sort, size=1000, now=NOW)).rows}
    order = [row.id for row in store.search(ExecutionQuery(Filters(), sort, size=1000, now=NOW)).rows]
    place = order.index(here)
    above = [one for one in order[:place] if one in listed]
    below = [one for one in order[place + 1 :] if one in listed]
    found = store.neighbours(here, filters, sort, now=NOW)
    assert (found.previous, found.next) == (above[-1] if above else None, below[0] if below else None)
    assert store.neighbours("nobody", filters, sort) == Neighbours()


@settings(max_examples=40, deadline=None)
@given(filters=some_filters(), field=st.sampled_from(SUGGESTED), key=st.sampled_from([None, "env", "team"]))
def test_values_of_a_field_are_counted_as_in_python(
    filled: Filled, filters: Filters, field: str, key: str | None
) -> None:
    store, rows = filled
    key = key if field == "labels" else None
    want = Counter(value for row in expected(rows, filters) for value in values_of(row, field, key))
    found = store.distinct(field, filters, key=key, now=NOW)
    assert {one.value: one.count for one in found} == {value: n for value, n in want.items() if value}
    assert [one.count for one in found] == sorted((one.count for one in found), reverse=True)


def values_of(row: ExecutionRow, field: str, key: str | None) -> set[str]:
    match field:
        case "namespace":
            parts = row.namespace.split(".")
            return {".".join(parts[: n + 1]) for n in range(len(parts))}
        case "labels":
            own = {clean(k): clean(v) for k, v in row.labels.items() if not k.startswith("system.")}
            return set(own) if key is None else {own[key]} if key in own else set()
        case _:
            value = FIELDS[field].value
            found = value(row) if value else None
            return set() if found is None else {str(found)}


def test_values_are_looked_for_and_capped(filled: Filled) -> None:
    store, _ = filled
    found = store.distinct("flowId", text="LOAD", size=2)
    assert len(found) == 2
    assert all("load" in one.value.lower() for one in found)
    with pytest.raises(FilterError, match="expected one of namespace, flowId"):
        store.distinct("id")


def test_a_bad_sort_is_refused(store: Store) -> None:
    with pytest.raises(FilterError, match="can't sort by 'colour'; it works by startDate"):
        store.search(ExecutionQuery(sort="colour:asc"))
    with pytest.raises(FilterError, match="expected asc or desc"):
        store.search(ExecutionQuery(sort="id:up"))
