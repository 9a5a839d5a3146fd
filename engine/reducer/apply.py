"""``apply``: one event on one execution."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from engine.effects import Effect, Emit
from engine.flow import Flow
from engine.ids import derived_id
from engine.model import Execution
from engine.reducer.actions import act
from engine.reducer.attempts import task_ended, task_started
from engine.reducer.begin import begin
from engine.reducer.breach import check
from engine.reducer.breakpoints import go_on_where_it_is_over
from engine.reducer.containers import advance
from engine.reducer.counting import tally_of
from engine.reducer.created import create
from engine.reducer.delete import is_over, removed
from engine.reducer.draft import Draft, Step
from engine.reducer.env import Applied, Env
from engine.reducer.expired import execution_expired
from engine.reducer.lifecycle import settle, tell_trigger
from engine.reducer.lost import job_missed, worker_lost
from engine.reducer.plan import NO_PLAN, plan_of
from engine.reducer.reported import execution_reported, is_reported, task_reported
from engine.reducer.restart import run_what_is_left
from engine.reducer.scheduled import forget_start
from engine.reducer.sla import forget as forget_promises
from engine.reducer.slots import give_back, slot_decided
from engine.reducer.subflow import subflow_ended
from engine.reducer.timers import timer_fired
from engine.reducer.without_flow import act_without_flow
from streaming.messages import (
    ActionRequested,
    Answer,
    Event,
    ExecutionCreated,
    ExecutionExpired,
    ExecutionReported,
    JobMissed,
    SlotDecided,
    SlotFreed,
    SubflowEnded,
    TaskEnded,
    TaskReported,
    TaskStarted,
    TimerFired,
    WorkerLost,
)

_REPORTS: dict[type, Callable[[Execution | None, Any], Applied]] = {
    ExecutionReported: execution_reported,
    TaskReported: task_reported,
    ExecutionExpired: execution_expired,
}
_HANDLERS: dict[type, Callable[[Draft, Any], bool]] = {
    TaskStarted: task_started,
    TaskEnded: task_ended,
    WorkerLost: worker_lost,
    JobMissed: job_missed,
    SubflowEnded: subflow_ended,
    TimerFired: timer_fired,
    ActionRequested: act,
    SlotDecided: partial(slot_decided, begin=run_what_is_left),
}
_STEPS: dict[Step, Callable[[Draft, str], None]] = {Step.BEGIN: begin, Step.ADVANCE: advance}


def apply(execution: Execution | None, event: Event, flow: Flow | None, env: Env) -> Applied:
    """What ``event`` makes of ``execution`` (``None``: there is none yet), and what is to be done after the commit.

    ``flow`` is the revision the execution runs; ``None`` when there is none (a reported execution, or it is gone).
    Pure: the same arguments give the same result. An event that changes nothing gives ``execution`` itself.
    """
    report = _REPORTS.get(type(event))
    if report is not None:
        return report(execution, event)
    if isinstance(event, ExecutionCreated):
        return _create(event, flow, env) if execution is None else Applied(execution)
    if execution is None:
        return Applied(None, effects=_not_needed(event), answers=_nobody(event))
    if flow is None or is_reported(execution):
        return act_without_flow(execution, event, env) if isinstance(event, ActionRequested) else Applied(execution)
    return _go_on(execution, event, flow, env)


def _create(event: ExecutionCreated, flow: Flow | None, env: Env) -> Applied:
    return _finish(create(event, flow, plan_of(flow) if flow is not None else NO_PLAN, env, run_what_is_left))


def _go_on(execution: Execution, event: Any, flow: Flow, env: Env) -> Applied:
    plan = plan_of(flow)
    tally = execution.tally or tally_of(plan, execution.task_runs, execution.progress)
    draft = Draft(execution, event.at, plan, env, tally)
    if not _HANDLERS[type(event)](draft, event):
        return Applied(execution, answers=tuple(draft.answers))
    return _finish(draft)


def _finish(draft: Draft) -> Applied:
    _work_off(draft)
    go_on_where_it_is_over(draft)
    _work_off(draft)
    check(draft)
    settle(draft)
    _work_off(draft)
    forget_start(draft)
    forget_promises(draft)
    give_back(draft)
    tell_trigger(draft)
    return removed(draft) if is_over(draft) else draft.applied()


def _not_needed(event: Any) -> tuple[Effect, ...]:
    """A slot for an execution that is no more goes back."""
    if not isinstance(event, SlotDecided):
        return ()
    event_id = derived_id("slot-freed", event.execution_id, event.attempt)
    return (Emit(SlotFreed(event_id, event.gate, event.at, event.execution_id)),)


def _nobody(event: Any) -> tuple[Answer, ...]:
    """What an action on an execution that is no more gets as its answer."""
    if not isinstance(event, ActionRequested):
        return ()
    return (Answer(event.event_id, event.action, f"There is no execution {event.execution_id}."),)


def _work_off(draft: Draft) -> None:
    while (step := draft.next_step()) is not None:
        _STEPS[step[0]](draft, step[1])
