"""What a worker gets: the task as written, and of the context only what its templates refer to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from engine.durations import parse_duration
from engine.model import TaskRun
from engine.reducer.context import ByValue, Outputs, ancestors, context_of, evaluate
from engine.reducer.draft import Draft
from engine.reducer.plan import Node
from engine.secrecy import secrets_of
from streaming.messages import Job, JobFolder

_TRIMMED = ("inputs", "vars", "labels", "trigger", "error")
_OUTPUTS = "outputs"
_VARS = "vars"
_OWN_KEY = r"\[\s*(?:taskrun|parent\.taskrun|parents\[\d+\]\.taskrun)\.value\s*\]"
_ALL_LEVELS = 1_000


class Uses(msgspec.Struct, frozen=True):
    """What the templates of a task refer to. ``own`` says for each task of ``outputs`` how many ForEach levels are
    only asked for with the task run's own values, so that the other values need not travel."""

    names: frozenset[str]
    outputs: frozenset[str]
    all_outputs: bool
    own: Mapping[str, int]


def job_of(draft: Draft, run: TaskRun, node: Node, attempt: int, folder: JobFolder | None = None) -> Job:
    """The job of one attempt. Raises ``ExpressionFailed`` or ``DurationError`` when its timeout is none."""
    execution = draft.execution
    return Job(
        execution_id=execution.id,
        namespace=execution.namespace,
        flow_id=execution.flow_id,
        revision=execution.revision,
        task_run_id=run.id,
        attempt=attempt,
        task=node.task.raw,
        context=_context(draft, run, node),
        timeout=seconds_of(draft, node.task.timeout, node, run),
        secrets=secrets_of(execution),
        folder=folder,
    )


def seconds_of(draft: Draft, duration: Any, node: Node, run: TaskRun) -> float | None:
    """A duration that may be a template, in seconds."""
    if isinstance(duration, str):
        duration = evaluate(draft, duration, context_of(draft, node, run))
        duration = duration.total_seconds() if isinstance(duration, timedelta) else parse_duration(duration)
    return duration


def _context(draft: Draft, run: TaskRun, node: Node) -> dict[str, Any]:
    uses = _uses(draft, node)
    context = context_of(draft, node, run)
    outputs = context.pop(_OUTPUTS)
    for name in _TRIMMED:
        if name not in uses.names:
            context.pop(name, None)
    if uses.all_outputs or uses.outputs:
        own = frozenset(r.value for r in (run, *ancestors(draft, run)) if r.value is not None)
        context[_OUTPUTS] = _plain_outputs(outputs, uses, own)
    return context


def _plain_outputs(outputs: Outputs, uses: Uses, own: frozenset[str]) -> dict[str, Any]:
    names = list(outputs) if uses.all_outputs else [name for name in sorted(uses.outputs) if name in outputs]
    return {name: _plain(outputs[name], uses.own.get(name, 0), own) for name in names}


def _plain(value: Any, own_levels: int, own: frozenset[str]) -> Any:
    if not isinstance(value, ByValue):
        return value
    keys = [key for key in own if key in value] if own_levels > 0 else list(value)
    return {key: _plain(value[key], own_levels - 1, own) for key in keys}


def _uses(draft: Draft, node: Node) -> Uses:
    if node.memo is None:
        node.memo = _find_uses(draft, node.task.raw, draft.plan.flow.variables)
    return node.memo


def _find_uses(draft: Draft, raw: Mapping[str, Any], variables: Mapping[str, Any]) -> Uses:
    find = draft.env.references or _references
    found = [find(raw)]
    texts = _texts(raw)
    if _VARS in found[0].names and variables:
        found.append(find(variables))
        texts += _texts(variables)
    everything = any(part.all_outputs for part in found)
    outputs = frozenset(task_id for part in found for task_id in part.outputs)
    own = {} if everything else {task_id: _own_levels(task_id, texts) for task_id in outputs}
    return Uses(frozenset(name for part in found for name in part.names), outputs, everything, own)


def _references(value: Any) -> Any:
    from engine.expressions import references

    return references(value)


def _own_levels(task_id: str, texts: list[str]) -> int:
    """How many levels of ``outputs.<task>[…]`` have the task run's own value as key wherever it is used."""
    name = re.escape(task_id)
    member = rf"(?:\.{name}(?![\w-])|\[\s*['\"]{name}['\"]\s*\])"
    use = re.compile(rf"(currentEachOutput\(\s*)?outputs{member}((?:\s*{_OWN_KEY})*)")
    uses = [match for text in texts for match in use.finditer(text)]
    return min((_ALL_LEVELS if use[1] else len(re.findall(_OWN_KEY, use[2])) for use in uses), default=0)


def _texts(value: Any) -> list[str]:
    """All texts with templates in a nested value."""
    if isinstance(value, str):
        return [value] if "{{" in value or "{%" in value else []
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, (list, tuple)):
        return [text for part in value for text in _texts(part)]
    return []
