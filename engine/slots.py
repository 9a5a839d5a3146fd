"""Slots: how many executions of one flow may run at once, who holds one and who waits.

Each flow with ``concurrency`` has one gate. Executions ask it and give back by events, so that a gate and its
executions may live in different executors; events of a gate name it where others name an execution. Pure.
"""

from __future__ import annotations

from datetime import datetime

import immutables
import msgspec

from engine.ids import derived_id
from engine.model import evolve
from streaming.messages import Decision, SlotAsked, SlotDecided, SlotEvent, SlotFreed, SlotLimited

HELD = 0
"""The ``place`` of who holds a slot; those who wait count from 1."""


class Slot(msgspec.Struct, frozen=True):
    """What is kept of one execution at a gate: the attempt that asked, and its place."""

    attempt: int
    place: int


class Gate(msgspec.Struct, frozen=True):
    """The slots of one flow. ``limit`` ``None``: no limit any more. ``revision`` is the flow's that said so.

    ``slots`` are all who hold or wait by execution id, ``queue`` who waits by place; places below ``first`` are empty.
    """

    id: str
    namespace: str
    flow_id: str
    revision: int = 0
    limit: int | None = None
    held: int = 0
    slots: immutables.Map[str, Slot] = immutables.Map()
    queue: immutables.Map[int, str] = immutables.Map()
    first: int = 1
    last: int = 0


class Turn(msgspec.Struct, frozen=True):
    """What an event makes of a gate: ``changed`` are the executions whose slot is another now (or gone)."""

    gate: Gate
    changed: tuple[str, ...] = ()
    decisions: tuple[SlotDecided, ...] = ()


def gate_id(namespace: str, flow_id: str) -> str:
    """The id that events of a flow's gate carry."""
    return f"slots/{namespace}/{flow_id}"


def gate_of(id: str, slots: dict[str, Slot], **fields: object) -> Gate:
    """A gate as it comes back from the store."""
    _, namespace, flow_id = id.split("/")
    waiting = {slot.place: execution_id for execution_id, slot in slots.items() if slot.place != HELD}
    gate = Gate(id, namespace, flow_id, slots=immutables.Map(slots), queue=immutables.Map(waiting))
    held = len(slots) - len(waiting)
    return evolve(gate, held=held, first=min(waiting, default=1), last=max(waiting, default=0), **fields)


def take_turn(gate: Gate, event: SlotEvent) -> Turn:
    """Apply ``event`` to ``gate``. One that is delivered twice is answered twice and changes nothing."""
    match event:
        case SlotAsked():
            return _asked(_ruled(gate, event.revision, event.limit), event)
        case SlotFreed():
            return _freed(gate, event)
        case SlotLimited():
            return _serve(_ruled(gate, event.revision, event.limit), event.at)


def _ruled(gate: Gate, revision: int, limit: int | None) -> Gate:
    """The newest revision of the flow rules, whichever revision asks."""
    return evolve(gate, revision=revision, limit=limit) if revision >= gate.revision else gate


def _asked(gate: Gate, event: SlotAsked) -> Turn:
    known = gate.slots.get(event.asker)
    if event.forced and (known is None or known.place != HELD):
        return _force(gate, event, known)
    if known is not None:
        renewed = evolve(known, attempt=event.attempt)
        gate = evolve(gate, slots=gate.slots.set(event.asker, renewed))
        decision: Decision = "GRANTED" if known.place == HELD else "QUEUED"
        return Turn(gate, (event.asker,), (_decided(gate, event.asker, event.attempt, decision, event.at),))
    if gate.limit is None or gate.held < gate.limit:
        return _grant(gate, event.asker, event.attempt, event.at)
    if event.behavior != "QUEUE":
        return Turn(gate, (), (_decided(gate, event.asker, event.attempt, event.behavior, event.at),))
    place = gate.last + 1
    waiting = evolve(
        gate,
        last=place,
        slots=gate.slots.set(event.asker, Slot(event.attempt, place)),
        queue=gate.queue.set(place, event.asker),
    )
    return Turn(waiting, (event.asker,), (_decided(gate, event.asker, event.attempt, "QUEUED", event.at),))


def _force(gate: Gate, event: SlotAsked, known: Slot | None) -> Turn:
    """Whoever runs by force holds a slot past the limit: the others wait until fewer than that run."""
    if known is not None:
        gate = evolve(gate, queue=gate.queue.delete(known.place))
    return _grant(gate, event.asker, event.attempt, event.at)


def _freed(gate: Gate, event: SlotFreed) -> Turn:
    slot = gate.slots.get(event.holder)
    if slot is None:
        return Turn(gate)
    held = slot.place == HELD
    queue = gate.queue if held else gate.queue.delete(slot.place)
    slots = gate.slots.delete(event.holder)
    served = _serve(evolve(gate, slots=slots, queue=queue, held=gate.held - held), event.at)
    return evolve(served, changed=(event.holder, *served.changed))


def _serve(gate: Gate, at: datetime) -> Turn:
    """Give free slots to those who wait longest."""
    changed: list[str] = []
    decisions: list[SlotDecided] = []
    while gate.queue and (gate.limit is None or gate.held < gate.limit):
        place = gate.first
        while place not in gate.queue:
            place += 1
        asker = gate.queue[place]
        gate = evolve(gate, first=place + 1, queue=gate.queue.delete(place))
        turn = _grant(gate, asker, gate.slots[asker].attempt, at)
        gate = turn.gate
        changed += turn.changed
        decisions += turn.decisions
    return Turn(gate, tuple(changed), tuple(decisions))


def _grant(gate: Gate, asker: str, attempt: int, at: datetime) -> Turn:
    granted = evolve(gate, held=gate.held + 1, slots=gate.slots.set(asker, Slot(attempt, HELD)))
    return Turn(granted, (asker,), (_decided(gate, asker, attempt, "GRANTED", at),))


def _decided(gate: Gate, asker: str, attempt: int, decision: Decision, at: datetime) -> SlotDecided:
    event_id = derived_id("slot", gate.id, asker, attempt, decision)
    return SlotDecided(event_id, asker, at, gate.id, attempt, decision, gate.limit or 0)
