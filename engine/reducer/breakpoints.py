"""Breakpoints: the execution stops before a task begins, and goes on when somebody says so.

While it is stopped nothing new begins, wherever it is; what runs goes on to its end.
"""

from __future__ import annotations

from engine.model import TaskRun
from engine.reducer.draft import Draft
from engine.reducer.held import begin_what_waits
from engine.states import TERMINAL, State
from streaming.messages import ActionRequested

_BEFORE = frozenset({State.CREATED, State.RESTARTED})


def stops(draft: Draft, run: TaskRun) -> bool:
    """Whether the execution stops here instead of letting ``run`` begin. After its end (``afterExecution``) nowhere."""
    points = draft.execution.breakpoints
    if not points or run.state not in _BEFORE or run.id == draft.passing or draft.state in TERMINAL:
        return False
    here = run.task_id if run.task_id in points else f"{run.task_id}.{run.value}"
    if here not in points:
        return False
    draft.set(stopped_at=run.id)
    draft.log(None, "INFO", f"stopped at the breakpoint {here}")
    return True


def resume_from_breakpoint(draft: Draft, event: ActionRequested) -> str | None:
    """Go on to the next breakpoint: of those that are given, else of those that were given before."""
    if event.breakpoints:
        draft.set(breakpoints=event.breakpoints)
    draft.log(None, "INFO", f"resumed from the breakpoint by {event.actor}")
    go_past(draft)
    return None


def go_past(draft: Draft) -> None:
    """Begin the task before which it stopped, and all that was held back."""
    here = draft.execution.stopped_at
    draft.set(stopped_at=None)
    if here is not None:
        draft.passing = here
        draft.begin_later(here)
    begin_what_waits(draft)


def go_past_all(draft: Draft) -> None:
    """Go on, and stop nowhere any more."""
    draft.set(breakpoints=())
    go_past(draft)


def go_on_where_it_is_over(draft: Draft) -> None:
    """The task before which it stopped will not begin: it was ended by a timeout, or is gone."""
    here = draft.execution.stopped_at
    if here is None:
        return
    run = draft.runs.get(here)
    if run is None or run.state not in _BEFORE:
        go_past(draft)
