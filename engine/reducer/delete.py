"""Delete: an execution goes, with what is ticked of its logs, metrics and files; what still runs is killed first."""

from __future__ import annotations

from typing import get_args

from engine.effects import CancelTimer, SetTimer, StopTasks, Submit, WriteLog
from engine.reducer.draft import Draft
from engine.reducer.env import Applied
from engine.reducer.kill import open_runs, stop
from engine.states import TERMINAL
from streaming.messages import ActionRequested, Removable

LOGS = "logs"
_OF_IT = (SetTimer, CancelTimer, Submit)


def delete(draft: Draft, event: ActionRequested) -> str | None:
    """Remove it when it has ended, with what runs after its end; else kill it, and remove it then."""
    draft.set(deletion=event.removes)
    if draft.state not in TERMINAL:
        stop(draft, event)
    elif attempts := tuple(run.last_attempt_id for run in open_runs(draft) if run.attempts):
        draft.effect(StopTasks(draft.id, attempts))
    return None


def is_over(draft: Draft) -> bool:
    """Whether it is to go now."""
    return draft.execution.deletion is not None and draft.state in TERMINAL


def removed(draft: Draft) -> Applied:
    """Nothing of the execution is left. What others are to hear of its end they hear."""
    kept = kept_of(draft.execution.deletion or ())
    applied = draft.applied()
    unwanted = _OF_IT if LOGS in kept else (*_OF_IT, WriteLog)
    effects = tuple(effect for effect in applied.effects if not isinstance(effect, unwanted))
    return Applied(None, effects=effects, answers=applied.answers, keeps=kept)


def kept_of(removes: tuple[Removable, ...]) -> tuple[Removable, ...]:
    """What stays when ``removes`` goes."""
    return tuple(part for part in get_args(Removable) if part not in removes)
