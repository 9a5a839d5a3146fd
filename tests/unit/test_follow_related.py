"""Who is followed with an execution, and what of them is new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard.api import sse
from dashboard.api.follow_related import Family, Wish, _events
from data.namespaces import inside
from engine.states import State
from streaming.gateway.answers import Answers, Follower
from streaming.messages import ExecutionDelta, ExecutionRow
from tests.unit.gateway_world import Clock, row

# e1 runs e2 and is replayed as e3; e2 triggers e4, which runs e5; e6 is another subflow of e1, e7 one of e6.
PARENTS = {2: 1, 3: 1, 5: 4, 6: 1, 7: 6}
TRIGGERED = {2: 1, 4: 2, 5: 4, 6: 1, 7: 6}
HIDDEN = {4: "secret.place"}


class House:
    """A store of a few rows, and answers."""

    def __init__(self, *numbers: int) -> None:
        self.held = {made.id: made for made in map(member, numbers)}
        self.lingering: set[str] = set()
        self.asked = 0
        self.answers = Answers()
        self.follower = Follower()

    def rows(self, ids: Sequence[str]) -> dict[str, ExecutionRow]:
        return {one: self.held[one] for one in ids if one in self.held}

    def children(self, *ids: str, within: Sequence[str] | None, limit: int) -> list[ExecutionRow]:
        self.asked += 1
        found = [one for one in self.held.values() if one.parent_id in ids or one.triggered_by in ids]
        return [one for one in found if inside(one.namespace, within)][:limit]

    def going_on(self, ids: Sequence[str]) -> set[str]:
        return self.lingering & set(ids)

    def api(self, answers: Any = None) -> Any:
        def read(work: Callable[[], Any]) -> Any:
            return work()

        return SimpleNamespace(store=self, answers=answers or self.answers, read=read)

    def family(self, number: int, *, down: bool = False, far: bool = False, within: Any = None) -> Family:
        return Family(self.api(), name(number), Wish(down, far, within), self.follower)

    def events(
        self, number: int, rows: Iterable[ExecutionRow], monkeypatch: pytest.MonkeyPatch, within: Any = None
    ) -> Iterator[tuple[float, str]]:
        """Events with the second at which they come, while these rows are heard of, one each second."""
        told = Told(rows)
        monkeypatch.setattr("dashboard.api.follow_related.time", SimpleNamespace(monotonic=told.clock))
        begun = told.clock()
        for event in _events(self.api(told), name(number), Wish(False, False, within)):
            yield told.clock() - begun, event if event == sse.KEEP_ALIVE else event.split()[1]

    def changed(self, number: int, **changes: Any) -> ExecutionRow:
        """A newer row, in the store."""
        made = member(number, **changes)
        self.held[made.id] = made
        return made


class Told(Answers):
    """Answers of which one follower hears these rows, one each second; after them there is silence."""

    def __init__(self, rows: Iterable[ExecutionRow]) -> None:
        super().__init__()
        self.clock = Clock()
        self._left = iter(rows)

    @contextmanager
    def follow(self, *ids: str) -> Iterator[Follower]:
        with super().follow(*ids) as follower:
            follower.get = self._get  # type: ignore[method-assign]
            yield follower

    def _get(self, timeout: float) -> ExecutionDelta | None:
        row = next(self._left, None) if timeout >= 1 else None
        self.clock.seconds += 1 if row else timeout
        return ExecutionDelta(row) if row else None


def name(number: int) -> str:
    return f"e{number:04}"


def member(number: int, **changes: Any) -> ExecutionRow:
    parent, by = PARENTS.get(number), TRIGGERED.get(number)
    more: dict[str, Any] = {"namespace": HIDDEN.get(number, "company.team"), "state": State.RUNNING} | changes
    return row(number, parent_id=parent and name(parent), triggered_by=by and name(by), **more)


def numbers(rows: Sequence[ExecutionRow]) -> str:
    return " ".join(one.id[-1] for one in rows)


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({}, "2 1 4"),
        ({"down": True}, "2 4"),
        ({"far": True}, "2 1 4 5"),
        ({"far": True, "down": True}, "2 4 5"),
        ({"far": True, "within": ("company",)}, "2 1"),
        ({"within": ("company", "secret")}, "2 1 4"),
    ],
)
def test_related_are_those_above_and_below(wish: dict[str, Any], found: str) -> None:
    assert numbers(House(*range(1, 8)).family(2, **wish).look()) == found


def test_what_is_above_brings_along_nothing_else() -> None:
    assert numbers(House(*range(1, 8)).family(5, far=True).look()) == "5 4 2 1"
    assert numbers(House(*range(1, 8)).family(1).look()) == "1 2 3 6"


def test_only_another_state_is_news() -> None:
    house = House(1, 2)
    family = house.family(1)
    assert numbers(family.look()) == "1 2"
    assert family.look() == family.take(house.changed(2, version=2)) == []
    ended = house.changed(2, version=4, state=State.SUCCESS)
    assert family.take(ended) == [ended]
    assert family.take(member(2, version=3, state=State.PAUSED)) == family.look() == []


def test_one_that_appears_brings_along_what_it_has_made_meanwhile() -> None:
    house = House(1)
    family = house.family(1, far=True)
    family.look()
    first = house.changed(6)
    house.changed(7)
    assert numbers(family.take(first)) == "6 7"
    assert {name(6), name(7)} <= house.follower.below


def test_all_is_over_when_nobody_goes_on_not_even_after_its_end() -> None:
    house = House(1, 2)
    family = house.family(1)
    family.look()
    assert not family.over
    for number in (1, 2):
        family.take(house.changed(number, version=2, state=State.SUCCESS))
    assert family.over
    house.lingering = {name(2)}
    assert family.look() == []
    assert not family.over
    house.lingering = set()
    family.look()
    assert family.over
    family.take(house.changed(2, version=3, state=State.RESTARTED))
    assert not family.over


def test_what_was_removed_is_waited_for_no_longer() -> None:
    house = House(1, 2)
    family = house.family(1)
    family.look()
    family.take(house.changed(1, version=2, state=State.SUCCESS))
    assert not family.over
    del house.held[name(2)]
    family.look()
    assert family.over
    assert family.root is not None
    del house.held[name(1)]
    assert family.look() == []
    assert family.root is None


def test_no_more_are_followed_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.api.follow_related.RELATED_MAX", 2)
    house = House(1, 2, 3)
    family = house.family(1, far=True)
    assert numbers(family.look()) == "1 2 3"
    assert not family.full
    assert family.take(house.changed(6)) == family.look() == []
    assert family.full


def test_while_there_are_too_many_no_more_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.api.follow_related.RELATED_MAX", 2)
    house = House(1, 2, 3, 6, 7)
    family = house.family(1, far=True)
    assert numbers(family.look()) == "1 2 3"
    assert family.full
    asked = house.asked
    assert family.look() == family.take(house.changed(2, version=2)) == []
    assert house.asked == asked
    del house.held[name(2)]
    assert numbers(family.look()) == "6"
    assert family.full
    del house.held[name(3)]
    assert numbers(family.look()) == "7"
    assert not family.full


def test_a_sign_of_life_comes_whatever_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(1)
    busy = (house.changed(1, version=version) for version in range(2, 25))
    told = list(zip(house.events(1, busy, monkeypatch), range(3), strict=False))
    assert [event for event, _ in told] == [(0, "progress"), (10, sse.KEEP_ALIVE), (20, sse.KEEP_ALIVE)]


@pytest.mark.parametrize(("within", "most"), [(("company",), 500), (None, 0)])
def test_what_is_not_of_the_family_does_not_put_off_the_end(
    monkeypatch: pytest.MonkeyPatch, within: Any, most: int
) -> None:
    monkeypatch.setattr("dashboard.api.follow_related.RELATED_MAX", most)
    house = House(2, 4)
    house.changed(2, version=2, state=State.SUCCESS)
    busy = (house.changed(4, version=version) for version in range(2, 100))
    told = dict(reversed(event) for event in house.events(2, busy, monkeypatch, within))
    assert told == {"progress": 0, "end": 2} | ({} if most else {"capped": 0})


def test_the_family_is_heard_of_through_one_follower() -> None:
    house = House(*range(1, 8))
    house.family(2).look()
    house.answers.take(ExecutionDelta(member(number)) for number in range(1, 8))
    heard = list(iter(lambda: house.follower.get(0), None))
    assert numbers([delta.row for delta in heard]) == "1 2 4"
