"""What holds others ends otherwise than its children say: its timeout is over, or it gives up."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.effects import CancelTimer, SetTimer
from engine.model import Progress, TaskRun, evolve
from engine.reducer.draft import Draft, timer_key
from engine.reducer.job import seconds_of
from engine.reducer.plan import ROOT, Node
from engine.states import State

TIMEOUT = "timeout"


def set_timeout(draft: Draft, run: TaskRun, node: Node) -> TaskRun:
    """Let the timeout of a task that no worker runs count from now; the changed task run."""
    seconds = seconds_of(draft, node.task.timeout, node, run)
    return run if seconds is None else _set(draft, run, seconds)


def set_grace(draft: Draft, run: TaskRun) -> TaskRun:
    """Let the time count that what runs below it has to stop; the changed task run."""
    return _set(draft, run, draft.env.kill_grace)


def _set(draft: Draft, run: TaskRun, seconds: float) -> TaskRun:
    run = evolve(run, timeout_at=draft.at + timedelta(seconds=seconds))
    draft.put(run)
    draft.effect(SetTimer(draft.id, timer_key(TIMEOUT, run), run.timeout_at, run.id))
    return run


def forget_timeout(draft: Draft, run: TaskRun) -> TaskRun:
    """It may take as long as it likes; the changed task run."""
    if run.timeout_at is None:
        return run
    draft.effect(CancelTimer(draft.id, timer_key(TIMEOUT, run)))
    run = evolve(run, timeout_at=None)
    draft.put(run)
    return run


def cut_short(draft: Draft, run: TaskRun | None, progress: Progress, message: str) -> Progress:
    """Let an open container (``None``: the flow itself) end as FAILED with ``message``, after its errors branch; its
    progress now."""
    draft.log(run, "ERROR", message)
    draft.note_error(run and run.task_id, message)
    cut = evolve(progress, cut=State.FAILED, verdict=State.FAILED)
    draft.set_progress(run.id if run else ROOT, cut)
    if run is not None:
        draft.put(evolve(run, error=message, progress=cut))
    return cut


def began(run: TaskRun) -> datetime:
    """When it began, or began again."""
    return next(change.date for change in reversed(run.history) if change.state is State.RUNNING)
