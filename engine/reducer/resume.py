"""Pause and resume, by hand."""

from __future__ import annotations

from engine.inputs import InputError, read_inputs
from engine.model import TaskRun
from engine.reducer.draft import Draft
from engine.reducer.held import begin_what_waits
from engine.reducer.pause import resume_pause
from engine.reducer.plan import Kind
from engine.states import State
from streaming.messages import ActionRequested


def pause(draft: Draft, event: ActionRequested) -> str | None:
    """Nothing new begins; what runs goes on to its end."""
    draft.log(None, "INFO", f"paused by {event.actor}")
    draft.set(paused_by_hand=True)
    return None


def resume(draft: Draft, event: ActionRequested) -> str | None:
    """Go on: after a pause by hand with all that waited, else with the Pause task that is meant."""
    if draft.execution.paused_by_hand:
        go_on(draft)
    elif (run := _paused_run(draft, event.task_run_id)) is None:
        return f"Task run {event.task_run_id} is not a paused one."
    else:
        try:
            inputs = read_inputs(draft.node(run).task.onResume, event.inputs)
        except InputError as error:
            return f"The inputs don't fit: {error}"
        resume_pause(draft, run, inputs, event.actor)
    draft.log(None, "INFO", f"resumed by {event.actor}")
    return None


def go_on(draft: Draft) -> None:
    """Begin what was held back by a pause by hand."""
    draft.set(paused_by_hand=False)
    begin_what_waits(draft)


def _paused_run(draft: Draft, task_run_id: str | None) -> TaskRun | None:
    paused = [
        run
        for run in draft.execution.task_runs.values()
        if run.state is State.PAUSED and draft.node(run).kind is Kind.PAUSE and task_run_id in (None, run.id)
    ]
    return min(paused, key=lambda run: (run.history[-1].date, run.iteration or 0, run.id), default=None)
