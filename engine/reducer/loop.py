"""LoopUntil: after each round its condition is looked at; while that is false, the next round follows later."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from engine.effects import SetTimer
from engine.model import Progress, TaskRun, evolve
from engine.reducer.context import ExpressionFailed, context_of, evaluate
from engine.reducer.cuts import began, cut_short
from engine.reducer.draft import Draft, timer_key
from engine.reducer.job import seconds_of
from engine.reducer.plan import MAIN, Kind, Node
from engine.states import State
from engine.truth import truth

RESUME = "resume"


def goes_on(draft: Draft, run: TaskRun, node: Node, progress: Progress) -> bool:
    """Whether another round follows the one that is over. Where it gives up, that is said and its progress cut."""
    if run.resume_at is not None:
        return True
    run = evolve(run, outputs={"iterationCount": progress.iteration + 1}, progress=progress)
    draft.put(run)
    try:
        if truth(evaluate(draft, node.task.condition, context_of(draft, node, run))):
            return False
        due = draft.at + timedelta(seconds=seconds_of(draft, node.task.checkFrequency.interval, node, run) or 0.0)
        given_up, fails = _limit(draft, run, node, progress, due)
    except (ExpressionFailed, ValueError) as error:
        given_up, fails = str(error), True
    if given_up is None:
        draft.put(evolve(run, resume_at=due))
        draft.effect(SetTimer(draft.id, timer_key(RESUME, run), due, run.id))
        return True
    if fails:
        cut_short(draft, run, progress, given_up)
    else:
        draft.log(run, "WARN", given_up)
    return False


def _limit(draft: Draft, run: TaskRun, node: Node, progress: Progress, due: datetime) -> tuple[str | None, bool]:
    """Why no round may follow at ``due`` (``None``: one may), and whether that is a failure.

    The flow file's own limits come first; those of the installation always fail it.
    """
    frequency, env = node.task.checkFrequency, draft.env
    rounds = progress.iteration + 1 - progress.first
    seconds = (due - began(run)).total_seconds()
    own_rounds = _count(evaluate(draft, frequency.maxIterations, context_of(draft, node, run)))
    own_seconds = seconds_of(draft, frequency.maxDuration, node, run)
    if own_rounds is not None and rounds >= own_rounds <= env.loop_max_iterations:
        return f"the condition is still false after {rounds:,} iterations (maxIterations)", node.task.failOnMaxReached
    if own_seconds is not None and seconds > own_seconds <= env.loop_max_duration:
        return f"the condition is still false after {own_seconds:g} s (maxDuration)", node.task.failOnMaxReached
    if rounds >= env.loop_max_iterations:
        limit = f"{env.loop_max_iterations:,} iterations (WATCHFLOOR_LOOP_MAX_ITERATIONS)"
    elif seconds > env.loop_max_duration:
        limit = f"{env.loop_max_duration:g} s (WATCHFLOOR_LOOP_MAX_DURATION)"
    else:
        return None, False
    return f"expected the condition to become true within {limit}, and it is still false", True


def _count(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ExpressionFailed(f"maxIterations: expected a whole number of at least 1, came {value!r}")
    return value


def round_due(draft: Draft, run: TaskRun) -> bool:
    """The interval is over. False when that has been overtaken, or waits for a resume."""
    if not is_due(draft, run) or draft.execution.held:
        return False
    next_round(draft, run)
    return True


def is_due(draft: Draft, run: TaskRun) -> bool:
    """Whether the next round of a LoopUntil may begin."""
    return run.state is State.RUNNING and run.resume_at is not None and run.resume_at <= draft.accepted_at


def begin_rounds(draft: Draft) -> None:
    """Begin the rounds that were held back."""
    for _, run in sorted(draft.execution.task_runs.items()):
        if draft.node(run).kind is Kind.LOOP and is_due(draft, run):
            next_round(draft, run)


def next_round(draft: Draft, run: TaskRun) -> None:
    """Begin the next round."""
    before = draft.progress(run.id)
    if before is None:
        return
    total = len(draft.node(run).lists[MAIN])
    progress = Progress(total=total, branch=MAIN, iteration=before.iteration + 1, first=before.first)
    draft.put(evolve(run, resume_at=None, progress=progress))
    draft.set_progress(run.id, progress)
    draft.advance_later(run.id)
