"""Unqueue: an execution that waits for a slot of its flow waits no longer."""

from __future__ import annotations

from engine.reducer.draft import Draft
from engine.reducer.restart import run_what_is_left
from engine.reducer.slots import begin_past_limit, end_unstarted
from engine.states import State, wrong_target
from streaming.messages import ActionRequested


def unqueue(draft: Draft, event: ActionRequested) -> str | None:
    """Begin past the limit (RUNNING, also where no state is asked for), or end it; its place in the queue is gone."""
    target = event.state or State.RUNNING
    if (wrong := wrong_target(event.action, target)) is not None:
        return wrong
    by = f"taken out of the queue by {event.actor}"
    if target is State.RUNNING:
        draft.log(None, "INFO", f"{by}, past the limit")
        begin_past_limit(draft, run_what_is_left)
    else:
        end_unstarted(draft, target, by + (f": {event.reason}" if event.reason else ""))
    return None
