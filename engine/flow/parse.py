"""Text of a flow file to a Flow, or to all of its problems at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from engine.flow.base import Model
from engine.flow.dags import dag_problems
from engine.flow.defaults import KEY, Defaults
from engine.flow.document import Document
from engine.flow.errors import FlowError, Violation
from engine.flow.flowables import Dag, Pause, Subflow, WorkingDirectory
from engine.flow.kinds import nearest
from engine.flow.messages import message_of
from engine.flow.model import Flow
from engine.flow.tasks import TASKS
from engine.flow.triggers import TRIGGERS, trigger_warnings
from engine.flow_size import ANY, USUAL, FlowSize
from engine.model import SYSTEM_PREFIX

_Check = Callable[[Flow, Document], Iterator[Violation]]


def parse(source: str, size: FlowSize = USUAL) -> Flow:
    """The flow that ``source`` describes; raises FlowError with every problem, each with its line and column."""
    return _parsed(source, _CHECKS, size)


def parse_stored(source: str) -> Flow:
    """The flow of a source that was accepted once. It may have labels that are refused now, which are never set,
    retries that contradict themselves, which wait ``maxInterval``, and ``errors`` where nothing runs them."""
    return _parsed(source, tuple(check for check in _CHECKS if check not in _OF_NEW_ONES), ANY)


def _parsed(source: str, checks: Sequence[_Check], size: FlowSize) -> Flow:
    document = Document(source, size)
    if not isinstance(document.data, dict):
        raise FlowError([document.violation((), "expected a flow: a mapping with `id`, `namespace` and `tasks`")])
    defaults = Defaults(document.data.get(KEY), lambda name: {*TASKS.names(name), *TRIGGERS.names(name)})
    try:
        flow = Flow.model_validate(document.data, context={"plugin_defaults": defaults})
    except ValidationError as error:
        raise FlowError(_violations(document, defaults, error)) from error
    problems = [problem for check in checks for problem in check(flow, document)]
    if problems:
        raise FlowError(problems)
    flow._raw, flow._source = document.data, source
    flow._warnings = tuple(sorted(set(_warnings(flow, document, defaults))))
    return flow


def _violations(document: Document, defaults: Defaults, error: ValidationError) -> list[Violation]:
    """Each problem at its place. One of a default is a problem of every task that gets it: it is told once."""
    found = {}
    for problem in error.errors(include_url=False):
        path = defaults.origin(document.data, tuple(step for step in problem["loc"] if step != "[key]"))
        found[document.violation(path, message_of(problem))] = None
    return list(found)


def _twice(flow: Flow, document: Document) -> Iterator[Violation]:
    named = [
        ("task", ((task.id, (*place.path, "id")) for task, place in flow.walk())),
        ("input", ((item.id, ("inputs", index, "id")) for index, item in enumerate(flow.inputs))),
        ("trigger", ((item.id, ("triggers", index, "id")) for index, item in enumerate(flow.triggers))),
        ("output", ((item.id, ("outputs", index, "id")) for index, item in enumerate(flow.outputs))),
        ("SLA", ((item.id, ("sla", index, "id")) for index, item in enumerate(flow.sla))),
    ]
    for noun, ids in named:
        seen: dict[str, int] = {}
        for name, path in ids:
            line = document.position(path)[0]
            if name in seen:
                yield document.violation(
                    path, f"the {noun} id {name!r} is taken by the {noun} in line {seen[name]}; choose another"
                )
            seen.setdefault(name, line)


def _input_clashes(flow: Flow, document: Document) -> Iterator[Violation]:
    """An input can't be a value and hold others below it: ``db`` beside ``db.host``."""
    ids = {item.id for item in flow.inputs}
    for index, item in enumerate(flow.inputs):
        for end in (place for place, letter in enumerate(item.id) if letter == "."):
            if item.id[:end] in ids:
                message = f"the input {item.id!r} lies below the input {item.id[:end]!r}; rename one of them"
                yield document.violation(("inputs", index, "id"), message)


def _input_order(flow: Flow, document: Document) -> Iterator[Violation]:
    """An input depends on inputs before it."""
    before: set[str] = set()
    for index, item in enumerate(flow.inputs):
        for place, name in enumerate(item.dependsOn.inputs if item.dependsOn else ()):
            if name not in before:
                near = nearest(name, before)
                hint = f"; did you mean {' or '.join(near)}?" if near else ""
                path = ("inputs", index, "dependsOn", "inputs", place)
                yield document.violation(path, f"expected an input before this one, came {name!r}{hint}")
        before.add(item.id)


def _dags(flow: Flow, document: Document) -> Iterator[Violation]:
    for task, place in flow.walk():
        if isinstance(task, Dag):
            for path, message in dag_problems(task):
                yield document.violation((*place.path, *path), message)


