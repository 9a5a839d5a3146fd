"""Force run: what waits goes on now, whatever it waits for."""

from __future__ import annotations

from collections.abc import Callable

from engine.effects import CancelTimer
from engine.reducer import retry
from engine.reducer.breakpoints import go_past_all
from engine.reducer.draft import Draft, timer_key
from engine.reducer.kill import open_runs
from engine.reducer.lost import give_out_again
from engine.reducer.plan import Kind
from engine.reducer.renew import renew
from engine.reducer.restart import run_what_is_left
from engine.reducer.resume import resume
from engine.reducer.sla import watch
from engine.reducer.slots import begin_past_limit
from engine.states import TERMINAL, State
from streaming.messages import ActionRequested


def force_run(draft: Draft, event: ActionRequested) -> str | None:
    """Past the limit, out of a pause, before its retry date, or once more to the workers: as its state asks."""
    state = draft.state
    if (refused := _FORCE[state](draft, event)) is None:
        draft.log(None, "INFO", f"forced by {event.actor} while it was {state}")
    return refused


def _begin(draft: Draft, event: ActionRequested) -> str | None:
    if draft.state is State.CREATED and draft.execution.schedule_date is not None:
        watch(draft)  # it was not when it waited for its date
    begin_past_limit(draft, run_what_is_left)
    return None


def _retry_now(draft: Draft, event: ActionRequested) -> str | None:
    for run in open_runs(draft):
        if run.state is not State.RETRYING or draft.state in TERMINAL:
            continue
        policy = draft.node(run).retry
        if policy is not None and retry.renews(policy):
            renew(draft, run)
        else:
            draft.effect(CancelTimer(draft.id, timer_key(retry.TIMER, run)))
            draft.begin_later(run.id)
    return None


def _give_out_again(draft: Draft, event: ActionRequested) -> str | None:
    """Those that no worker has claimed. Where one has meanwhile, its claim keeps the second delivery from running."""
    waiting = [
        run for run in open_runs(draft) if run.state is State.SUBMITTED and draft.node(run).kind is Kind.RUNNABLE
    ]
    for run in waiting:
        give_out_again(draft, run)
    return None if waiting else "No task run of it waits for a worker, so there is nothing to force."


def _go_past_all(draft: Draft, event: ActionRequested) -> str | None:
    go_past_all(draft)
    return None


_FORCE: dict[State, Callable[[Draft, ActionRequested], str | None]] = {
    State.CREATED: _begin,
    State.QUEUED: _begin,
    State.RESTARTED: _begin,
    State.PAUSED: resume,
    State.RETRYING: _retry_now,
    State.RUNNING: _give_out_again,
    State.BREAKPOINT: _go_past_all,
}
