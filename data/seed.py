"""A synthetic past: executions that never ran, labelled as such, for looking at the product with a full house.

All have kind SYNTHETIC, the label ``system.synthetic=true`` and a namespace below ``synthetic``. The same ``seed`` and
``now`` give the same executions: a second time adds nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import immutables

from data.store import Store
from engine.ids import dated_id, task_run_id
from engine.model import SUBFLOW_TASK, Attempt, Execution, History, Kind, StateChange, TaskRun, Trigger, evolve
from engine.states import State

LABEL = "system.synthetic"
WITH_TASKS = 2_000  # the newest executions, which have task runs too
_BATCH = 2_000
_TEAMS = ("billing", "search", "ingest", "ml", "crm", "logistics", "web", "finance")
_JOBS = ("nightly-load", "sync", "report", "cleanup", "export", "reindex", "train", "reconcile")
_TASKS = ("fetch", "check", "transform", "load", "notify")
_ERRORS = (
    "Connection to db-{0} refused",
    "Timeout after {1} s waiting for a lock on table orders_{0}",
    "HTTP 503 from https://api.example.com/v1/items/{1}",
    "KeyError: 'customer_id'",
    "Exit code {0}",
    "No space left on device",
    "Column 'amount' has {0} nulls, 0 are allowed",
)
_TRIGGERS = (
    Trigger("schedule", "io.kestra.plugin.core.trigger.Schedule"),
    Trigger("hook", "io.kestra.plugin.core.trigger.Webhook"),
    None,
)
_REVISIONS = 3
_REPEATS = 200  # one execution in so many repeats another
_ENDS = (State.SUCCESS, State.FAILED, State.WARNING, State.KILLED, State.CANCELLED)
_WEIGHTS = (90, 5, 3, 1, 1)


def seed(
    store: Store,
    n: int,
    seed: int = 0,
    *,
    days: float = 30,
    now: datetime | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write ``n`` executions of the last ``days``; how many were new. ``progress`` is told how many are done."""
    made = _executions(random.Random(seed), n, seed, timedelta(days=days), now or datetime.now(UTC))
    done = new = 0
    while batch := list(islice(made, _BATCH)):
        new += store.add_new(batch)
        done += len(batch)
        if progress is not None:
            progress(done)
    return new


def _executions(chance: random.Random, n: int, seed: int, past: timedelta, now: datetime) -> Iterator[Execution]:
    parent: str | None = None
    failed: str | None = None
    for number in range(n):
        start = now - past * (1 - (number + chance.random()) / n)
        made = _execution(chance, dated_id(int(start.timestamp() * 1000), seed, number), start, parent, now)
        made = _dressed(made, number, 1 + number * _REVISIONS // n, failed)
        failed = made.id if made.state is State.FAILED else failed
        if number >= n - WITH_TASKS:
            made = _with_tasks(made)
        parent = made.id if chance.random() < 0.05 else None
        yield made


def _execution(chance: random.Random, id: str, start: datetime, parent: str | None, now: datetime) -> Execution:
    team, job = chance.choice(_TEAMS), chance.choice(_JOBS)
    state = chance.choices(_ENDS, _WEIGHTS)[0]
    seconds = chance.lognormvariate(2 + _JOBS.index(job) / 3, 0.6)
    error = chance.choice(_ERRORS).format(chance.randrange(20), chance.randrange(200))
    history = _history(start, state, min(start + timedelta(seconds=seconds), now))
    return Execution(
        id=id,
        namespace=f"synthetic.{team}",
        flow_id=f"{team}-{job}",
        revision=1,
        state=state,
        history=history,
        version=len(history),
        changed_at=history[-1].date,
        kind=Kind.SYNTHETIC,
        labels={LABEL: "true", "env": chance.choice(("prod", "prod", "stage")), "team": team},
        parent_id=parent,
        error=error if state is State.FAILED else None,
        last_task=_TASKS[-1],
    )


def _dressed(execution: Execution, number: int, revision: int, failed: str | None) -> Execution:
    """With what depends on its place alone: trigger, revision, where it failed, and now and then what it repeats."""
    at = _TASKS[number % len(_TASKS)] if execution.state is State.FAILED else execution.last_task
    original = failed if number % _REPEATS == 0 else None
    parent = execution.parent_id
    of_parent = Trigger("call", SUBFLOW_TASK, {"executionId": parent})
    trigger = _TRIGGERS[number % len(_TRIGGERS)] if parent is None else of_parent
    return evolve(execution, trigger=trigger, revision=revision, last_task=at, original_id=original)


def _history(start: datetime, end: State, finished: datetime) -> History:
    begun = min(start + timedelta(milliseconds=50), finished)
    return (StateChange(State.CREATED, start), StateChange(State.RUNNING, begun), StateChange(end, finished))


def _with_tasks(execution: Execution) -> Execution:
    """Its task runs, one after the other; the last one has the execution's end."""
    start, end = execution.history[0].date, execution.history[-1].date
    dates = [start + (end - start) * number / len(_TASKS) for number in range(len(_TASKS))] + [end]
    runs = [_task_run(execution, number, dates) for number in range(len(_TASKS))]
    return evolve(execution, task_runs=immutables.Map({run.id: run for run in runs}), last_task=_TASKS[-1])


def _task_run(execution: Execution, number: int, dates: list[datetime]) -> TaskRun:
    last = number == len(_TASKS) - 1
    state = execution.state if last else State.SUCCESS
    error = execution.error if last else None
    history = _history(dates[number], state, dates[number + 1])
    attempts = (Attempt(1, state, history, error=error),)
    run_id = task_run_id(execution.id, None, _TASKS[number])
    return TaskRun(run_id, _TASKS[number], state, history, attempts=attempts, error=error)
