"""Heartbeat, answers and the inbox."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest

from engine.states import Action, State
from streaming.gateway.answers import FOLLOW_MAX, Answers, Behind
from streaming.gateway.feed import Feed, Inbox
from streaming.gateway.health import Health
from streaming.gateway.recent import Recent
from streaming.messages import Answer, ExecutionDelta, Heartbeat
from tests.unit.gateway_world import START, Clock, row

FOREVER = 3_600.0  # seconds; a test that waits so long fails by its own limit


def health() -> tuple[Health, Clock]:
    clock = Clock()
    return Health(clock, clock.now), clock


def test_an_executor_is_silent_within_two_seconds_and_then_back() -> None:
    told, clock = health()
    told.heartbeat(Heartbeat("x", START))
    clock.seconds += 1.5
    assert told.pulse(0).executor is None
    clock.seconds += 0.5
    assert told.pulse(0).executor == "silent for 2 s"
    assert told.problems() == (False, False, True)
    told.heartbeat(Heartbeat("x", START))
    assert told.problems() == (False, False, False)


def test_the_heartbeat_carries_what_the_executor_says() -> None:
    told, _ = health()
    told.heartbeat(Heartbeat("x", START, lag_ms=7, database="locked", dead_letters=3))
    told.undecodable = 1
    pulse = told.pulse(dropped=9)
    assert (pulse.executor_at, pulse.lag_ms, pulse.database) == (START, 7, "locked")
    assert (pulse.dead_letters, pulse.dropped) == (4, 9)


def test_a_database_that_never_answers_is_told_and_then_back() -> None:
    told, clock = health()
    with told.asking_database():
        clock.seconds += 1.4
        assert told.database_here() is None
        clock.seconds += 0.6
        assert told.pulse(0).database == "has not answered for 2 s"
        assert told.problems()[1]
        clock.seconds += 5
        assert told.pulse(0).database == "has not answered for 7 s"
    assert (told.database_problem(), told.database_ms) == (None, 7000.0)


def test_an_executor_replaced_by_another_is_not_missed() -> None:
    told, clock = health()
    told.heartbeat(Heartbeat("old", START))
    clock.seconds += 400
    told.heartbeat(Heartbeat("new", START + timedelta(seconds=400)))
    assert told.pulse(0).executor is None
    assert list(told._beats) == ["new"]


def delta(
    number: int = 1, *answers: Answer, state: State = State.RUNNING, version: int = 1, **changes: Any
) -> ExecutionDelta:
    return ExecutionDelta(row(number, state, version=version, **changes), answers=answers)


def test_an_answer_is_found_before_and_after_it_is_waited_for() -> None:
    answers = Answers()
    answer = Answer("event-1", Action.KILL)
    found: list[Answer | None] = []
    waiter = Thread(target=lambda: found.append(answers.wait("event-1", 5)))
    waiter.start()
    answers.take([delta(1, answer)])
    waiter.join(5)
    assert found == [answer]
    assert answers.wait("event-1", 0) == answer
    assert answers.wait("event-2", 0.01) is None


def test_an_execution_is_waited_for_until_its_end() -> None:
    answers = Answers()
    answers.take([delta(1)])
    assert answers.wait_row("e0001", 0, lambda row: row.state is State.SUCCESS) is None
    answers.take([delta(1, state=State.SUCCESS, version=2)])
    found = answers.wait_row("e0001", 0, lambda row: row.state is State.SUCCESS)
    assert found is not None
    assert found.version == 2


def test_a_follower_gets_every_delta_or_is_told_that_it_is_behind() -> None:
    answers = Answers()
    with answers.follow("e0001") as follower:
        answers.take([delta(1), delta(2)])
        assert follower.get(1) == delta(1)
        assert follower.get(0.01) is None
        answers.take([delta(1, version=n) for n in range(FOLLOW_MAX + 1)])
        for _ in range(FOLLOW_MAX):
            assert follower.get(1) is not None
        with pytest.raises(Behind):
            follower.get(FOREVER)
    assert answers._followers == {}


def test_a_follower_hears_of_more_and_more_executions_and_of_their_children() -> None:
    answers = Answers()
    parent, child, triggered, both, other = (
        delta(1),
        delta(2, parent_id="e0001"),
        delta(3, triggered_by="e0001"),
        delta(4, parent_id="e0001", triggered_by="e0001"),
        delta(5, parent_id="e0002"),
    )
    everything = [parent, child, triggered, both, other]
    with answers.follow("e0001") as alone, answers.follow("e0001") as follower:

        def heard() -> list[ExecutionDelta]:
            answers.take(everything)
            return list(iter(lambda: follower.get(0), None))

        assert heard() == [parent]
        answers.widen(follower, ["e0001"], below=True)
        assert heard() == [parent, child, triggered, both]
        answers.widen(follower, ["e0005"])
        assert heard() == everything
        assert [alone.get(0) for _ in range(4)] == [parent] * 3 + [None]
    assert answers._followers == answers._of_below == {}


def test_a_full_inbox_leaves_all_out_and_says_so_once() -> None:
    inbox = Inbox(max_bytes=10)
    for _ in range(3):
        inbox.put("a", b"xxxx")
    overflowed, messages = inbox.take(10)
    assert (overflowed, messages) == (True, [("a", b"xxxx")])
    assert inbox.left_out == 2
    assert inbox.take(10) == (False, [])
    assert not inbox.arrived.is_set()


def test_a_turn_that_fails_starts_the_views_again_and_the_next_one_works() -> None:
    told, _ = health()
    stop, restarted = Event(), []

    class Breaking:
        """A hub whose first flush fails."""

        cursor = "5-0"
        flushes = 0

        def next_flush(self) -> float:
            return 0.0

        def flush(self) -> None:
            self.flushes += 1
            if self.flushes == 1:
                raise IndexError("a bug in a view")
            stop.set()

        def missed(self, cursor: str) -> None:
            restarted.append(cursor)

        def logs_missed(self) -> None:
            restarted.append("logs")

    hub = Breaking()
    Feed(None, hub, told, Inbox()).pump(stop, lambda: None)  # type: ignore[arg-type]
    assert restarted == ["logs", "5-0"]
    assert hub.flushes == 2


def test_what_was_left_out_is_told_for_some_minutes_only() -> None:
    clock = Clock()
    recent = Recent(5, clock)
    assert recent.rise(3) == 0, "what was before it was asked is not known"
    clock.seconds += 60
    assert recent.rise(10) == 7
    clock.seconds += 200
    assert recent.rise(10) == 7
    clock.seconds += 100
    assert recent.rise(10) == 0
    clock.seconds += 1
    assert recent.rise(11) == 1
    for _ in range(10_000):
        clock.seconds += 1
        recent.rise(11)
    assert recent.rise(11) == 0
    assert len(recent._known) < 100
