"""Tasks that steer others: the reducer runs them, never a worker."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from engine.flow.base import Condition, Count, Duration, Id, Labels, Model, Strings, Text, either, one_or_many, some
from engine.flow.inputs import AnyInput
from engine.flow.tasks import TASKS, AnyTask, BranchPath, Container, Flowable, SomeTasks, Tasks
from engine.model import SUBFLOW_TASK

_FLOW = "io.kestra.plugin.core.flow."
_OLD = "io.kestra.core.tasks.flows."


@TASKS.register(f"{_FLOW}Sequential", f"{_OLD}Sequential")
class Sequential(Container):
    """Its tasks one after the other."""

    tasks: SomeTasks


@TASKS.register(f"{_FLOW}Parallel", f"{_OLD}Parallel")
class Parallel(Container):
    """Its tasks at the same time, at most ``concurrent`` of them (0: no limit)."""

    tasks: SomeTasks
    concurrent: int = Field(0, ge=0)


@TASKS.register(f"{_FLOW}If", f"{_OLD}If")
class If(Container):
    """``then`` when the condition is true, else ``else``."""

    BRANCHES: ClassVar[tuple[str, ...]] = ("then", "else")

    condition: Condition
    then: SomeTasks
    else_: Tasks = Field((), alias="else")


@TASKS.register(f"{_FLOW}Switch", f"{_OLD}Switch")
class Switch(Container):
    """The case named by ``value``, else ``defaults``."""

    value: Text
    cases: dict[Text, Tasks] = {}
    defaults: Tasks = ()

    @model_validator(mode="after")
    def _some_branch(self) -> Switch:
        if not self.cases and not self.defaults:
            raise ValueError("expected `cases` or `defaults`, came neither")
        return self

    def branches(self) -> tuple[tuple[BranchPath, Tasks], ...]:
        cases = tuple((("cases", name), tasks) for name, tasks in self.cases.items())
        rest = ((("defaults",), self.defaults), (("errors",), self.errors))
        return tuple((path, tasks) for path, tasks in cases + rest if tasks)


@TASKS.register(f"{_FLOW}ForEach")
class ForEach(Container):
    """Its tasks, in order, once for each distinct value; ``concurrencyLimit`` values at a time (0: no limit).

    ``values`` is a list, or a template or text that gives one as JSON.
    """

    values: Annotated[Any, either(list, str, dict)]
    tasks: SomeTasks
    concurrencyLimit: int = Field(1, ge=0)


class DagTask(Model):
    """One task of a Dag, and the ids of those it waits for."""

    task: AnyTask
    dependsOn: Annotated[tuple[Id, ...], BeforeValidator(one_or_many)] = ()


@TASKS.register(f"{_FLOW}Dag", f"{_OLD}Dag")
class Dag(Container):
    """Its tasks, each once all it depends on have ended well; at most ``concurrent`` at the same time (0: no limit)."""

    tasks_: Annotated[tuple[DagTask, ...], BeforeValidator(some)] = Field(alias="tasks")
    concurrent: int = Field(0, ge=0)

    @property
    def tasks(self) -> Tasks:
        """Its tasks without what they depend on."""
        return tuple(item.task for item in self.tasks_)

    @property
    def depends_on(self) -> dict[str, tuple[str, ...]]:
        """Of each task the ids of those it waits for."""
        return {item.task.id: item.dependsOn for item in self.tasks_}

    def item_path(self, branch: BranchPath) -> tuple[str, ...]:
        return ("task",) if branch == ("tasks",) else ()


class CheckFrequency(Model):
    """How long a LoopUntil waits between two rounds, and when it gives up."""

    interval: Duration = 1.0
    maxIterations: Count | None = None
    maxDuration: Duration | None = None


@TASKS.register(f"{_FLOW}LoopUntil", f"{_FLOW}WaitFor")
class LoopUntil(Container):
    """Its tasks, in order, again and again until ``condition`` is true after a round.

    ``failOnMaxReached``: giving up by ``checkFrequency`` is a failure.
    """

    condition: Condition
    tasks: SomeTasks
    checkFrequency: CheckFrequency = CheckFrequency()
    failOnMaxReached: bool = False


@TASKS.register(f"{_FLOW}AllowFailure", f"{_OLD}AllowFailure")
class AllowFailure(Container):
    """Its tasks one after the other; a failure of one is a warning of it."""

    tasks: SomeTasks


@TASKS.register(f"{_FLOW}WorkingDirectory", f"{_OLD}WorkingDirectory")
class WorkingDirectory(Container):
    """Its tasks one after the other, all in one folder. ``inputFiles`` are in it from the start; ``outputFiles`` are
    kept when all tasks ended well."""

    tasks: SomeTasks
    inputFiles: Annotated[Any, either(dict, list, str)] = {}
    outputFiles: Strings = ()


@TASKS.register(f"{_FLOW}Pause", f"{_OLD}Pause")
class Pause(Flowable):
    """Waits for ``resume``, or for ``pauseDuration`` to do ``behavior``; its ``timeout`` ends the wait as FAILED."""

    pauseDuration: Duration | None = Field(None, validation_alias=AliasChoices("pauseDuration", "delay"))
    behavior: Literal["RESUME", "WARN", "FAIL", "CANCEL"] = "RESUME"
    onResume: tuple[AnyInput, ...] = ()


@TASKS.register(SUBFLOW_TASK, f"{_OLD}Subflow", f"{_OLD}Flow")
class Subflow(Flowable):
    """Another flow as a task. ``wait`` for its end; ``transmitFailed`` makes its bad end the task's own."""

    namespace: Text
    flowId: Text
    revision: int | None = Field(None, ge=1)
    inputs: dict[str, Any] = {}
    wait: bool = True
    transmitFailed: bool = True
    inheritLabels: bool = False
    labels: Labels = {}
