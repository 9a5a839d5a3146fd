"""What is left in the store of a run, without what may differ from run to run; and how two of them differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.chaos.mix import NAMESPACE
from benchmarks.chaos.paths import attempts_of, path_of, run_path_of
from data import Store
from data.filters import Filters
from data.records import LogQuery
from engine.ids import attempt_id
from engine.model import Execution, TaskRun
from engine.states import State

_ENGINE_LINES = 10_000_000  # their texts name moments and attempt numbers
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_OF_THE_RUN = {"executionId", "resumed"}  # outputs that name ids and moments


class Outcome(msgspec.Struct):
    """Each execution by its name, as plain values; attempts that ran twice, those that were RESUBMITTED; the key-value
    store; ``wrong`` is what must not be in any run."""

    executions: dict[str, Any]
    twice: list[str]
    resubmitted: int
    kept: dict[str, Any] = {}
    wrong: list[str] = []


def outcome_of(store: Store, ids: dict[str, str], side: Path, wrong: list[str]) -> Outcome:
    """The outcome of the executions ``ids`` (name → id), of their subflows and of what followed them."""
    found = _with_children(store, ids)
    names = {execution.id: name for name, execution in found.items()}
    shown = {name: _shown(store, execution, names) for name, execution in found.items()}
    others = sum(store.counts(Filters()).values()) - len(found)
    attempts = [a for e in found.values() for run in e.task_runs.values() for a in run.attempts]
    ran = Counter(side.read_text().split()) if side.exists() else Counter()
    lost = sum(attempt.state is State.RESUBMITTED for attempt in attempts)
    twice = sorted(name for name, times in ran.items() if times > 1)
    kept = {value.key: value.value for value in store.kv_list(NAMESPACE)}
    return Outcome(shown, twice, lost, kept, wrong + ([f"{others} executions nobody asked for"] if others else []))


def _with_children(store: Store, ids: dict[str, str]) -> dict[str, Execution]:
    found: dict[str, Execution] = {}
    while ids:
        loaded = store.load_many(list(ids.values()))
        new = {name: loaded[id] for name, id in ids.items() if id in loaded}
        found |= new
        ids = dict(pair for name, execution in new.items() for pair in _following(store, name, execution))
    return found


def _following(store: Store, name: str, execution: Execution) -> Iterator[tuple[str, str]]:
    """Names and ids of the subflows of an execution, and of those that took its place."""
    subflows = [run for run in execution.task_runs.values() if run.subflow_execution_id is not None]
    for run in subflows:
        yield "/".join(filter(None, (name, run.task_id, run.value))), run.subflow_execution_id or ""
    if execution.state is State.RETRIED:
        for place, row in enumerate(store.children(execution.id)):
            yield f"{name}/{place}", row.id


def _shown(store: Store, execution: Execution, names: dict[str, str]) -> dict[str, Any]:
    lines, metrics = _lines(store, execution), _metrics(store, execution)
    runs = sorted(execution.task_runs.values(), key=lambda run: (run.task_id, run.value or "", run.iteration or 0))
    return {
        "flow": execution.flow_id,
        "state": execution.state.value,
        "history": path_of(execution),
        "labels": execution.labels,
        "attempt_number": execution.attempt_number,
        "outputs": execution.outputs,
        "error": execution.error and _ID.sub(lambda found: names.get(found[0], found[0]), execution.error),
        "task_runs": [_run_shown(run, lines, metrics.get(run.id, [])) for run in runs],
    }


def _run_shown(run: TaskRun, lines: dict[str, list[str]], metrics: list[Any]) -> dict[str, Any]:
    kept = attempts_of(run)
    # What a killed task gave and said last depends on whether its worker lived to tell.
    given = run.outputs if run.state is not State.KILLED else {}
    outputs = {key: value for key, value in given.items() if key not in _OF_THE_RUN}
    return {
        "task": run.task_id,
        "value": run.value,
        "iteration": run.iteration,
        "branch": run.branch.value,
        "state": run.state.value,
        "history": run_path_of(run),
        "metrics": metrics,
        "outputs": outputs,
        "attempts": [attempt.state.value for attempt in kept],
        "lines": [lines.get(attempt_id(run.id, a.number), []) for a in kept if a.state is not State.KILLED],
    }


def _metrics(store: Store, execution: Execution) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in store.metrics(execution.id):
        found.setdefault(row.task_run_id, []).append([row.name, row.type, row.value, row.tags])
    return found


def _lines(store: Store, execution: Execution) -> dict[str, list[str]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for entry in store.iter_logs(LogQuery(execution.id)):
        if entry.task_run_id is not None and entry.number < _ENGINE_LINES:
            found.setdefault(attempt_id(entry.task_run_id, entry.attempt), []).append((entry.number, entry.message))
    return {attempt: [message for _, message in sorted(lines)] for attempt, lines in found.items()}


def differences(expected: Outcome, got: Outcome) -> list[str]:
    """In words, what is not as expected; nothing when the two are equal."""
    said = [f"in the undisturbed run: {words}" for words in expected.wrong] + got.wrong
    said += [f"attempt {attempt} ran twice" for attempt in got.twice]
    if got.kept != expected.kept:
        said.append(f"key-value store {_short(got.kept)}, expected {_short(expected.kept)}")
    for name in sorted(expected.executions.keys() | got.executions.keys()):
        before, after = expected.executions.get(name), got.executions.get(name)
        if before is None or after is None:
            said.append(f"{name}: {'not expected' if before is None else 'missing'}")
        else:
            said += [f"{name}: {words}" for words in _differ(before, after)]
    return said


def _differ(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    said = [
        f"{key} {after[key]!r}, expected {before[key]!r}"
        for key in before
        if key != "task_runs" and before[key] != after[key]
    ]
    runs, others = before["task_runs"], after["task_runs"]
    if [run["task"] for run in runs] != [run["task"] for run in others]:
        return [*said, f"task runs {[run['task'] for run in others]}, expected {[run['task'] for run in runs]}"]
    for run, other in zip(runs, others, strict=True):
        said += [
            f"{run['task']}: {key} {_short(other[key])}, expected {_short(run[key])}"
            for key in run
            if run[key] != other[key]
        ]
    return said


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"
