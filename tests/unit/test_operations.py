"""Bulk operations: what can be asked, and how much is told ahead."""

from __future__ import annotations

from collections import deque

import pytest

from engine.states import ACTIONS, Action, State
from streaming.commands import CommandError, LabelRefused
from streaming.messages import ActionDetails
from streaming.operations.asked import OperationRefused, Selection, check
from streaming.operations.pace import LEAST, TARGET, Pace

ONE = Selection.of_ids(["e1"])


class Line:
    """An executor that applies so many executions a second, in the order they come, and tells of each ``late``."""

    def __init__(self, pace: Pace, rate: float, late: float = 0.02) -> None:
        self.pace, self.rate, self.late = pace, rate, late
        self.now = 0.0
        self.credit = 0.0
        self.done = self.most = 0
        self.said: deque[tuple[float, int]] = deque()

    def run(self, seconds: float) -> int:
        """How many were done meanwhile."""
        before, end = self.pace.answered, self.now + seconds
        while self.now < end:
            if free := self.pace.free:
                self.pace.tell(free, self.now)
            waiting = self.pace.told - self.done
            self.most = max(self.most, waiting)
            self.now += 0.01
            self.credit = min(self.credit + self.rate * 0.01, waiting)
            self.done += int(self.credit)
            self.credit -= int(self.credit)
            self.said.append((self.now + self.late, self.done))
            while self.said and self.said[0][0] <= self.now:
                self.pace.answer(self.said.popleft()[1] - self.pace.answered, self.now)
        return self.pace.answered - before


@pytest.mark.parametrize("rate", [500, 1_000, 3_000])
@pytest.mark.parametrize(("late", "share"), [(0.02, 0.75), (0.2, 0.75)])
def test_a_fast_executor_is_kept_busy_and_others_wait_a_moment(rate: float, late: float, share: float) -> None:
    line = Line(Pace(2_000), rate, late)
    line.run(5)
    line.most = 0
    assert line.run(10) > rate * 10 * share
    assert line.most / rate <= max(TARGET, late, LEAST / rate) * 3


def test_a_slow_executor_has_little_ahead() -> None:
    line = Line(Pace(400), 2_000)
    line.run(3)
    line.rate = 100
    line.run(5)
    line.most = 0
    line.run(5)
    assert line.most <= LEAST * 1.5


def test_what_is_told_ahead_is_bounded_however_fast_it_goes() -> None:
    line = Line(Pace(150), 1_000_000)
    line.run(3)
    assert line.most == 150


def test_what_gets_no_answer_makes_room_again() -> None:
    pace = Pace(100)
    pace.tell(pace.free, 0.0)
    assert pace.free == 0
    pace.forget(pace.outstanding)
    assert pace.outstanding == 0
    assert pace.free == int(pace.window)


@pytest.mark.parametrize("action", list(Action))
def test_only_actions_on_many_can_be_asked_of_many(action: Action) -> None:
    info = ACTIONS[action]
    details = ActionDetails(state=info.targets[0] if info.targets else None, labels={})
    if info.bulk:
        check(action, ONE, details, 10)
    else:
        with pytest.raises(OperationRefused, match="works on one execution"):
            check(action, ONE, details, 10)


@pytest.mark.parametrize(
    ("action", "selection", "details", "message"),
    [
        (Action.KILL, Selection(), {}, "Expected ids or filters, got neither"),
        (Action.KILL, Selection.of_ids([]), {}, "at least one execution id"),
        (Action.KILL, Selection.of_ids(["a", "b", "c"]), {}, r"at most 2 ids \(WATCHFLOOR_BULK_MAX_IDS\), got 3"),
        (Action.CHANGE_STATUS, ONE, {}, "state: .*one of SUCCESS"),
        (Action.UNQUEUE, ONE, {"state": State.SUCCESS}, "one of RUNNING, CANCELLED, FAILED, came SUCCESS"),
        (Action.LABELS, ONE, {}, "labels: "),
    ],
)
def test_what_no_execution_could_be_asked_for_is_refused(
    action: Action, selection: Selection, details: dict, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        check(action, selection, ActionDetails(**details), 2)


def test_labels_of_the_system_are_refused() -> None:
    with pytest.raises(LabelRefused, match=r"system\.x"):
        check(Action.LABELS, ONE, ActionDetails(labels={"system.x": "1"}), 2)


def test_ids_count_once() -> None:
    assert Selection.of_ids(["a", "b", "a"]).ids == ("a", "b")
