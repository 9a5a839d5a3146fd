"""An execution that begins at a date: CREATED until then."""

from __future__ import annotations

from collections.abc import Callable

from engine.effects import CancelTimer, SetTimer
from engine.reducer.draft import Draft
from engine.reducer.sla import watch
from engine.reducer.slots import begin_or_ask
from engine.states import State

START_TIMER = "start"


def begin_when_due(draft: Draft, begin: Callable[[Draft], None]) -> None:
    """Begin (or ask for a slot) now, unless its date is still to come."""
    date = draft.execution.schedule_date
    if date is not None and date > draft.at:
        draft.effect(SetTimer(draft.id, START_TIMER, date))
        return
    watch(draft)
    begin_or_ask(draft, begin)


def start_due(draft: Draft, begin: Callable[[Draft], None]) -> bool:
    """Its date has come. False when it has begun, asked for a slot or ended meanwhile."""
    date = draft.execution.schedule_date
    waits = draft.state is State.CREATED and draft.execution.slot is None
    if not waits or date is None or date > draft.accepted_at:
        return False
    watch(draft)
    begin_or_ask(draft, begin)
    return True


def forget_start(draft: Draft) -> None:
    """What has begun, or ended, begins at no date any more."""
    item = draft.execution
    if item.schedule_date is not None and item.state is State.CREATED and draft.state is not State.CREATED:
        draft.effect(CancelTimer(draft.id, START_TIMER))
