"""What was held back while nothing new began: after a pause by hand, or after a stop at a breakpoint."""

from __future__ import annotations

from engine.model import TaskRun
from engine.reducer.draft import Draft
from engine.reducer.loop import begin_rounds
from engine.reducer.plan import ROOT
from engine.states import State


def begin_what_waits(draft: Draft) -> None:
    """Begin it, in the order in which it came."""
    waiting = [run for run in draft.execution.task_runs.values() if _was_held(draft, run)]
    places = draft.plan.places
    for run in sorted(waiting, key=lambda run: (run.history[-1].date, run.iteration or 0, places[run.task_id], run.id)):
        draft.begin_later(run.id)
    begin_rounds(draft)
    draft.advance_later(ROOT)


def _was_held(draft: Draft, run: TaskRun) -> bool:
    if run.state is State.RETRYING:
        return run.retry_at is not None and run.retry_at <= draft.at
    return run.state in (State.CREATED, State.RESTARTED)
