"""What becomes of an attempt whose worker is gone, and of a job that came to no worker."""

from __future__ import annotations

from engine.effects import StopTasks, Submit
from engine.model import TaskRun, evolve
from engine.reducer.attempts import attempt_failed, end_attempt, task_started
from engine.reducer.begin import submit
from engine.reducer.containers import fail_run
from engine.reducer.context import ExpressionFailed
from engine.reducer.cuts import cut_short
from engine.reducer.draft import Draft
from engine.reducer.folder import folder_for, go_anywhere
from engine.reducer.job import job_of
from engine.states import TERMINAL, State
from streaming.messages import JobMissed, TaskStarted, WorkerLost

DIED = "its worker died"
STOPPED = "its worker was stopped"


def worker_lost(draft: Draft, event: WorkerLost) -> bool:
    """The attempt is RESUBMITTED: it runs again as the next one, unless too many of its workers died. False when it
    has ended."""
    if _given_out(draft, event) is None:
        return False
    task_started(draft, TaskStarted(event.event_id, event.execution_id, event.at, *_claimed(event)))
    run = draft.runs[event.task_run_id]
    draft.effect(StopTasks(draft.id, (run.last_attempt_id,)))  # a worker thought dead may only have been away
    go_anywhere(draft, run)
    run = draft.runs[run.id]
    died = _deaths(run) + (not event.stopped)
    if run.state is State.KILLING or died > draft.env.max_resubmits:
        _give_up(draft, run, died)
    else:
        _again(draft, run, STOPPED if event.stopped else DIED)
    return True


def job_missed(draft: Draft, event: JobMissed) -> bool:
    """The same job goes out again: its claim lets one run. False when a worker has had it meanwhile."""
    run = _given_out(draft, event)
    if run is None or run.attempts[-1].state is not State.SUBMITTED:
        return False
    if draft.node(run).container:
        go_anywhere(draft, run)
        _again(draft, draft.runs[run.id], "its job was lost on the way to a worker")
    else:
        give_out_again(draft, run)
    return True


def give_out_again(draft: Draft, run: TaskRun) -> None:
    """Give the last attempt of a runnable task out once more, as it is: of two deliveries one is claimed."""
    go_anywhere(draft, run)
    node, run = draft.node(run), draft.runs[run.id]
    try:
        before = evolve(run, attempts=run.attempts[:-1])  # as it was when the job was made
        job = job_of(draft, before, node, run.attempts[-1].number, folder_for(draft, before, node))
    except (ExpressionFailed, ValueError) as error:
        fail_run(draft, run, str(error))
    else:
        draft.effect(Submit(job, again=True))


def _given_out(draft: Draft, event: WorkerLost | JobMissed) -> TaskRun | None:
    """The task run, when the attempt is its last one and has not ended."""
    run = draft.runs.get(event.task_run_id)
    if run is None or run.state in TERMINAL or not run.attempts:
        return None
    last = run.attempts[-1]
    return run if last.number == event.attempt and last.state not in TERMINAL else None


def _claimed(event: WorkerLost) -> tuple[str, int, str]:
    return event.task_run_id, event.attempt, event.worker_id


def _deaths(run: TaskRun) -> int:
    """Workers that died, one after the other, with the attempts just before the last one."""
    count = 0
    for attempt in reversed(run.attempts[:-1]):
        if attempt.state is not State.RESUBMITTED:
            break
        count += attempt.error == DIED
    return count


def _again(draft: Draft, run: TaskRun, error: str) -> None:
    run = end_attempt(run, State.RESUBMITTED, draft.at, error)
    number = len(run.attempts)
    draft.log(run, "WARN", f"Attempt {number} ended early, {error}; the task runs again as attempt {number + 1}.")
    if draft.node(run).container:
        draft.put(run)
        draft.advance_later(run.id)
        return
    try:
        submit(draft, run, draft.node(run))
    except (ExpressionFailed, ValueError) as failure:
        fail_run(draft, run, str(failure))


def _give_up(draft: Draft, run: TaskRun, died: int) -> None:
    error = DIED if died < 2 else f"its worker died {died} times in a row while it ran this task (out of memory?)"
    progress = draft.progress(run.id)
    if progress is None:
        attempt_failed(draft, run, State.FAILED, error)
        return
    draft.put(end_attempt(run, State.FAILED, draft.at, error))
    cut_short(draft, draft.runs[run.id], progress, error)
    draft.advance_later(run.id)
