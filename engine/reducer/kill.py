"""Kill: what didn't start is KILLED at once, what runs is stopped, and after the grace time all is KILLED anyhow."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from engine.effects import Emit, SetTimer, StopTasks
from engine.ids import derived_id
from engine.model import TaskRun
from engine.reducer.attempts import abandon, end_attempt
from engine.reducer.draft import Draft
from engine.reducer.lifecycle import KILL_TIMER, end_kill
from engine.reducer.plan import Kind
from engine.states import TERMINAL, Action, State
from streaming.messages import ActionRequested

_WITH_WORKERS = frozenset({State.SUBMITTED, State.RUNNING, State.KILLING})


class Order(msgspec.Struct, frozen=True):
    """What is said to subflows when they are stopped with what runs them; ``id`` makes saying it twice harmless."""

    id: str
    actor: str
    reason: str | None = None
    cascade: bool = True


def kill(draft: Draft, event: ActionRequested) -> str | None:
    """Begin a kill, or say it again to what still runs."""
    reason = f": {event.reason}" if event.reason else ""
    draft.log(None, "WARN", f"killed by {event.actor}{reason}")
    stop(draft, event)
    return None


def stop(draft: Draft, event: ActionRequested) -> None:
    """End all that runs, and what it started where ``event`` says so."""
    again = draft.state is State.KILLING
    draft.become(State.KILLING)
    draft.set(paused_by_hand=False, stopped_at=None)
    order = Order(event.event_id, event.actor, event.reason, event.cascade)
    stopped: list[str] = []
    for run in open_runs(draft):
        stop_run(draft, run, order, stopped)
    if stopped:
        draft.effect(StopTasks(draft.id, tuple(stopped)))
    if draft.active and not again:
        due = draft.at + timedelta(seconds=draft.env.kill_grace)
        draft.effect(SetTimer(draft.id, KILL_TIMER, due))


def open_runs(draft: Draft) -> list[TaskRun]:
    """All task runs that have not ended, in an order that is the same in every process."""
    runs = (run for run in draft.snapshot().values() if run.state not in TERMINAL)
    return sorted(runs, key=lambda run: (run.history[0].date, run.id))


def stop_run(draft: Draft, run: TaskRun, order: Order, stopped: list[str]) -> None:
    """Stop one task run: KILLED at once where nothing runs, else KILLING; ``stopped`` gets its attempt."""
    node = draft.node(run)
    if node.container:
        abandon(draft, run, stopped)
        run = draft.runs[run.id]
    if node.kind is Kind.RUNNABLE and run.state in _WITH_WORKERS:
        stopped.append(run.last_attempt_id)
    if node.kind is Kind.SUBFLOW and run.state in (State.RUNNING, State.KILLING) and order.cascade:
        cascade(draft, run, order)
    elif run.state is not State.RUNNING or node.kind is Kind.SUBFLOW:
        if run.state is not State.KILLING:
            end_now(draft, run)
        return
    if run.state is State.RUNNING:
        draft.move(run, State.KILLING)


def cascade(draft: Draft, run: TaskRun, order: Order) -> None:
    """Kill the execution that a Subflow task run waits for."""
    request = ActionRequested(
        event_id=derived_id(order.id, run.id),
        execution_id=run.subflow_execution_id or "",
        at=draft.at,
        action=Action.KILL,
        actor=order.actor,
        reason=order.reason,
    )
    draft.effect(Emit(request))


def end_now(draft: Draft, run: TaskRun) -> None:
    """A task run is KILLED without waiting for anything."""
    ended = end_attempt(run, State.KILLED, draft.at) if run.attempts else run
    draft.move(ended, State.KILLED)


def grace_over(draft: Draft) -> bool:
    """The grace time is over: KILLED, whatever still runs (the workers have been told).

    A timer that fired before this kill is an old one.
    """
    if draft.state is not State.KILLING or draft.history[-1].date > draft.accepted_at:
        return False
    for run in open_runs(draft):
        if not draft.node(run).container:
            end_now(draft, run)
    end_kill(draft)
    return True
