"""The other topics: one execution, rows, logs, stats; and the tags that both sides know."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model import StateChange, TaskRun
from engine.states import Action, State
from streaming.gateway.items import TAGS
from streaming.gateway.rights import Login, SignedIn
from streaming.gateway.snapshots import light
from streaming.gateway.topics import Topic
from streaming.messages import Answer, Deltas, ExecutionDelta
from tests.unit.gateway_world import START, Browser, World, row

TAGS_FILE = Path(__file__).parents[2] / "assets/js/live/tags.js"


def task_run(number: int, state: State = State.RUNNING, **changes: object) -> TaskRun:
    return TaskRun(f"tr{number}", "task", state, (StateChange(state, START),), **changes)  # type: ignore[arg-type]


def changed(world: World, version: int, *runs: TaskRun, dropped: tuple[str, ...] = (), answers: tuple = ()) -> None:
    """The execution e0001 changed."""
    _, deltas = world.commit(row(1, version=version))
    item = ExecutionDelta(deltas.items[0].row, None, runs, dropped, answers=answers)
    world.hub.deltas(f"{1000 + version}-0", Deltas("x", START, (item,), deltas.position))
    world.hub.flush()


def test_the_page_knows_the_same_tags() -> None:
    text = TAGS_FILE.read_text()
    assert tuple(re.findall(r'"(\w+)"', text)) == TAGS


def items(browser: Browser) -> list[dict]:
    return [item for frame in browser.frames for item in frame.get("items", ())]


# -- one execution


def test_an_execution_sends_what_changed_not_all_of_it() -> None:
    world = World()
    world.commit(row(1))
    browser = world.browser("execution", id="e0001")
    changed(world, 2, task_run(1), task_run(2))
    browser.ack()
    world.later()
    changed(world, 3, task_run(2, State.SUCCESS))
    last = browser.frames[-1]["items"]
    assert [item["t"] for item in last] == ["execution", "task_run"]
    assert last[1]["task_run"]["state"] == "SUCCESS"
    assert last[1]["version"] == 3


def test_other_executions_are_not_heard_of() -> None:
    world = World()
    browser = world.browser("execution", id="e0001")
    world.announce(row(2))
    assert browser.frames == []


def test_a_dropped_task_run_takes_the_place_of_its_change() -> None:
    world = World()
    browser = world.browser("execution", id="e0001")
    changed(world, 1, task_run(9))
    changed(world, 2, task_run(1))
    changed(world, 3, dropped=("tr1",))
    browser.ack()
    world.later()
    assert [item["t"] for item in browser.frames[-1]["items"]] == ["execution", "dropped"]


def test_who_looks_at_an_execution_or_its_row_hears_that_it_is_gone() -> None:
    world = World()
    world.commit(row(1), row(2))
    page, rows = world.browser("execution", id="e0001"), world.browser("rows", ids=["e0001", "e0002"])
    world.hub.deltas(*world.remove("e0001"))
    world.hub.flush()
    assert page.frames[-1]["items"] == [{"t": "gone", "id": "e0001"}]
    assert list(rows.rows) == ["e0002"]
    assert world.hub.left_out == 0


def test_answers_stay_until_a_slow_browser_has_them() -> None:
    world = World()
    browser = world.browser("execution", id="e0001")
    changed(world, 1)
    changed(world, 2, answers=(Answer("event-1", Action.KILL),))
    changed(world, 3)
    browser.ack()
    world.later()
    (item,) = browser.frames[-1]["items"]
    assert [answer["event_id"] for answer in item["answers"]] == ["event-1"]


def test_a_browser_that_fell_too_far_behind_gets_a_snapshot_and_it_is_counted() -> None:
    world = World(buffer=5)
    world.commit(row(1))
    browser = world.browser("execution", id="e0001")
    changed(world, 2, task_run(0))
    changed(world, 3, *(task_run(n) for n in range(1, 20)))
    browser.ack()
    world.later()
    world.later()
    assert "snapshot" in browser.frames[-1]
    assert browser.snapshots == 2
    assert world.hub.left_out == 1


def test_more_items_than_a_frame_may_have_come_in_several() -> None:
    world = World(frame_max=10)
    browser = world.browser("execution", id="e0001")
    changed(world, 1, *(task_run(n) for n in range(25)))
    for _ in range(3):
        browser.ack()
        world.later()
    assert [len(frame["items"]) for frame in browser.frames] == [10, 10, 6]


def test_an_execution_that_does_not_exist_yet_appears() -> None:
    world = World()
    browser = world.browser("execution", id="e0001")
    assert browser.rows == {}
    changed(world, 1)
    assert browser.rows["e0001"]["state"] == "RUNNING"


def test_large_outputs_stay_behind() -> None:
    assert light(task_run(1, outputs={"rows": 3})).outputs == {"rows": 3}
    assert light(task_run(1, outputs={"text": "x" * 5_000})).outputs == {}


def test_after_missed_commits_everybody_gets_a_snapshot() -> None:
    world = World()
    world.commit(row(1))
    browser = world.browser("execution", id="e0001")
    world.commit(row(1, State.SUCCESS, version=2))
    world.hub.missed("5000-0")
    world.hub.flush()
    world.later()
    assert browser.rows["e0001"]["state"] == "SUCCESS"


# -- rows that left the window


def test_rows_by_id_go_on_changing() -> None:
    world = World()
    world.commit(row(1), row(2))
    browser = world.browser("rows", ids=["e0001", "e0002"])
    assert set(browser.rows) == {"e0001", "e0002"}
    world.announce(row(2, State.FAILED, version=2), row(3))
    assert [item["row"]["id"] for item in items(browser)] == ["e0002"]


# -- logs


def test_lines_come_once_in_order_and_filtered() -> None:
    world = World()
    world.write(3)
    browser = world.browser("logs", execution_id="e0001", min_level="WARN")
    world.hub.logs(world.write(2))
    world.hub.logs(world.write(2, level="ERROR"))
    world.hub.logs(world.write(2, execution_id="other", level="ERROR"))
    world.later()
    assert list(browser.lines) == [6, 7]
    assert items(browser)[-1]["total"] == 2


def test_lines_over_the_cap_are_left_out_oldest_first_and_told() -> None:
    world = World(frame_max=10, buffer=100)
    browser = world.browser("logs", execution_id="e0001")
    world.hub.logs(world.write(5))
    world.hub.flush()
    world.hub.logs(world.write(300))
    browser.ack()
    world.later()
    assert browser.skipped == 290
    assert list(browser.lines) == [*range(1, 6), *range(296, 306)]
    skipped = next(item for item in items(browser) if item["t"] == "skipped")
    assert (skipped["first_seq"], skipped["last_seq"]) == (6, 295)
    assert world.hub.left_out == 290


def test_a_gap_between_announcements_is_filled_from_the_store() -> None:
    world = World()
    browser = world.browser("logs", execution_id="e0001")
    world.hub.logs(world.write(2))
    world.write(3)  # never announced
    world.hub.logs(world.write(1))
    world.later()
    browser.ack()
    world.later()
    assert sorted(browser.lines) == [1, 2, 3, 4, 5, 6]


def test_of_a_gap_over_the_cap_the_rest_is_skipped_and_told() -> None:
    world = World(buffer=3_000)
    browser = world.browser("logs", execution_id="e0001")
    world.hub.logs(world.write(2))
    world.write(20_000)  # never announced
    world.hub.logs(world.write(1))
    for _ in range(8):
        world.later()
        browser.ack()
    world.hub.logs(world.write(2))
    world.later()
    assert items(browser)[-1]["total"] == 20_005
    assert len(browser.lines) + browser.skipped == 20_005
    assert list(browser.lines)[-2:] == [20_004, 20_005]


def test_lines_stored_while_the_tail_is_asked_for_come_once() -> None:
    world = World()
    world.write(4)
    told = world.write(2)
    browser = world.browser("logs", execution_id="e0001")
    world.hub.logs(told)
    world.hub.logs(world.write(1))
    world.later()
    assert sorted(browser.lines) == [7]


def test_a_log_is_resumed_by_seq_in_another_process() -> None:
    world, other = World(), World()
    browser = world.browser("logs", execution_id="e0001")
    world.hub.logs(world.write(3))
    world.hub.flush()
    other.reads.lines = world.reads.lines
    other.write(4)
    browser.sessions = other.sessions
    browser.waiting.clear()
    browser.connect()
    assert browser.answer["resumed"] == 1
    assert browser.snapshots == 1
    assert sorted(browser.lines) == [1, 2, 3, 4, 5, 6, 7]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("told"), st.integers(1, 30)),
        st.tuples(st.just("stored"), st.integers(1, 30)),
        st.tuples(st.sampled_from(["ack", "wait", "cut", "back", "gap"]), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_every_line_is_shown_or_counted_as_left_out(steps: list[tuple[str, int]]) -> None:
    world = World(frame_max=20, buffer=50)
    browser = world.browser("logs", execution_id="e0001")
    for step, count in steps:
        match step:
            case "told":
                world.hub.logs(world.write(count))
                world.hub.flush()
            case "stored":
                world.write(count)
            case "ack":
                browser.ack()
            case "wait":
                world.later(0.05)
            case "cut":
                browser.cut()
            case "back" if not browser.connected:
                browser.connect()
            case "gap":
                world.hub.logs_missed()
    if not browser.connected:
        browser.connect()
    world.hub.logs(world.write(1))
    for _ in range(30):
        browser.ack()
        world.later()
    assert len(browser.lines) + browser.skipped == len(world.reads.lines)


# -- stats


def test_stats_count_all_executions_and_the_rate_of_events() -> None:
    world = World()
    world.commit(row(1), row(2, State.FAILED))
    browser = world.browser("stats")
    assert browser.snapshots == 1
    world.announce(row(3, version=4))
    (item,) = items(browser)
    assert (item["total"], item["counts"], item["rate"]) == (3, {"RUNNING": 2, "FAILED": 1}, 0.4)


PARAMS: dict[str, dict[str, Any]] = {"execution": {"id": "e1"}, "rows": {"ids": ["e1"]}, "logs": {"execution_id": "e1"}}


class NoRights(SignedIn):
    """Lets nobody look at anything, and after two refusals says so."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def narrowed(self, topic: Topic) -> Topic:
        raise PermissionError(f"You may not look at {topic.name}.")

    def refused(self, topic: str, why: str) -> None:
        self.told.append(topic)
        if len(self.told) > 2:
            raise PermissionError("Too many.")


