"""Whether and when a failed attempt is tried again. The policy is the task's own, else its nearest parent's, else the
flow's."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from engine.flow import Retry
from engine.model import TaskRun
from engine.states import State

TIMER = "retry"


def timer_key(run: TaskRun) -> str:
    """Key of the timer that a RETRYING task run waits for."""
    return f"{TIMER}:{run.id}"


def tries_of(run: TaskRun) -> int:
    """Attempts since the task run was last restarted by an operator."""
    since = _restarted_at(run)
    return sum(1 for attempt in run.attempts if since is None or attempt.history[0].date >= since)


def renews(policy: Retry) -> bool:
    """Whether a try again is a new execution."""
    return policy.behavior == "CREATE_NEW_EXECUTION"


def next_try(policy: Retry, run: TaskRun, at: datetime, tries: int | None = None) -> datetime | None:
    """When to try again after a failure at ``at``; ``None`` when the policy has no try left.

    ``tries`` are the ones so far, by default those of the task run.
    """
    tries = tries or tries_of(run)
    if policy.maxAttempts is not None and tries >= policy.maxAttempts:
        return None
    due = at + timedelta(seconds=policy.delay(tries, _luck(run, tries)))
    if policy.maxDuration is not None and due > _first_try(run) + timedelta(seconds=policy.maxDuration):
        return None
    return due


def _first_try(run: TaskRun) -> datetime:
    return run.attempts[-tries_of(run)].history[0].date


def _restarted_at(run: TaskRun) -> datetime | None:
    dates = [change.date for change in run.history if change.state is State.RESTARTED]
    return dates[-1] if dates else None


def _luck(run: TaskRun, tries: int) -> float:
    """A number in [0, 1) that is the same whenever this failure is looked at."""
    digest = hashlib.blake2b(f"{run.id}:{len(run.attempts)}:{tries}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
