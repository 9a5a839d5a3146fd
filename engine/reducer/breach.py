"""What a broken promise does to the execution: its behavior says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.ids import derived_id
from engine.reducer import sla as promises
from engine.reducer.draft import Draft
from engine.reducer.kill import stop
from engine.states import TERMINAL, Action, State
from streaming.messages import ActionRequested

if TYPE_CHECKING:
    from engine.flow import Sla

_RUNS = frozenset({State.RUNNING, State.PAUSED, State.RETRYING, State.BREAKPOINT})


def check(draft: Draft) -> None:
    """After each event: look whether what must hold still does."""
    if draft.state in _RUNS:
        for sla in promises.broken(draft):
            _breach(draft, sla)


def took_too_long(draft: Draft, sla_id: str) -> bool:
    """A duration is over. False when the execution is, or is about to be."""
    sla = promises.overdue(draft, sla_id)
    if sla is None or draft.state in TERMINAL or draft.state is State.KILLING or sla.id in draft.execution.breached:
        return False
    _breach(draft, sla)
    return True


def _breach(draft: Draft, sla: Sla) -> None:
    message = promises.note(draft, sla)
    if sla.behavior in promises.ENDS and draft.state is not State.KILLING:
        event_id = derived_id("sla", draft.id, draft.execution.attempt_number, sla.id)
        stop(draft, ActionRequested(event_id, draft.id, draft.at, Action.KILL, f"SLA {sla.id}", message))
        draft.set(ending=promises.ENDS[sla.behavior])
