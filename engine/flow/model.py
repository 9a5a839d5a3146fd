"""A flow: what a file says, and where each task stands in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from engine.flow.base import FlowId, Id, Labels, Model, Namespace, Seconds, Text, scalar_text
from engine.flow.errors import Violation
from engine.flow.inputs import INPUTS, AnyInput, list_of
from engine.flow.retry import AnyRetry
from engine.flow.tasks import SomeTasks, Task, Tasks
from engine.flow.triggers import AnyTrigger, Schedule
from engine.model import Branch

_SECTIONS = {"errors": Branch.ERRORS, "finally": Branch.FINALLY, "afterExecution": Branch.AFTER_EXECUTION}


_TEXTS, _LISTS = ("STRING", "SELECT", "ENUM"), ("ARRAY", "MULTISELECT")


def _output_type(name: str) -> str:
    known = [one for one in INPUTS.types if one != "SECRET"]
    if name not in known:
        raise ValueError(f"expected one of {', '.join(known)}, came {name!r}")
    return name


class Output(Model):
    """A value the flow gives back: ``value`` is rendered at the end and must be of ``type``."""

    id: Id
    type: Annotated[Text, AfterValidator(_output_type)] = "STRING"
    value: Any
    description: Text | None = None

    def read(self, value: Any) -> Any:
        """``value`` in the plain form of the type, null as it is; raises ValueError: expected …, came …."""
        if value is None:
            return None
        if self.type in _TEXTS:
            text = scalar_text(value)
            return text if isinstance(text, str) else json.dumps(value, ensure_ascii=False, default=str)
        if self.type in _LISTS:
            return list_of(value)
        return INPUTS.types[self.type].model_construct(id=self.id, type=self.type).read(value)


class Concurrency(Model):
    """How many executions of the flow may run at once, and what becomes of one more."""

    limit: int = Field(ge=1)
    behavior: Literal["QUEUE", "CANCEL", "FAIL"] = "QUEUE"


class Sla(Model):
    """A promise about executions and what happens when it is broken."""

    id: Id
    type: Literal["MAX_DURATION", "EXECUTION_ASSERTION"]
    duration: Seconds | None = None
    assert_: Text | None = Field(None, alias="assert")
    behavior: Literal["FAIL", "CANCEL", "NONE"] = "NONE"
    labels: Labels = {}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"MAX_DURATION": ("duration", self.duration), "EXECUTION_ASSERTION": ("assert", self.assert_)}
        key, value = needed[self.type]
        if value is None:
            raise ValueError(f"expected the key `{key}`: an SLA of type {self.type} needs it")
        return self


class PluginDefault(Model):
    """Values for all tasks and triggers of ``type`` or of the types below it; ``forced`` ones win over their own."""

    type: str
    values: dict[str, Any]
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task stands. ``branch`` is the list it is in, named as in the file.

    At the top: ``tasks``, ``errors``, ``finally``, ``afterExecution``. In a flowable: ``tasks``, ``then``,
    ``else``, ``cases.<case>``, ``defaults``, ``errors``. ``section`` is its kind: an ``errors`` list is ERRORS.
    ``siblings`` are all tasks of that list, the task itself at ``index``. ``path`` leads to it in the file.
    """

    parent_task_id: str | None
    branch: str
    section: Branch
    index: int
    siblings: tuple[Task, ...]
    depth: int
    path: tuple[str | int, ...]

    @property
    def next(self) -> Task | None:
        """The task after this one in the same list."""
        return self.siblings[self.index + 1] if self.index + 1 < len(self.siblings) else None


class Flow(Model):
    """A flow file. ``revision`` is not in it: the server gives that. ``source`` is the text as it was given."""

    id: FlowId
    namespace: Namespace
    description: Text | None = None
    labels: Labels = {}
    inputs: tuple[AnyInput, ...] = ()
    variables: dict[str, Any] = {}
    tasks: SomeTasks
    errors: Tasks = ()
    finally_: Tasks = Field((), alias="finally")
    afterExecution: Tasks = ()
    triggers: tuple[AnyTrigger, ...] = ()
    outputs: tuple[Output, ...] = ()
    retry: AnyRetry | None = None
    disabled: bool = False
    concurrency: Concurrency | None = None
    sla: tuple[Sla, ...] = ()
    pluginDefaults: tuple[PluginDefault, ...] = ()

    _source: str = PrivateAttr("")
    _warnings: tuple[Violation, ...] = PrivateAttr(())

    @property
    def source(self) -> str:
        """The text as it was given."""
        return self._source

    @property
    def warnings(self) -> tuple[Violation, ...]:
        """What doesn't stop the flow from running but is likely not meant so: keys that nothing reads, and the like."""
        return self._warnings

    def branches(self) -> tuple[tuple[tuple[str, ...], Tasks], ...]:
        """Its top-level lists that hold tasks, in the order they run."""
        lists = (
            (("tasks",), self.tasks),
            (("errors",), self.errors),
            (("finally",), self.finally_),
            (("afterExecution",), self.afterExecution),
        )
        return tuple((path, tasks) for path, tasks in lists if tasks)

    def branch(self, name: str) -> Tasks:
        """Tasks of the top-level list ``name``; none when the flow has no such list."""
        return next((tasks for path, tasks in self.branches() if path == (name,)), ())

    def schedules(self) -> tuple[Schedule, ...]:
        """Its Schedule triggers that start executions: none when the flow is disabled."""
        enabled = () if self.disabled else self.triggers
        return tuple(trigger for trigger in enabled if isinstance(trigger, Schedule) and not trigger.disabled)

    def walk(self) -> Iterator[tuple[Task, Place]]:
        """Every task with its place, parents before children, in the order of the file's lists."""
        for path, tasks in self.branches():
            yield from _walk(None, path, path, tasks, 0)

    @cached_property
    def places(self) -> dict[str, Place]:
        """Place of each task by id."""
        return {task.id: place for task, place in self.walk()}

    @cached_property
    def tasks_by_id(self) -> dict[str, Task]:
        """Each task by id, in file order; ids are unique in a flow."""
        return {task.id: task for task, _ in self.walk()}

    def task(self, task_id: str) -> Task:
        """The task ``task_id``; KeyError when the flow has none."""
        return self.tasks_by_id[task_id]

    def place(self, task_id: str) -> Place:
        """Where ``task_id`` stands; KeyError when the flow has no such task."""
        return self.places[task_id]

    def parents(self, task_id: str) -> tuple[str, ...]:
        """Ids of the flowables around ``task_id``, nearest first."""
        found = []
        parent = self.places[task_id].parent_task_id
        while parent is not None:
            found.append(parent)
            parent = self.places[parent].parent_task_id
        return tuple(found)


def _walk(
    parent: str | None,
    branch: tuple[str, ...],
    path: tuple[str | int, ...],
    tasks: Tasks,
    depth: int,
    item: tuple[str, ...] = (),
) -> Iterator[tuple[Task, Place]]:
    section = _SECTIONS.get(branch[0], Branch.TASKS)
    for index, task in enumerate(tasks):
        here = (*path, index, *item)
        yield task, Place(parent, ".".join(branch), section, index, tasks, depth, here)
        for below, children in task.branches():
            item = task.item_path(below)
            yield from _walk(task.id, below, (*here, *below), children, depth + 1, item)
