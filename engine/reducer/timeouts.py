"""The timeout of a task that holds others: what runs below it is stopped, and it ends as FAILED."""

from __future__ import annotations

from engine.effects import StopTasks
from engine.ids import derived_id
from engine.model import TaskRun, evolve
from engine.reducer.attempts import abandon, end_attempt
from engine.reducer.containers import count_end, end_run
from engine.reducer.cuts import began, cut_short, forget_timeout, set_grace
from engine.reducer.draft import Draft
from engine.reducer.kill import Order, open_runs, stop_run
from engine.states import TERMINAL, State


def container_timed_out(draft: Draft, run: TaskRun) -> bool:
    """Its time is over: stop what is below it. The second time, the grace of that is over too."""
    progress = draft.progress(run.id)
    if progress is None:
        return False
    if progress.stopped:
        return _end_all(draft, run)
    message = f"timed out after {(run.timeout_at - began(run)).total_seconds():g} s"
    stopped: list[str] = []
    abandon(draft, run, stopped)
    cut_short(draft, draft.runs[run.id], evolve(progress, stopped=True), message)
    _stop_below(draft, set_grace(draft, draft.runs[run.id]), stopped)
    if stopped:
        draft.effect(StopTasks(draft.id, tuple(stopped)))
    draft.advance_later(run.id)
    return True


def _below(draft: Draft, top: TaskRun) -> list[TaskRun]:
    """Task runs below ``top`` that have not ended."""
    found = []
    for run in open_runs(draft):
        parent = run.parent_id
        while parent is not None and parent != top.id:
            parent = draft.runs[parent].parent_id
        if parent is not None:
            found.append(run)
    return found


def _stop_below(draft: Draft, top: TaskRun, stopped: list[str]) -> None:
    order = Order(derived_id("timeout", top.id, top.timeout_at), "its timeout")
    for run in _below(draft, top):
        progress = draft.progress(run.id)
        if progress is not None:
            progress = evolve(progress, stopped=True, cut=State.KILLED, verdict=State.KILLED)
            abandon(draft, run, stopped)
            draft.put(evolve(forget_timeout(draft, draft.runs[run.id]), progress=progress))
            draft.set_progress(run.id, progress)
            draft.advance_later(run.id)
        else:
            stop_run(draft, run, order, stopped)
            if draft.runs[run.id].state in TERMINAL:
                count_end(draft, draft.runs[run.id], draft.node(run))


def _end_all(draft: Draft, top: TaskRun) -> bool:
    """The grace time is over: KILLED, whatever still runs; whether anything did."""
    still = [run for run in _below(draft, top) if draft.progress(run.id) is None]
    for run in still:
        end_run(draft, end_attempt(run, State.KILLED, draft.at) if run.attempts else run, State.KILLED)
    return bool(still)
