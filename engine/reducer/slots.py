"""An execution and the slots of its flow: it asks before it begins (or begins again), and gives back at its end."""

from __future__ import annotations

from collections.abc import Callable

from engine.effects import Emit
from engine.ids import derived_id
from engine.reducer.draft import Draft
from engine.reducer.lifecycle import tell_parent
from engine.slots import gate_id
from engine.states import TERMINAL, State
from streaming.messages import Decision, SlotAsked, SlotDecided, SlotFreed

_WAITING = frozenset({State.CREATED, State.RESTARTED, State.QUEUED})


def begin_or_ask(draft: Draft, begin: Callable[[Draft], None]) -> None:
    """Begin at once; where the flow limits its executions, ask for a slot and begin when it is granted."""
    limit = draft.plan.flow.concurrency if draft.plan.flow else None
    if limit is None or draft.execution.slot is not None:
        draft.become(State.RUNNING)
        begin(draft)
        return
    execution = draft.execution
    gate = gate_id(execution.namespace, execution.flow_id)
    draft.set(slot=gate)
    draft.effect(
        Emit(
            SlotAsked(
                event_id=derived_id("slot-asked", draft.id, execution.attempt_number),
                execution_id=gate,
                at=draft.at,
                asker=draft.id,
                attempt=execution.attempt_number,
                revision=execution.revision,
                limit=limit.limit,
                behavior=limit.behavior,
            )
        )
    )


def slot_decided(draft: Draft, event: SlotDecided, begin: Callable[[Draft], None]) -> bool:
    """The gate's answer. False when it is old, or known."""
    execution = draft.execution
    if draft.state not in _WAITING or event.attempt != execution.attempt_number or event.gate != execution.slot:
        return False
    if event.decision == "GRANTED":
        draft.become(State.RUNNING)
        begin(draft)
        return True
    if event.decision == "QUEUED":
        if draft.state is State.QUEUED:
            return False
        draft.become(State.QUEUED)
        return True
    _refused(draft, event.decision, event.limit)
    return True


def _refused(draft: Draft, decision: Decision, limit: int) -> None:
    many = "execution" if limit == 1 else "executions"
    why = f"the flow runs {limit} {many} at a time (concurrency), and its behavior is {decision}"
    draft.log(None, "WARN" if decision == "CANCEL" else "ERROR", f"not started: {why}")
    draft.set(slot=None)  # none was given
    if decision == "FAIL":
        draft.note_error(None, why)
    draft.become(State.FAILED if decision == "FAIL" else State.CANCELLED)
    tell_parent(draft)


def give_back(draft: Draft) -> None:
    """At the end the slot is free again, or the place in the queue."""
    if draft.state in TERMINAL and draft.execution.slot is not None:
        draft.effect(Emit(freed(draft.execution.slot, draft)))
        draft.set(slot=None)


def freed(gate: str, draft: Draft) -> SlotFreed:
    """What tells the gate."""
    return SlotFreed(
        event_id=derived_id("slot-freed", draft.id, draft.execution.attempt_number),
        execution_id=gate,
        at=draft.at,
        holder=draft.id,
    )
