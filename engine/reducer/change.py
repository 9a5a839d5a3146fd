"""Change status: a person says how an execution has ended."""

from __future__ import annotations

from engine.reducer.draft import Draft
from engine.states import State, wrong_target
from streaming.messages import ActionRequested


def change_status(draft: Draft, event: ActionRequested) -> str | None:
    """Append the state to an execution that has ended; nothing in it runs because of that."""
    if (wrong := wrong_target(event.action, event.state)) is not None:
        return wrong
    draft.log(None, "WARN", f"changed from {draft.state} to {event.state} by {event.actor}{why(event)}")
    end_by_hand(draft, event.state or draft.state, f"changed to {event.state} by {event.actor}")
    return None


def end_by_hand(draft: Draft, state: State, message: str) -> None:
    """Give an ended execution another end. A SUCCESS has no error, and a FAILED one says at least who made it so."""
    draft.become(state, by_hand=True)
    if state is State.SUCCESS:
        draft.error = draft.failed_task = None
    elif state is State.FAILED and draft.error is None:
        draft.error = message


def why(event: ActionRequested) -> str:
    """The reason that was given, as the end of a line."""
    return f": {event.reason}" if event.reason else ""
