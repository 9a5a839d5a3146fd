"""Timers that came due, by the name before the colon of their key."""

from __future__ import annotations

from collections.abc import Callable

from engine.model import TaskRun
from engine.reducer import retry
from engine.reducer.breach import took_too_long
from engine.reducer.cuts import TIMEOUT
from engine.reducer.draft import Draft
from engine.reducer.kill import grace_over
from engine.reducer.lifecycle import KILL_TIMER
from engine.reducer.loop import RESUME, round_due
from engine.reducer.pause import pause_elapsed, pause_timed_out
from engine.reducer.plan import Kind
from engine.reducer.renew import renew
from engine.reducer.restart import run_what_is_left
from engine.reducer.scheduled import START_TIMER, start_due
from engine.reducer.sla import SLA_TIMER
from engine.reducer.subflow import subflow_timed_out
from engine.reducer.timeouts import container_timed_out
from engine.states import State
from streaming.messages import TimerFired


def timer_fired(draft: Draft, event: TimerFired) -> bool:
    """Do what a timer was set for. False when that has been overtaken by something else."""
    name, _, run_id = event.key.partition(":")
    if name == KILL_TIMER:
        return grace_over(draft)
    if name == START_TIMER:
        return start_due(draft, run_what_is_left)
    if name == SLA_TIMER:
        return took_too_long(draft, run_id)
    run = draft.runs.get(run_id)
    due = _OF_TASK_RUN.get(name)
    return run is not None and due is not None and due(draft, run)


def _retry_due(draft: Draft, run: TaskRun) -> bool:
    if run.state is not State.RETRYING or run.retry_at is None or run.retry_at > draft.accepted_at:
        return False
    if draft.execution.held:
        return False  # resume begins it
    policy = draft.node(run).retry
    if policy is not None and retry.renews(policy):
        renew(draft, run)
    else:
        draft.begin_later(run.id)
    return True


def _resume_due(draft: Draft, run: TaskRun) -> bool:
    return (round_due if draft.node(run).kind is Kind.LOOP else pause_elapsed)(draft, run)


def _timeout_due(draft: Draft, run: TaskRun) -> bool:
    if run.timeout_at is None or run.timeout_at > draft.accepted_at:
        return False
    return _TIMED_OUT.get(draft.node(run).kind, container_timed_out)(draft, run)


_TIMED_OUT: dict[Kind, Callable[[Draft, TaskRun], bool]] = {
    Kind.PAUSE: pause_timed_out,
    Kind.SUBFLOW: subflow_timed_out,
}
_OF_TASK_RUN: dict[str, Callable[[Draft, TaskRun], bool]] = {
    retry.TIMER: _retry_due,
    RESUME: _resume_due,
    TIMEOUT: _timeout_due,
}