@pytest.mark.parametrize("topic", ["executions", "execution", "rows", "logs", "stats"])
def test_who_may_not_look_is_told_so(topic: str) -> None:
    world = World()
    world.sessions._rights = NoRights()
    browser = Browser(world.sessions, topic, PARAMS.get(topic, {}))
    browser.connect()
    assert browser.answer["ok"] is False
    assert "may not" in browser.answer["error"]
    assert world.sessions.topics() == Counter()


def test_forged_topics_are_counted_and_at_last_refused_shortly() -> None:
    world = World()
    world.sessions._rights = rights = NoRights()
    answers = []
    for topic in ("secrets", "executions", "execution", "x" * 500):
        browser = Browser(world.sessions, topic, {})
        browser.connect()
        answers.append(browser.answer["error"])
    assert rights.told == ["secrets", "executions", "execution", "x" * 80]
    assert answers[2:] == ["Too many."] * 2
    assert "unknown topic" in answers[0]


def test_connections_are_over_with_their_login() -> None:
    world = World()
    for sid, until in (("early", START + timedelta(hours=1)), ("late", START + timedelta(hours=2)), ("ever", None)):
        world.sessions.open(sid, Login((sid,), until))
    assert world.sessions.over(START) == []
    assert world.sessions.over(START + timedelta(hours=1)) == ["early"]
    world.sessions.close("early")
    assert world.sessions.over(START + timedelta(hours=9)) == ["late"]


def test_subscriptions_of_one_page_are_bounded() -> None:
    world = World()
    world.sessions.open("sid", Login())
    answers = [
        world.sessions.subscribe("sid", {"sub": str(n), "topic": "execution", "params": {"id": str(n)}}, print)
        for n in range(65)
    ]
    assert [answer["ok"] for answer in answers] == [True] * 64 + [False]
