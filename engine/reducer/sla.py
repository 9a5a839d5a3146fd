"""Promises of a flow about its executions: how long one may take, and what must hold while it runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.effects import CancelTimer, SetTimer
from engine.model import own_labels
from engine.reducer.context import ExpressionFailed, context_of, evaluate
from engine.reducer.draft import Draft
from engine.states import TERMINAL, State
from engine.truth import truth

if TYPE_CHECKING:
    from engine.flow import Sla

SLA_TIMER = "sla"
ENDS = {"FAIL": State.FAILED, "CANCEL": State.CANCELLED}
"""How an execution that breaks one ends, by behavior."""


def watch(draft: Draft) -> None:
    """Begin to measure the durations; anew when it is restarted."""
    for sla in _of(draft, "MAX_DURATION"):
        draft.effect(SetTimer(draft.id, _key(sla), draft.at + timedelta(seconds=sla.duration or 0)))


def forget(draft: Draft) -> None:
    """After the end, that of a kill or of a restart that has nothing to do too, nothing is measured any more."""
    states = (draft.execution.state, *(change.state for change in draft.history[len(draft.execution.history) :]))
    if draft.state in TERMINAL and any(state not in TERMINAL for state in states):
        for sla in _of(draft, "MAX_DURATION"):
            draft.effect(CancelTimer(draft.id, _key(sla)))


def overdue(draft: Draft, sla_id: str) -> Sla | None:
    """The promise that is broken by time; ``None`` when the timer is one of an attempt before."""
    sla = next((one for one in _of(draft, "MAX_DURATION") if one.id == sla_id), None)
    if sla is None or draft.accepted_at < _begun(draft) + timedelta(seconds=sla.duration or 0):
        return None
    return sla


def broken(draft: Draft) -> list[Sla]:
    """Assertions that are false now and were not before. One that names what isn't there yet is not decided."""
    open_ones = [sla for sla in _of(draft, "EXECUTION_ASSERTION") if sla.id not in draft.execution.breached]
    context = context_of(draft) if open_ones else {}
    return [sla for sla in open_ones if not _holds(draft, sla, context)]


def verdict_at_end(draft: Draft, verdict: State) -> State:
    """The end of an execution whose last change may have broken a promise."""
    for sla in broken(draft):
        note(draft, sla)
        verdict = ENDS.get(sla.behavior, verdict)
    return verdict


def note(draft: Draft, sla: Sla) -> str:
    """Keep that a promise is broken, with its labels; the message."""
    why = f"it takes longer than {sla.duration:g} s" if sla.type == "MAX_DURATION" else f"{sla.assert_} is false"
    message = f"SLA {sla.id} is broken: {why}"
    draft.log(None, "ERROR" if sla.behavior == "FAIL" else "WARN", message)
    if sla.behavior == "FAIL":
        draft.note_error(None, message)
    labels = {**draft.execution.labels, **own_labels(sla.labels)}
    draft.set(breached=(*draft.execution.breached, sla.id), labels=labels)
    return message


def _of(draft: Draft, kind: str) -> list[Sla]:
    flow = draft.plan.flow
    return [sla for sla in flow.sla if sla.type == kind] if flow is not None and flow.sla else []


def _holds(draft: Draft, sla: Sla, context: dict[str, object]) -> bool:
    try:
        return truth(evaluate(draft, sla.assert_, context))
    except ExpressionFailed:
        return True


def _begun(draft: Draft) -> datetime:
    dates = [change.date for change in draft.history if change.state is State.RESTARTED]
    return dates[-1] if dates else draft.history[0].date


def _key(sla: Sla) -> str:
    return f"{SLA_TIMER}:{sla.id}"
