"""What expressions see. Outputs are looked up by derived task-run ids, so a context costs the same in any flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.model import TaskRun
from engine.reducer.draft import Draft
from engine.reducer.plan import Kind, Node
from engine.secrecy import inputs_of, outputs_of, variables_of

_MISSING = object()


class ExpressionFailed(ValueError):
    """An expression of the flow could not be evaluated; the message says why."""


def evaluate(draft: Draft, template: Any, context: Mapping[str, Any]) -> Any:
    """``template`` rendered, inside lists and mappings too; other values as they are. Raises ``ExpressionFailed``."""
    if isinstance(template, str):
        if "{{" not in template and "{%" not in template:
            return template
        try:
            return draft.env.evaluate(template, context, draft.at, draft.chance)
        except Exception as error:  # the evaluator runs the flow author's code: whatever it raises is the flow's error
            raise ExpressionFailed(str(error) or type(error).__name__) from error
    if isinstance(template, Mapping):
        return {key: evaluate(draft, value, context) for key, value in template.items()}
    if isinstance(template, (list, tuple)):
        return [evaluate(draft, value, context) for value in template]
    return template


def iso(moment: datetime) -> str:
    """A moment as expressions see it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def context_of(draft: Draft, node: Node | None = None, run: TaskRun | None = None) -> dict[str, Any]:
    """The context of a task (run), or of the execution itself."""
    execution = draft.execution
    trigger = execution.trigger
    context = {
        "flow": {"id": execution.flow_id, "namespace": execution.namespace, "revision": execution.revision},
        "execution": _execution(draft),
        "inputs": inputs_of(execution),
        "vars": variables_of(execution),
        "labels": execution.labels,
        "trigger": trigger.variables if trigger else {},
        "namespace": {"id": execution.namespace},
        "outputs": Outputs(draft),
    }
    if draft.error is not None:
        context["error"] = {"taskId": draft.failed_task, "message": draft.error}
    if node is not None:
        context["task"] = {"id": node.id, "type": node.task.type}
    if run is not None:
        context |= _run_context(draft, run)
    return context


def _execution(draft: Draft) -> dict[str, Any]:
    execution = draft.execution
    return {
        "id": execution.id,
        "startDate": iso(execution.start_date),
        "state": draft.state.value,
        "originalId": execution.original_id or execution.id,
        "attemptNumber": execution.attempt_number,
    }


def _run_context(draft: Draft, run: TaskRun) -> dict[str, Any]:
    parents = [{"taskrun": _taskrun(parent), "outputs": parent.outputs} for parent in ancestors(draft, run)]
    return {"taskrun": _taskrun(run), "parents": parents, "parent": parents[0] if parents else {}}


def _taskrun(run: TaskRun) -> dict[str, Any]:
    seen = {
        "id": run.id,
        "taskId": run.task_id,
        "startDate": iso(run.history[0].date),
        "attemptsCount": len(run.attempts),
        "parentId": run.parent_id,
        "value": run.value,
        "iteration": run.iteration,
    }
    return {key: value for key, value in seen.items() if value is not None}


def ancestors(draft: Draft, run: TaskRun) -> Iterator[TaskRun]:
    """The flowable task runs around a task run, nearest first."""
    while run.parent_id is not None:
        run = draft.runs[run.parent_id]
        yield run


class Outputs(Mapping[str, Any]):
    """Outputs of task runs by task id, below a ForEach by value. Only what is asked for is looked up.

    Iteration leaves out tasks that gave nothing; asked for by name, those are empty.
    """

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def __getitem__(self, task_id: str) -> Any:
        node = self._draft.plan.nodes.get(task_id)
        found = _MISSING if node is None else _below(self._draft, (*node.path, node), 0, None, None)
        if found is _MISSING:
            raise KeyError(task_id)
        return found

    def __iter__(self) -> Iterator[str]:
        return (task_id for task_id in self._draft.plan.nodes if self.get(task_id))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, task_id: object) -> bool:
        try:
            self[task_id]  # type: ignore[index]
        except KeyError:
            return False
        return True


class ByValue(Mapping[str, Any]):
    """What one task of a ForEach gave, by value; nested ForEach tasks nest these."""

    def __init__(self, draft: Draft, chain: tuple[Node, ...], index: int, each: TaskRun) -> None:
        self._draft = draft
        self._chain = chain
        self._index = index
        self._each = each

    def __getitem__(self, value: str) -> Any:
        found = _below(self._draft, self._chain, self._index, self._each.id, value)
        if found is _MISSING:
            raise KeyError(value)
        return found

    def __iter__(self) -> Iterator[str]:
        values = self._each.progress.values if self._each.progress else ()
        return (value for value in values if self.get(value, _MISSING) is not _MISSING)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _below(draft: Draft, chain: tuple[Node, ...], index: int, parent_id: str | None, value: str | None) -> Any:
    """Outputs of the last of ``chain``, from its ``index``-th node on, which runs below ``parent_id``."""
    for step in range(index, len(chain)):
        run = find_run(draft, chain[step], parent_id, value)
        if run is None:
            return _MISSING
        if step == len(chain) - 1:
            return outputs_of(draft.execution, run.id, run.outputs)
        if chain[step].kind is Kind.EACH:
            return ByValue(draft, chain, step + 1, run)
        parent_id, value = run.id, run.value
    return _MISSING


def find_run(draft: Draft, node: Node, parent_id: str | None, value: str | None) -> TaskRun | None:
    """The newest task run of ``node`` under ``parent_id``; in a LoopUntil of this round, else of the one before."""
    if node.repeats:
        return _of_round(draft, node, parent_id, value)
    last = draft.execution.attempt_number
    for number in range(last, 0, -1) if node.side else (last,):
        run = draft.runs.get(draft.run_id(node, parent_id, value, number))
        if run is not None:
            return run
    return None


def _of_round(draft: Draft, node: Node, parent_id: str | None, value: str | None) -> TaskRun | None:
    loop = draft.runs[parent_id]
    progress = draft.progress(loop.id) or loop.progress
    newest = progress.iteration if progress else 0
    runs = (draft.runs.get(draft.run_id(node, parent_id, value, iteration=i)) for i in (newest, newest - 1))
    return next((run for run in runs if run is not None), None)
