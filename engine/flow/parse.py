"""Text of a flow file to a Flow, or to all of its problems at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from engine.flow.base import Model
from engine.flow.dags import dag_problems
from engine.flow.document import Document
from engine.flow.errors import FlowError, Violation
from engine.flow.flowables import Dag
from engine.flow.kinds import nearest
from engine.flow.messages import message_of
from engine.flow.model import Flow
from engine.flow.triggers import trigger_warnings


def parse(source: str) -> Flow:
    """The flow that ``source`` describes; raises FlowError with every problem, each with its line and column."""
    document = Document(source)
    if not isinstance(document.data, dict):
        raise FlowError([document.violation((), "expected a flow: a mapping with `id`, `namespace` and `tasks`")])
    try:
        flow = Flow.model_validate(document.data, context={"plugin_defaults": _defaults(document.data)})
    except ValidationError as error:
        raise FlowError([_violation(document, problem) for problem in error.errors(include_url=False)]) from error
    problems = [*_twice(flow, document), *_input_clashes(flow, document), *_dags(flow, document)]
    if problems:
        raise FlowError(problems)
    flow._raw, flow._source, flow._warnings = document.data, source, tuple(sorted(_warnings(flow, document)))
    return flow


def _violation(document: Document, problem: Any) -> Violation:
    path = [step for step in problem["loc"] if step != "[key]"]
    return document.violation(path, message_of(problem))


def _defaults(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The well-formed ``pluginDefaults``; malformed ones are reported by the model."""
    given = data.get("pluginDefaults")
    return [
        item
        for item in (given if isinstance(given, list) else [])
        if isinstance(item, dict) and isinstance(item.get("type"), str) and isinstance(item.get("values"), dict)
    ]


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


def _dags(flow: Flow, document: Document) -> Iterator[Violation]:
    for task, place in flow.walk():
        if isinstance(task, Dag):
            for path, message in dag_problems(task):
                yield document.violation((*place.path, *path), message)


def _warnings(flow: Flow, document: Document) -> Iterator[Violation]:
    yield from _unread(document, (), flow, document.data)
    for task, place in flow.walk():
        yield from _unread(document, place.path, task, task.raw)
        if isinstance(task, Dag):
            for index, item in enumerate(task.tasks_):
                yield from _unread(document, (*place.path, "tasks", index), item, task.raw["tasks"][index])
    for index, trigger in enumerate(flow.triggers):
        yield from _unread(document, ("triggers", index), trigger, trigger.raw)
        yield from (document.violation(("triggers", index, *path), why) for path, why in trigger_warnings(trigger))


def _unread(document: Document, path: tuple[str | int, ...], model: Model, raw: dict[str, Any]) -> Iterator[Violation]:
    known = _keys(type(model))
    for key in raw:
        if key not in known:
            near = nearest(key, known)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            at = document.key_position((*path, key))
            yield Violation(*at, document.violation((*path, key), "").path, f"the key {key!r} is not read{hint}")


def _keys(model: type[Model]) -> set[str]:
    keys: set[str] = set()
    for name, field in model.model_fields.items():
        choices = getattr(field.validation_alias, "choices", None)
        keys.update(choices or [field.alias or name])
    return keys
