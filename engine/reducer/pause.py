"""The Pause task: waits for an operator, or for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from engine.effects import CancelTimer, SetTimer
from engine.model import TaskRun
from engine.reducer.containers import end_run, fail_run
from engine.reducer.context import iso
from engine.reducer.draft import Draft
from engine.reducer.job import seconds_of
from engine.reducer.plan import Kind, Node
from engine.states import State

RESUME_TIMER = "resume"
TIMEOUT_TIMER = "timeout"
_BEHAVIOR = {"RESUME": State.SUCCESS, "WARN": State.WARNING, "FAIL": State.FAILED, "CANCEL": State.CANCELLED}


def begin_pause(draft: Draft, run: TaskRun, node: Node) -> None:
    """Pause, with a timer for ``pauseDuration`` and one for ``timeout``."""
    wait = seconds_of(draft, node.task.pauseDuration, node, run)
    timeout = seconds_of(draft, node.task.timeout, node, run)
    resume_at = draft.at + timedelta(seconds=wait) if wait is not None else None
    run = draft.move(run, State.RUNNING)
    draft.move(run, State.PAUSED, resume_at=resume_at)
    if resume_at is not None:
        draft.effect(SetTimer(draft.id, _key(RESUME_TIMER, run), resume_at, run.id))
    if timeout is not None:
        draft.effect(SetTimer(draft.id, _key(TIMEOUT_TIMER, run), draft.at + timedelta(seconds=timeout), run.id))


def resume_pause(draft: Draft, run: TaskRun, inputs: dict[str, Any], actor: str) -> None:
    """An operator lets a paused task go on; ``inputs`` are already checked."""
    cancel_timers(draft, run)
    outputs = {"onResume": inputs, "resumed": {"by": actor, "on": iso(draft.at)}}
    end_run(draft, run, State.SUCCESS, outputs=outputs, resume_at=None)


def pause_elapsed(draft: Draft, run: TaskRun) -> bool:
    """Its ``pauseDuration`` is over."""
    if not _is_paused(draft, run) or run.resume_at is None or run.resume_at > draft.accepted_at:
        return False
    cancel_timers(draft, run, but=RESUME_TIMER)
    end = _BEHAVIOR[draft.node(run).task.behavior]
    if end is State.FAILED:
        fail_run(draft, run, "nobody resumed it within pauseDuration, and its behavior is FAIL")
    else:
        end_run(draft, run, end, resume_at=None)
    return True


def pause_timed_out(draft: Draft, run: TaskRun) -> bool:
    """Its ``timeout`` is over: FAILED. A timer that fired before this pause is an old one."""
    if not _is_paused(draft, run) or run.history[-1].date > draft.accepted_at:
        return False
    cancel_timers(draft, run, but=TIMEOUT_TIMER)
    fail_run(draft, run, "nobody resumed it within its timeout")
    return True


def cancel_timers(draft: Draft, run: TaskRun, but: str | None = None) -> None:
    """Forget the timers of a Pause task run."""
    task = draft.node(run).task
    for name, is_set in ((RESUME_TIMER, task.pauseDuration is not None), (TIMEOUT_TIMER, task.timeout is not None)):
        if is_set and name != but:
            draft.effect(CancelTimer(draft.id, _key(name, run)))


def _is_paused(draft: Draft, run: TaskRun) -> bool:
    return run.state is State.PAUSED and draft.node(run).kind is Kind.PAUSE


def _key(name: str, run: TaskRun) -> str:
    return f"{name}:{run.id}"
