"""What operators ask for. Each action gives ``None`` when it is done, or says why it isn't; then nothing changes."""

from __future__ import annotations

from collections.abc import Callable

from engine.inputs import InputError, read_inputs
from engine.model import TaskRun
from engine.reducer.draft import Draft
from engine.reducer.kill import kill
from engine.reducer.loop import begin_rounds
from engine.reducer.pause import resume_pause
from engine.reducer.plan import ROOT, Kind
from engine.reducer.restart import restart
from engine.states import ACTIONS, Action, State, refusal
from streaming.messages import ActionRequested, Answer

_REMEMBERED = 20


def act(draft: Draft, event: ActionRequested) -> bool:
    """Carry an action out, with its answer. False when nothing changes."""
    if event.event_id in draft.execution.recent_actions:
        return False
    refused = refusal(event.action, draft.state, insist=event.include_non_terminated)
    refused = refused or _ACTIONS.get(event.action, _unknown)(draft, event)
    draft.answers.append(Answer(event.event_id, event.action, refused))
    if refused is not None:
        return False
    draft.set(recent_actions=(*draft.execution.recent_actions, event.event_id)[-_REMEMBERED:])
    return True


def _unknown(draft: Draft, event: ActionRequested) -> str | None:
    return f"{ACTIONS[event.action].title} is not among what this version can do; nothing was changed."


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
    waiting = [run for run in draft.execution.task_runs.values() if _was_held(draft, run)]
    for run in sorted(waiting, key=lambda run: (run.history[-1].date, run.iteration or 0)):
        draft.begin_later(run.id)
    begin_rounds(draft)
    draft.advance_later(ROOT)


def _was_held(draft: Draft, run: TaskRun) -> bool:
    if run.state is State.RETRYING:
        return run.retry_at is not None and run.retry_at <= draft.at
    return run.state in (State.CREATED, State.RESTARTED)


def _paused_run(draft: Draft, task_run_id: str | None) -> TaskRun | None:
    paused = [
        run
        for run in draft.execution.task_runs.values()
        if run.state is State.PAUSED and draft.node(run).kind is Kind.PAUSE and task_run_id in (None, run.id)
    ]
    return min(paused, key=lambda run: (run.history[-1].date, run.iteration or 0, run.id), default=None)


_ACTIONS: dict[Action, Callable[[Draft, ActionRequested], str | None]] = {
    Action.KILL: kill,
    Action.PAUSE: pause,
    Action.RESUME: resume,
    Action.RESTART: restart,
}
