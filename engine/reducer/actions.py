"""What operators ask for. Each action gives ``None`` when it is done, or says why it isn't; then nothing changes."""

from __future__ import annotations

from collections.abc import Callable

from engine.reducer.anew import replay
from engine.reducer.breakpoints import resume_from_breakpoint
from engine.reducer.change import change_status
from engine.reducer.change_state import change_state
from engine.reducer.delete import delete
from engine.reducer.draft import Draft
from engine.reducer.force import force_run
from engine.reducer.kill import kill
from engine.reducer.labels import set_labels
from engine.reducer.restart import restart
from engine.reducer.resume import pause, resume
from engine.reducer.unqueue import unqueue
from engine.states import Action, refusal
from streaming.messages import ActionRequested, Answer

_REMEMBERED = 20


def act(draft: Draft, event: ActionRequested) -> bool:
    """Carry an action out, with its answer. False when nothing changes."""
    if event.event_id in draft.execution.recent_actions:
        return False
    refused = refusal(event.action, draft.state, insist=event.include_non_terminated)
    refused = refused or _ACTIONS[event.action](draft, event)
    draft.answers.append(Answer(event.event_id, event.action, refused, draft.made))
    if refused is not None:
        return False
    draft.set(recent_actions=(*draft.execution.recent_actions, event.event_id)[-_REMEMBERED:])
    return True


_ACTIONS: dict[Action, Callable[[Draft, ActionRequested], str | None]] = {
    Action.KILL: kill,
    Action.PAUSE: pause,
    Action.RESUME: resume,
    Action.RESTART: restart,
    Action.REPLAY: replay,
    Action.RESUME_FROM_BREAKPOINT: resume_from_breakpoint,
    Action.FORCE_RUN: force_run,
    Action.UNQUEUE: unqueue,
    Action.CHANGE_STATUS: change_status,
    Action.CHANGE_STATE: change_state,
    Action.LABELS: set_labels,
    Action.DELETE: delete,
}
