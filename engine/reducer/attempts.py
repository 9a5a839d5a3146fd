"""What workers report: an attempt started, an attempt ended."""

from __future__ import annotations

from datetime import datetime

from engine.effects import SetTimer
from engine.flow import Retry
from engine.model import Attempt, StateChange, TaskRun, evolve, own_labels
from engine.reducer import retry
from engine.reducer.containers import end_run
from engine.reducer.context import iso
from engine.reducer.cuts import cut_short
from engine.reducer.draft import Draft, timer_key
from engine.reducer.folder import keep_folder
from engine.states import TERMINAL, State
from streaming.messages import TaskEnded, TaskStarted

_GIVEN_OUT = frozenset({State.SUBMITTED, State.RUNNING, State.KILLING})
_ENDS = frozenset({State.SUCCESS, State.WARNING, State.FAILED, State.KILLED})


def task_started(draft: Draft, event: TaskStarted) -> bool:
    """A worker claimed the attempt. False when that is known, or the attempt is over."""
    run = draft.runs.get(event.task_run_id)
    if run is None or not run.attempts or run.attempts[-1].number != event.attempt:
        return False
    holds = draft.node(run).container  # then the attempt is what a worker does for it when its children are through
    if (run.attempts[-1].state if holds else run.state) is not State.SUBMITTED:
        return False
    attempt = _moved(run.attempts[-1], State.RUNNING, draft.at, worker_id=event.worker_id)
    attempts = (*run.attempts[:-1], attempt)
    if holds:
        draft.put(evolve(run, attempts=attempts))
    else:
        draft.move(run, State.RUNNING, attempts=attempts)
    return True


def task_ended(draft: Draft, event: TaskEnded) -> bool:
    """An attempt ended. False when it had ended before, was killed, or was never given out."""
    if event.state not in _ENDS:
        raise ValueError(f"expected an end ({', '.join(sorted(_ENDS))}), came {event.state}")
    run = draft.runs.get(event.task_run_id)
    if run is None or run.state not in _GIVEN_OUT or not run.attempts or run.attempts[-1].number != event.attempt:
        return False
    if draft.node(run).container:
        return _container_served(draft, run, event)
    run = evolve(run, outputs=event.outputs, attempts=_with_worker(run, event.worker_id))
    draft.metrics.extend((run.id, metric) for metric in event.metrics)
    refused = _set_labels(draft, event.labels) if event.labels else None
    if event.state is State.FAILED or refused is not None:
        attempt_failed(draft, run, State.FAILED, event.error or refused)
    else:
        _end(draft, run, event)
    if event.folder is not None:
        keep_folder(draft, draft.runs[run.id], event.folder)
    return True


def _container_served(draft: Draft, run: TaskRun, event: TaskEnded) -> bool:
    """A worker did what was left to do for a container whose children are through."""
    progress = draft.progress(run.id)
    if progress is None or run.attempts[-1].state in TERMINAL:
        return False
    run = evolve(run, attempts=_with_worker(run, event.worker_id), outputs={**run.outputs, **event.outputs})
    draft.put(end_attempt(run, event.state, draft.at, event.error))
    if event.state is not State.SUCCESS:
        cut_short(draft, draft.runs[run.id], progress, event.error or f"task {run.task_id} failed")
    draft.advance_later(run.id)
    return True


def abandon(draft: Draft, run: TaskRun, stopped: list[str]) -> None:
    """A container is stopped, and what a worker does for it too; ``stopped`` gets that attempt."""
    if run.attempts and run.attempts[-1].state not in TERMINAL:
        stopped.append(run.last_attempt_id)
        draft.put(end_attempt(run, State.KILLED, draft.at))


def _set_labels(draft: Draft, labels: dict[str, str]) -> str | None:
    """Set labels on the execution; why that can't be, ``None`` when it is done."""
    merged = {**draft.execution.labels, **own_labels(labels)}
    if len(merged) > draft.env.max_labels:
        return (
            f"an execution may have {draft.env.max_labels:,} labels, this would have {len(merged):,} "
            "(WATCHFLOOR_EXECUTION_MAX_LABELS)"
        )
    draft.set(labels=merged)
    return None


def _with_worker(run: TaskRun, worker_id: str | None) -> tuple[Attempt, ...]:
    last = run.attempts[-1]
    return run.attempts if worker_id is None else (*run.attempts[:-1], evolve(last, worker_id=worker_id))


def _end(draft: Draft, run: TaskRun, event: TaskEnded) -> None:
    ended = end_attempt(run, event.state, draft.at, event.error)
    end_run(draft, ended, after_retry(draft, run, event.state), error=event.error)


def after_retry(draft: Draft, run: TaskRun, state: State) -> State:
    """The end of a task run whose attempt ended in ``state``: a success after a retry may be a warning."""
    policy = draft.node(run).retry
    if state is not State.SUCCESS or policy is None or not policy.warningOnRetry:
        return state
    return State.WARNING if retry.was_retried(policy, draft.execution, run) else state


def attempt_failed(draft: Draft, run: TaskRun, state: State, error: str | None) -> None:
    """Try again when the retry policy says so, else end the task run in ``state``."""
    node = draft.node(run)
    draft.note_error(run.task_id, error or f"task {run.task_id} failed")
    if run.state is State.KILLING:
        end_run(draft, end_attempt(run, State.KILLED, draft.at, error), State.KILLED, error=error)
        return
    run = end_attempt(run, state, draft.at, error)
    again = state is State.FAILED and node.retry is not None
    due = retry.next_try(node.retry, draft.execution, run, draft.at) if again else None
    if due is not None and (capped := _capped(draft, node.retry, run)) is not None:
        draft.log(run, "ERROR", capped)
        due, error = None, f"{error}; {capped}" if error else capped
    if due is None:
        end_run(draft, run, state, error=error)
        return
    draft.log(run, "WARN", f"attempt {len(run.attempts)} failed; the next one is due at {iso(due)}")
    draft.move(run, State.RETRYING, retry_at=due, error=error)
    draft.effect(SetTimer(draft.id, timer_key(retry.TIMER, run), due, run.id))


def _capped(draft: Draft, policy: Retry, run: TaskRun) -> str | None:
    """Why there is no further try though the policy has one; ``None``: there may be."""
    most = draft.env.max_attempts
    if retry.tries_so_far(policy, draft.execution, run) < most:
        return None
    return f"tried {most:,} times, and no task is tried more often (WATCHFLOOR_TASK_MAX_ATTEMPTS)"


def end_attempt(run: TaskRun, state: State, at: datetime, error: str | None = None) -> TaskRun:
    """The task run with its last attempt ended; the task run's own state is still to be moved."""
    last = run.attempts[-1]
    if last.state in TERMINAL:
        return run
    return evolve(run, attempts=(*run.attempts[:-1], _moved(last, state, at, error=error)))


def _moved(attempt: Attempt, state: State, at: datetime, **changes: object) -> Attempt:
    return evolve(attempt, state=state, history=(*attempt.history, StateChange(state, at)), **changes)