def _folders(flow: Flow, document: Document) -> Iterator[Violation]:
    """In a WorkingDirectory only tasks that a worker runs: one folder can't be given to several at the same time."""
    for task, place in flow.walk():
        parent = flow.tasks_by_id[place.parent_task_id] if place.parent_task_id else None
        if isinstance(parent, WorkingDirectory) and task.flowable:
            kind = task.type.rpartition(".")[2]
            message = f"expected a task that a worker runs, came a {kind}; in a WorkingDirectory there is nothing else"
            yield document.violation((*place.path, "type"), message)


def _own_labels(flow: Flow, document: Document) -> Iterator[Violation]:
    """Labels that begin with ``system.`` are set by Watchfloor alone."""
    holders: list[tuple[Any, tuple[str | int, ...]]] = [
        (flow, ()),
        *((sla, ("sla", index)) for index, sla in enumerate(flow.sla)),
        *((task, place.path) for task, place in flow.walk()),
        *((trigger, ("triggers", index)) for index, trigger in enumerate(flow.triggers)),
    ]
    for holder, path in holders:
        labels = getattr(holder, "labels", None)
        for index, key in enumerate(labels if isinstance(labels, dict) else ()):
            if key.startswith(SYSTEM_PREFIX):
                where = (*path, "labels", key)
                line, column = max(document.key_position(where), document.position((*path, "labels", index, "key")))
                message = f"{key!r} is refused: labels with {SYSTEM_PREFIX!r} are set by Watchfloor alone"
                yield Violation(line, column, document.violation(where, "").path, message)


def _retries(flow: Flow, document: Document) -> Iterator[Violation]:
    """No retry waits longer than it may."""
    of_flow = [((), flow.retry)]
    for path, retry in (*of_flow, *((place.path, task.retry) for task, place in flow.walk())):
        if retry is not None and (wrong := retry.contradiction()) is not None:
            yield document.violation((*path, "retry", "maxInterval"), wrong)


def _childless(flow: Flow, document: Document) -> Iterator[Violation]:
    """``errors`` are for tasks with children, one of which may fail."""
    for task, place in flow.walk():
        if isinstance(task, (Pause, Subflow)) and task.raw.get("errors"):
            kind = task.type.rpartition(".")[2]
            message = f"expected no `errors`, a {kind} holds no tasks; put it into a Sequential that has them"
            yield document.violation((*place.path, "errors"), message)


_OF_NEW_ONES: tuple[_Check, ...] = (_own_labels, _retries, _childless)
_CHECKS: tuple[_Check, ...] = (_twice, _input_clashes, _input_order, _dags, _folders, *_OF_NEW_ONES)


def _warnings(flow: Flow, document: Document, defaults: Defaults) -> Iterator[Violation]:
    yield from _unread(document, (), flow, document.data)
    yield from _for_no_type(document, defaults)
    for task, place in flow.walk():
        yield from _unread(document, place.path, task, task.raw, defaults)
        if isinstance(task, Dag):
            for index, item in enumerate(task.tasks_):
                yield from _unread(document, (*place.path, "tasks", index), item, task.raw["tasks"][index])
    for index, trigger in enumerate(flow.triggers):
        yield from _unread(document, ("triggers", index), trigger, trigger.raw, defaults)
        yield from (document.violation(("triggers", index, *path), why) for path, why in trigger_warnings(trigger))


def _for_no_type(document: Document, defaults: Defaults) -> Iterator[Violation]:
    known = [*TASKS.types, *TRIGGERS.types]
    older = [*TASKS.old_names, *TRIGGERS.old_names]
    for item in defaults:
        if not any(item.fits(name) for name in (*known, *older)):
            near = nearest(item.type, known)
            hint = f"; nearest: {', '.join(near)}" if near else ""
            message = f"no task or trigger is of the type {item.type!r}{hint}"
            yield document.violation((KEY, item.index, "type"), message)


def _unread(
    document: Document,
    path: tuple[str | int, ...],
    model: Model,
    raw: dict[str, Any],
    defaults: Defaults | None = None,
) -> Iterator[Violation]:
    known = _keys(type(model))
    for key in raw:
        if key not in known:
            near = nearest(key, known)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            where = (*path, key)
            where = defaults.origin(document.data, where) if defaults else where
            if where[0] == KEY and document.data[KEY][where[1]]["type"] not in (*TASKS.types, *TRIGGERS.types):
                continue  # for many types: not all of them have every key
            at = document.key_position(where)
            yield Violation(*at, document.violation(where, "").path, f"the key {key!r} is not read{hint}")


def _keys(model: type[Model]) -> set[str]:
    keys: set[str] = set()
    for name, field in model.model_fields.items():
        choices = getattr(field.validation_alias, "choices", None)
        keys.update(choices or [field.alias or name])
    return keys
