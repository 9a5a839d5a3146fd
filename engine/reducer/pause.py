"""The Pause task: waits for an operator, or for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from engine.effects import SetTimer
from engine.model import TaskRun, evolve
from engine.reducer.containers import end_run, fail_run
from engine.reducer.context import iso
from engine.reducer.draft import Draft, timer_key
from engine.reducer.job import seconds_of
from engine.reducer.plan import Kind, Node
from engine.secrecy import part
from engine.states import State

RESUME = "resume"
_BEHAVIOR = {"RESUME": State.SUCCESS, "WARN": State.WARNING, "FAIL": State.FAILED, "CANCEL": State.CANCELLED}


def begin_pause(draft: Draft, run: TaskRun, node: Node) -> None:
    """Pause, with a timer for ``pauseDuration``."""
    wait = seconds_of(draft, node.task.pauseDuration, node, run)
    resume_at = draft.at + timedelta(seconds=wait) if wait is not None else None
    run = draft.move(run, State.RUNNING)
    draft.move(run, State.PAUSED, resume_at=resume_at)
    if resume_at is not None:
        draft.effect(SetTimer(draft.id, timer_key(RESUME, run), resume_at, run.id))


def resume_pause(draft: Draft, run: TaskRun, inputs: dict[str, Any], actor: str) -> None:
    """An operator lets a paused task go on; ``inputs`` are already checked."""
    shown, hidden = part(draft.node(run).task.onResume, inputs)
    if hidden:
        kept = draft.execution.hidden
        paths = {f"onResume.{name}": value for name, value in hidden.items()}
        draft.set(hidden=evolve(kept, outputs={**kept.outputs, run.id: paths}))
    outputs = {"onResume": shown, "resumed": {"by": actor, "on": iso(draft.at)}}
    end_run(draft, run, State.SUCCESS, outputs=outputs)


def pause_elapsed(draft: Draft, run: TaskRun) -> bool:
    """Its ``pauseDuration`` is over."""
    if not _is_paused(draft, run) or run.resume_at is None or run.resume_at > draft.accepted_at:
        return False
    end = _BEHAVIOR[draft.node(run).task.behavior]
    if end is State.FAILED:
        fail_run(draft, run, "nobody resumed it within pauseDuration, and its behavior is FAIL")
    else:
        end_run(draft, run, end)
    return True


def pause_timed_out(draft: Draft, run: TaskRun) -> bool:
    """Its ``timeout`` is over: FAILED."""
    if not _is_paused(draft, run):
        return False
    fail_run(draft, run, "nobody resumed it within its timeout")
    return True


def _is_paused(draft: Draft, run: TaskRun) -> bool:
    return run.state is State.PAUSED and draft.node(run).kind is Kind.PAUSE
