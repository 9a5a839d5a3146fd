"""An execution and the slots of its flow: it asks before it begins (or begins again), and gives back at its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.effects import Emit
from engine.ids import derived_id
from engine.reducer.draft import Draft
from engine.reducer.kill import end_now, open_runs
from engine.reducer.lifecycle import tell_parent
from engine.slots import gate_id
from engine.states import TERMINAL, State
from streaming.messages import Decision, SlotAsked, SlotDecided, SlotFreed

if TYPE_CHECKING:
    from engine.flow.model import Concurrency

_WAITING = frozenset({State.CREATED, State.RESTARTED, State.QUEUED})


def begin_or_ask(draft: Draft, begin: Callable[[Draft], None]) -> None:
    """Begin at once; where the flow limits its executions, ask for a slot and begin when it is granted."""
    limit = draft.plan.flow.concurrency if draft.plan.flow else None
    if limit is None or draft.execution.slot is not None:
        draft.become(State.RUNNING)
        begin(draft)
        return
    draft.set(slot=gate_id(draft.execution.namespace, draft.execution.flow_id))
    _ask(draft, limit)


def begin_past_limit(draft: Draft, begin: Callable[[Draft], None]) -> None:
    """Begin now, whatever the limit says. The gate hears of it: it holds a slot, in place of one in the queue."""
    limit = draft.plan.flow.concurrency if draft.plan.flow else None
    if limit is not None:
        draft.set(slot=gate_id(draft.execution.namespace, draft.execution.flow_id))
        _ask(draft, limit, forced=True)
    draft.become(State.RUNNING)
    begin(draft)


def _ask(draft: Draft, limit: Concurrency, *, forced: bool = False) -> None:
    execution = draft.execution
    draft.effect(
        Emit(
            SlotAsked(
                event_id=derived_id("slot-forced" if forced else "slot-asked", draft.id, execution.attempt_number),
                execution_id=execution.slot or "",
                at=draft.at,
                asker=draft.id,
                attempt=execution.attempt_number,
                revision=execution.revision,
                limit=limit.limit,
                behavior=limit.behavior,
                forced=forced,
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
    draft.set(slot=None)  # none was given
    end_unstarted(draft, State.FAILED if decision == "FAIL" else State.CANCELLED, why)


def end_unstarted(draft: Draft, state: State, why: str) -> None:
    """End one that waits to begin as FAILED or CANCELLED; nothing of it runs."""
    draft.log(None, "ERROR" if state is State.FAILED else "WARN", f"not started: {why}")
    if state is State.FAILED:
        draft.note_error(None, why)
    for run in open_runs(draft):  # a new execution has them, made of another
        end_now(draft, run)
    draft.become(state)
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
