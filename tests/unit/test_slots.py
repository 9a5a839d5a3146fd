"""The gate of a flow: slots given, queued for, given back, in any order and however many."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime

from engine.slots import HELD, Gate, gate_id, gate_of, take_turn
from streaming.messages import SlotAsked, SlotEvent, SlotFreed, SlotLimited
from tests.unit.steps import steps

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GATE = gate_id("company.team", "backup")
EMPTY = gate_of(GATE, {})


def asks(asker: str, limit: int = 1, behavior: str = "QUEUE", revision: int = 1, attempt: int = 1) -> SlotAsked:
    return SlotAsked(f"a-{asker}", GATE, NOW, asker, attempt, revision, limit, behavior)  # type: ignore[arg-type]


def frees(holder: str) -> SlotFreed:
    return SlotFreed(f"f-{holder}", GATE, NOW, holder)


def play(gate: Gate, *events: SlotEvent) -> tuple[Gate, list[str]]:
    """The gate after ``events``, and what it decided."""
    said = []
    for event in events:
        turn = take_turn(gate, event)
        gate = turn.gate
        said += [f"{decision.execution_id} {decision.decision}" for decision in turn.decisions]
    return gate, said


def test_the_oldest_gets_the_slot_that_is_given_back() -> None:
    gate, said = play(EMPTY, asks("a"), asks("b"), asks("c"), frees("a"), frees("b"))
    assert said == ["a GRANTED", "b QUEUED", "c QUEUED", "b GRANTED", "c GRANTED"]
    assert gate.held == 1
    assert not gate.queue


def test_behaviors_refuse_without_keeping_anything() -> None:
    gate, said = play(EMPTY, asks("a"), asks("b", behavior="CANCEL"), asks("c", behavior="FAIL"), frees("b"))
    assert said == ["a GRANTED", "b CANCEL", "c FAIL"]
    assert set(gate.slots) == {"a"}


def test_what_is_delivered_twice_changes_nothing_and_is_answered_again() -> None:
    once, _ = play(EMPTY, asks("a"), asks("b"))
    twice, said = play(once, asks("a"), asks("b"), frees("nobody"))
    assert twice == once
    assert said == ["a GRANTED", "b QUEUED"]


def test_a_place_in_the_queue_is_given_back_too() -> None:
    gate, said = play(EMPTY, asks("a"), asks("b"), asks("c"), frees("b"), frees("a"))
    assert said[-1] == "c GRANTED"
    assert set(gate.slots) == {"c"}


def test_the_newest_revision_rules() -> None:
    gate, said = play(
        EMPTY, asks("a"), asks("b"), asks("c"), SlotLimited("l", GATE, NOW, 2, 2), asks("d", limit=1, revision=1)
    )
    assert said == ["a GRANTED", "b QUEUED", "c QUEUED", "b GRANTED", "d QUEUED"]
    assert gate.limit == 2
    gate, said = play(gate, SlotLimited("m", GATE, NOW, 3, None))
    assert said == ["c GRANTED", "d GRANTED"]
    assert gate.held == 4


def test_a_lower_limit_lets_those_that_run_go_on() -> None:
    gate, _ = play(EMPTY, asks("a", 2), asks("b", 2), asks("c", 2), SlotLimited("l", GATE, NOW, 2, 1))
    gate, said = play(gate, frees("a"))
    assert said == []
    assert play(gate, frees("b"))[1] == ["c GRANTED"]


def test_the_store_gives_the_same_gate_back() -> None:
    gate, _ = play(EMPTY, asks("a"), asks("b"), asks("c"), asks("d"), frees("b"))
    again = gate_of(GATE, dict(gate.slots), revision=gate.revision, limit=gate.limit)
    assert play(again, frees("a"), frees("c"))[1] == play(gate, frees("a"), frees("c"))[1] == ["c GRANTED", "d GRANTED"]


def test_any_order_keeps_the_limit_and_starves_nobody() -> None:
    for seed in range(30):
        dice = random.Random(seed)
        gate, waiting, limit = EMPTY, [], dice.randint(1, 4)
        names = iter(f"x{n}" for n in range(200))
        for _ in range(150):
            event: SlotEvent = asks(next(names), limit)
            if gate.slots and dice.random() < 0.55:
                event = frees(dice.choice(sorted(gate.slots)))
            gate, said = play(gate, event)
            waiting += [line.split()[0] for line in said if line.endswith("QUEUED")]
            if isinstance(event, SlotFreed) and event.holder in waiting:
                waiting.remove(event.holder)
            for granted in (line.split()[0] for line in said if line.endswith("GRANTED")):
                assert granted not in waiting or granted == waiting.pop(0)
            check(gate, limit, waiting)


def check(gate: Gate, limit: int, waiting: Iterable[str]) -> None:
    """The counts are those of the slots, the limit holds, and nobody waits beside a free slot."""
    held = [name for name, slot in gate.slots.items() if slot.place == HELD]
    assert gate.held == len(held) <= limit
    assert [gate.queue[place] for place in sorted(gate.queue)] == list(waiting)
    assert not gate.queue or gate.held == limit


def test_an_event_costs_the_same_however_many_are_in_the_queue() -> None:
    def cost(count: int) -> int:
        gate, _ = play(EMPTY, *(asks(f"x{n}") for n in range(count)))
        return steps(lambda: play(gate, *(frees(f"x{n}") for n in range(100))))[1]

    assert cost(5_000) == cost(200)
