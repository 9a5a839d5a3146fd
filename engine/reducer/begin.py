"""What beginning a task means, by its kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from engine.effects import Submit
from engine.flow import If
from engine.model import Attempt, Progress, StateChange, TaskRun
from engine.reducer.breakpoints import stops
from engine.reducer.containers import end_run, fail_run, open_container
from engine.reducer.context import ExpressionFailed, context_of, evaluate
from engine.reducer.cuts import set_timeout
from engine.reducer.dag import waiting_of
from engine.reducer.draft import Draft
from engine.reducer.folder import folder_for
from engine.reducer.job import job_of
from engine.reducer.pause import begin_pause
from engine.reducer.plan import MAIN, Kind, Node
from engine.reducer.subflow import begin_subflow
from engine.states import State
from engine.truth import truth

_STARTABLE = frozenset({State.CREATED, State.RESTARTED, State.RETRYING})


def begin(draft: Draft, run_id: str) -> None:
    """Begin a task run, unless the execution is paused by hand or at a breakpoint: then it waits for the resume."""
    run = draft.runs.get(run_id)
    if run is None or run.state not in _STARTABLE or draft.execution.held or stops(draft, run):
        return
    node = draft.node(run)
    try:
        if run.state is State.CREATED and node.run_if is not None and not _applies(draft, node, run):
            end_run(draft, run, State.SKIPPED)
        else:
            if node.kind is not Kind.RUNNABLE:
                run = set_timeout(draft, run, node)
            _BEGIN[node.kind](draft, run, node)
    except (ExpressionFailed, ValueError) as error:
        fail_run(draft, draft.runs[run_id], str(error))


def _applies(draft: Draft, node: Node, run: TaskRun) -> bool:
    try:
        return truth(evaluate(draft, node.run_if, context_of(draft, node, run)))
    except ExpressionFailed as error:
        raise ExpressionFailed(f"runIf: {error}") from error


def submit(draft: Draft, run: TaskRun, node: Node) -> None:
    """Give the next attempt of a runnable task to the workers."""
    number = len(run.attempts) + 1
    job = job_of(draft, run, node, number, folder_for(draft, run, node))
    attempt = Attempt(number, State.SUBMITTED, (StateChange(State.SUBMITTED, draft.at),))
    draft.move(run, State.SUBMITTED, attempts=(*run.attempts, attempt), retry_at=None)
    draft.effect(Submit(job))


def _begin_list(draft: Draft, run: TaskRun, node: Node) -> None:
    _open(draft, run, node, MAIN)


def _begin_dag(draft: Draft, run: TaskRun, node: Node) -> None:
    draft.set_waiting(run.id, waiting_of(node, ()))
    _open(draft, run, node, MAIN)


def _begin_choice(draft: Draft, run: TaskRun, node: Node) -> None:
    context = context_of(draft, node, run)
    if isinstance(node.task, If):
        holds = truth(evaluate(draft, node.task.condition, context))
        _open(draft, run, node, "then" if holds else "else", {"evaluationResult": holds})
    else:
        value = as_text(evaluate(draft, node.task.value, context))
        branch = f"cases.{value}" if value in node.task.cases else "defaults"
        _open(draft, run, node, branch, {"value": value, "defaults": branch == "defaults"})


def _open(draft: Draft, run: TaskRun, node: Node, branch: str, outputs: Mapping[str, Any] | None = None) -> None:
    progress = Progress(total=len(node.lists.get(branch, ())), branch=branch)
    draft.move(run, State.RUNNING, progress=progress, outputs=draft.hide(dict(outputs or {})))
    open_container(draft, run.id, progress)


def _begin_each(draft: Draft, run: TaskRun, node: Node) -> None:
    values = _values(draft, node, run)
    limit = draft.env.foreach_max_values
    if len(values) > limit:
        raise ExpressionFailed(
            f"values: expected at most {limit:,} (WATCHFLOOR_FOREACH_MAX_VALUES), came {len(values):,}"
        )
    total = len(values) if node.lists.get(MAIN) else 0
    progress = Progress(total=total, branch=MAIN, values=values)
    draft.move(run, State.RUNNING, progress=progress)
    open_container(draft, run.id, progress)


def _values(draft: Draft, node: Node, run: TaskRun) -> tuple[str, ...]:
    found = evaluate(draft, node.task.values, context_of(draft, node, run))
    if isinstance(found, str):
        found = _listed(found)
    if isinstance(found, Mapping):
        found = [{"key": key, "value": value} for key, value in found.items()]
    if not isinstance(found, (list, tuple)):
        raise ExpressionFailed(f"values: expected a list, came {type(found).__name__}: {as_text(found)[:80]}")
    return tuple(dict.fromkeys(as_text(value) for value in found))


def _listed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ExpressionFailed(f"values: expected a JSON list, came {text[:80]!r}") from error


def as_text(value: Any) -> str:
    """A value as expressions print it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


_BEGIN: dict[Kind, Callable[[Draft, TaskRun, Node], None]] = {
    Kind.RUNNABLE: submit,
    Kind.SEQUENCE: _begin_list,
    Kind.PARALLEL: _begin_list,
    Kind.CHOICE: _begin_choice,
    Kind.EACH: _begin_each,
    Kind.DAG: _begin_dag,
    Kind.LOOP: _begin_list,
    Kind.FOLDER: _begin_list,
    Kind.PAUSE: begin_pause,
    Kind.SUBFLOW: begin_subflow,
}
