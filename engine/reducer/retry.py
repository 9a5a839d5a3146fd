"""Whether and when a failed attempt is tried again. The policy is the task's own, else its nearest parent's, else the
flow's."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from engine.flow import Retry
from engine.model import Attempt, Execution, TaskRun
from engine.states import State

TIMER = "retry"


def tries_of(run: TaskRun) -> int:
    """Attempts since the task run was last restarted by an operator; those whose worker was lost don't count."""
    return len(_tries(run))


def _tries(run: TaskRun) -> list[Attempt]:
    since = _restarted_at(run)
    return [
        attempt
        for attempt in run.attempts
        if attempt.state is not State.RESUBMITTED and (since is None or attempt.history[0].date >= since)
    ]


def tries_so_far(policy: Retry, execution: Execution, run: TaskRun) -> int:
    """How often it was tried, executions that this one takes the place of included."""
    return renewals(execution, run)[0] if renews(policy) else tries_of(run)


def renews(policy: Retry) -> bool:
    """Whether a try again is a new execution."""
    return policy.behavior == "CREATE_NEW_EXECUTION"


def next_try(policy: Retry, execution: Execution, run: TaskRun, at: datetime) -> datetime | None:
    """When to try again after a failure at ``at``; ``None`` when the policy has no try left."""
    tries, since = renewals(execution, run) if renews(policy) else (tries_of(run), _first_try(run))
    if policy.maxAttempts is not None and tries >= policy.maxAttempts:
        return None
    due = at + timedelta(seconds=policy.delay(tries, _luck(run, tries)))
    if policy.maxDuration is not None and due > since + timedelta(seconds=policy.maxDuration):
        return None
    return due


def renewals(execution: Execution, run: TaskRun) -> tuple[int, datetime]:
    """How many executions have tried it, this one included, and when the first of them began."""
    renewal = execution.renewal
    return (renewal.tries, renewal.since) if renewal else (1, _first_try(run))


def was_retried(policy: Retry, execution: Execution, run: TaskRun) -> bool:
    """Whether this is not the first try."""
    if renews(policy):
        return execution.renewal is not None and execution.renewal.task_id == run.task_id
    return tries_of(run) > 1


def _first_try(run: TaskRun) -> datetime:
    return _tries(run)[0].history[0].date


def _restarted_at(run: TaskRun) -> datetime | None:
    dates = [change.date for change in run.history if change.state is State.RESTARTED]
    return dates[-1] if dates else None


def _luck(run: TaskRun, tries: int) -> float:
    """A number in [0, 1) that is the same whenever this failure is looked at."""
    digest = hashlib.blake2b(f"{run.id}:{len(run.attempts)}:{tries}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
