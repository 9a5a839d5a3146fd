"""The list's view: what a browser shows equals the store, whatever happens on the way."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.states import State
from streaming.gateway.order import sort_key
from tests.unit.gateway_world import START, Browser, World, row

FAILED = "filters[state][IN]=FAILED"


def truth(world: World, browser: Browser) -> tuple[list[tuple[str, str, int]], int, dict[str, int]]:
    """What the browser should show."""
    params = browser.params
    matches = world.reads.matcher(params.get("filters", ""))
    rows = [r for r in world.reads.truth.values() if matches(r, START)]
    rows.sort(key=sort_key(params.get("sort", "startDate:desc")))
    first = (params.get("page", 1) - 1) * params["size"]
    page = [(r.id, r.state.value, r.version) for r in rows[first : first + params["size"]]]
    return page, len(rows), dict(Counter(r.state.value for r in rows))


def assert_true(world: World, browser: Browser) -> None:
    page, total, counts = truth(world, browser)
    assert browser.shown == page
    assert (browser.total, {state: n for state, n in browser.counts.items() if n}) == (total, counts)


def test_a_change_is_sent_at_once_when_idle_and_then_at_most_every_interval() -> None:
    world = World(interval=0.05)
    browser = world.browser(size=10)
    world.announce(row(1))
    browser.ack()
    assert len(browser.frames) == 1
    world.announce(row(2))
    assert len(browser.frames) == 1
    assert world.hub.next_flush() == pytest.approx(0.05)
    world.later(0.05)
    assert len(browser.frames) == 2
    assert browser.ids == ["e0002", "e0001"]


def test_a_slow_browser_gets_one_fat_frame_after_its_acknowledgement() -> None:
    world = World()
    slow, quick = world.browser(size=10), world.browser(size=10)
    for version in range(1, 21):
        world.announce(row(1, version=version), row(2, version=version))
        world.later(0.1)
        quick.ack()
    assert len(slow.frames) == 1
    slow.ack()
    world.later(0.1)
    assert len(slow.frames) == 2
    rows = [item for item in slow.frames[1]["items"] if item["t"] == "row"]
    assert [item["row"]["version"] for item in rows] == [20, 20]
    assert slow.shown == quick.shown


def test_subscribers_in_step_get_the_same_encoded_frame_of_one_view() -> None:
    world = World()
    browsers = [world.browser(size=10) for _ in range(5)]
    asked = world.reads.asked
    world.announce(row(1))
    assert len(world.hub.views) == 1
    assert asked == 1
    first = browsers[0].texts[0]
    assert all(browser.texts[0] is first for browser in browsers)


def test_of_many_that_fell_behind_only_the_first_to_acknowledge_wakes_the_gateway() -> None:
    world = World()
    browsers = [world.browser(size=10) for _ in range(5)]
    world.announce(row(1))
    world.announce(row(2))
    world.later(0.1)
    woken: list[None] = []
    world.hub.wake = lambda: woken.append(None)
    for browser in browsers:
        browser.ack()
    assert len(woken) == 1
    world.later(0.1)
    assert [browser.ids for browser in browsers] == [["e0002", "e0001"]] * 5
    for browser in browsers:
        browser.ack()
    assert len(woken) == 1


def test_a_browser_that_never_acknowledges_costs_no_memory() -> None:
    world = World()
    dead = world.browser(size=5)
    for number in range(2_000):
        world.announce(row(number))
        world.later(0.05)
    view = next(iter(world.hub.views.values()))
    assert len(dead.frames) == 1
    assert len(view._changes) <= 5 + 3  # type: ignore[attr-defined]
    dead.ack()
    world.later()
    assert_true(world, dead)


def test_a_commit_that_the_snapshot_has_already_is_not_counted_twice() -> None:
    world = World()
    announced = world.commit(*(row(n) for n in range(9)))
    browser = world.browser(size=1)
    world.hub.deltas(*announced)
    world.later()
    assert (browser.total, browser.counts) == (9, {"RUNNING": 9})


def test_a_commit_while_the_snapshot_is_read_is_not_missed() -> None:
    world = World()
    world.reads.while_reading = lambda: world.hub.deltas(*world.commit(row(1)))
    browser = world.browser(size=5)
    world.reads.while_reading = None
    world.later()
    assert_true(world, browser)


def test_a_commit_announced_twice_counts_once() -> None:
    world = World()
    browser = world.browser(size=1)
    cursor, deltas = world.commit(*(row(n) for n in range(9)))
    world.hub.deltas(cursor, deltas)
    world.hub.deltas("2000-0", deltas)
    world.later()
    assert browser.total == 9


def test_rows_that_leave_are_replaced_without_asking_while_some_are_held() -> None:
    world = World()
    for number in range(30):
        world.commit(row(number, State.FAILED))
    browser = world.browser(filters=FAILED, size=10)
    asked = world.reads.asked
    for number in range(29, 20, -1):
        world.announce(row(number, State.RUNNING, version=2))
        world.later(0.05)
        browser.ack()
    assert world.reads.asked == asked
    assert_true(world, browser)


def test_a_row_behind_those_held_is_not_taken_for_the_next_one() -> None:
    world = World()
    for number in range(10, 20):
        world.commit(row(number, State.FAILED))
    browser = world.browser(filters=FAILED, size=2)
    world.announce(row(19, State.RUNNING, version=2))  # four were held, now three
    world.announce(row(1, State.FAILED))
    world.announce(row(18, State.RUNNING, version=2), row(17, State.RUNNING, version=2))
    world.reads.away = True
    for _ in range(3):
        world.later(0.05)
        browser.ack()
    assert browser.ids == ["e0016"]
    world.reads.away = False
    world.later(11)
    assert_true(world, browser)


def test_the_store_is_asked_when_the_held_rows_run_out() -> None:
    world = World()
    for number in range(50):
        world.commit(row(number, State.FAILED))
    browser = world.browser(filters=FAILED, size=10)
    for number in range(49, 25, -1):
        world.announce(row(number, State.RUNNING, version=2))
        browser.ack()
    world.later()
    browser.ack()
    world.later()
    assert_true(world, browser)


def test_a_page_of_a_range_of_time_is_asked_for_again_as_time_passes() -> None:
    world = World()
    world.browser(filters="filters[timeRange][EQUALS]=PT1H", size=10)
    world.later(4)
    assert world.reads.asked == 1
    world.later(2)
    assert world.reads.asked == 2


def test_the_database_away_at_first_is_told_and_retried_by_the_page() -> None:
    world = World()
    world.reads.away = True
    browser = world.browser(size=5)
    assert browser.answer == {"ok": False, "error": "The database is away: file is gone", "retry": True}
    world.reads.away = False
    world.commit(row(1))
    browser.connect()
    assert_true(world, browser)


def test_the_database_away_while_rows_are_missing_is_waited_for() -> None:
    world = World()
    browser = world.browser(size=2)
    world.commit(row(1), row(2))
    world.hub.missed("5000-0")
    world.reads.away = True
    world.later()
    assert browser.ids == []
    world.reads.away = False
    world.later(2)
    assert_true(world, browser)


def test_a_browser_that_comes_back_resumes_without_a_snapshot() -> None:
    world = World()
    browser = world.browser(size=5)
    world.announce(row(1))
    browser.ack()
    browser.cut()
    world.announce(row(2))
    browser.connect()
    assert browser.answer["resumed"] == 0
    world.later()
    assert browser.snapshots == 1
    assert_true(world, browser)


def test_an_unwatched_view_is_forgotten_after_a_while_and_then_a_snapshot_is_sent() -> None:
    world = World()
    browser = world.browser(size=5)
    browser.cut()
    world.clock.seconds += 31
    world.hub.reap()
    assert not world.hub.views
    world.announce(row(1))
    browser.connect()
    assert browser.snapshots == 2
    assert_true(world, browser)


@pytest.mark.parametrize(
    ("topic", "params", "words"),
    [
        ("nothing", {}, "unknown topic"),
        ("executions", {"size": 0}, "size"),
        ("executions", {"size": 10_000}, "500"),
        ("executions", {"colour": "red"}, "colour"),
        ("executions", {"sort": "colour:desc"}, "startDate"),
        ("logs", {"min_level": "LOUD"}, "unknown topic or parameters"),
    ],
)
def test_a_bad_wish_is_answered_with_what_was_expected(topic: str, params: dict, words: str) -> None:
    world = World()
    browser = Browser(world.sessions, topic, params)
    browser.connect()
    assert browser.answer["ok"] is False
    assert words in browser.answer["error"]
    assert not world.hub.views


def test_removed_rows_leave_the_page_and_its_counts() -> None:
    world = World()
    browser = world.browser(size=3)
    stats = world.browser("stats")
    world.announce(*(row(number, State.SUCCESS) for number in range(8)))
    browser.ack()
    asked = world.reads.asked
    world.hub.deltas(*world.remove("e0007", "e0006", "e0001"))
    world.later(0.1)
    assert browser.ids == ["e0005", "e0004", "e0003"]
    assert (browser.total, browser.counts) == (5, {"SUCCESS": 5})
    assert world.reads.asked == asked, "what is below the page was held already"
    stats.ack()
    world.later(1)
    assert stats.frames[-1]["items"][-1]["total"] == 5


def test_a_removal_that_the_page_shows_already_is_not_counted_again() -> None:
    world = World()
    world.commit(row(1), row(2))
    late = world.remove("e0001")
    browser = world.browser(size=3)
    world.hub.deltas(*late)
    world.later(0.1)
    assert (browser.ids, browser.total) == (["e0002"], 1)


STATES = st.sampled_from([State.RUNNING, State.FAILED, State.SUCCESS])
CHANGES = st.lists(st.tuples(st.integers(1, 25), STATES), min_size=1, max_size=12)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), CHANGES),
        st.tuples(st.just("change unheard"), CHANGES),
        st.tuples(st.just("remove"), st.sets(st.integers(1, 25), min_size=1, max_size=8)),
        st.tuples(st.just("wait"), st.sampled_from([0.01, 0.05, 0.3, 2.0])),
        st.tuples(st.sampled_from(["ack", "cut", "back"]), st.integers(0, 4)),
        st.tuples(st.just("gap"), st.none()),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(
    [
        ("change", [(5, State.RUNNING), (6, State.RUNNING)]),
        ("gap", None),
        ("change unheard", [(3, State.RUNNING)]),
        ("wait", 0.01),
        ("change", [(1, State.RUNNING), (2, State.RUNNING), (4, State.RUNNING)]),
    ]
)
@given(STEPS)
def test_snapshot_and_frames_folded_are_the_store(steps: list) -> None:
    """Slow browsers, lost connections, changes while reading and gaps included."""
    world = World()
    asked_for = [
        {"size": 3},
        {"size": 2, "filters": FAILED},
        {"size": 4, "sort": "startDate:asc"},
        {"size": 2, "sort": "state:desc"},
        {"size": 3, "page": 2},
    ]
    browsers = [world.browser(**params) for params in asked_for]
    versions: Counter[int] = Counter()

    def changed(changes: list) -> list:
        rows = {}
        for number, state in changes:
            versions[number] += 1
            rows[number] = row(number, state, version=versions[number])
        return list(rows.values())

    for step, value in steps:
        match step:
            case "change":
                world.announce(*changed(value))
            case "change unheard":  # in the store, and read from there before it is told
                world.hub.missed(f"{1000 + world._commits}-0")
                world.clock.seconds += 11
                late = world.commit(*changed(value))
                world.loader.turn()
                world.hub.deltas(*late)
            case "remove":
                world.hub.deltas(*world.remove(*({f"e{n:04}" for n in value} & world.reads.truth.keys())))
            case "wait":
                world.later(value)
            case "ack":
                browsers[value].ack()
            case "cut":
                browsers[value].cut()
            case "back" if not browsers[value].connected:
                browsers[value].connect()
            case "gap":
                world.commit(*changed([(9, State.RUNNING)]))
                world.hub.missed(f"{1000 + world._commits}-0")
    for browser in browsers:
        if not browser.connected:
            browser.connect()
    for _ in range(4):
        for browser in browsers:
            browser.ack()
        world.later(11)
    for browser in browsers:
        assert_true(world, browser)
