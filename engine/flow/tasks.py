"""What every task has, and the tasks that steer others (flowables). Runnable ones are in ``engine.flow.runnable``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, BeforeValidator, Field, PlainValidator, SerializeAsAny, model_validator

from engine.flow.base import Condition, Duration, Id, Labels, Model, Text, either, some
from engine.flow.inputs import AnyInput
from engine.flow.kinds import Kinds
from engine.flow.retry import AnyRetry

LogLevel = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]
BranchPath = tuple[str, ...]


class Task(Model):
    """Keys of every task. ``timeout`` is in seconds, or a template that gives a duration.

    ``raw`` is the task as written, with the flow's ``pluginDefaults`` and today's name of its type filled in: what
    workers get.
    """

    flowable: ClassVar[bool] = False

    id: Id
    type: str
    description: Text | None = None
    timeout: Duration | None = None
    retry: AnyRetry | None = None
    disabled: bool = False
    runIf: Condition | None = None
    allowFailure: bool = False
    allowWarning: bool = False
    logLevel: LogLevel | None = None

    def branches(self) -> tuple[tuple[BranchPath, Tasks], ...]:
        """Its non-empty lists of children, ``errors`` last, each after its path: ``("then",)``, ``("cases", "a")``."""
        return ()

    def branch(self, name: str) -> Tasks:
        """Children of the branch ``name``: ``tasks``, ``then``, ``cases.a``, ``errors``; else none."""
        return next((tasks for path, tasks in self.branches() if ".".join(path) == name), ())


TASKS = Kinds("task", Task)
TASK_TYPES = TASKS.types
AnyTask = Annotated[SerializeAsAny[Task], PlainValidator(TASKS.read)]
Tasks = tuple[AnyTask, ...]
SomeTasks = Annotated[Tasks, BeforeValidator(some)]
_FLOW = "io.kestra.plugin.core.flow."
_OLD = "io.kestra.core.tasks.flows."


class Flowable(Task):
    """A task that only steers its children: the reducer runs it, never a worker."""

    flowable: ClassVar[bool] = True
    BRANCHES: ClassVar[tuple[str, ...]] = ("tasks",)

    errors: Tasks = ()

    def branches(self) -> tuple[tuple[BranchPath, Tasks], ...]:
        lists = tuple(((name,), getattr(self, _FIELDS.get(name, name))) for name in (*self.BRANCHES, "errors"))
        return tuple((path, tasks) for path, tasks in lists if tasks)


_FIELDS = {"else": "else_"}


@TASKS.register(f"{_FLOW}Sequential", f"{_OLD}Sequential")
class Sequential(Flowable):
    """Its tasks one after the other."""

    tasks: SomeTasks


@TASKS.register(f"{_FLOW}Parallel", f"{_OLD}Parallel")
class Parallel(Flowable):
    """Its tasks at the same time, at most ``concurrent`` of them (0: no limit)."""

    tasks: SomeTasks
    concurrent: int = Field(0, ge=0)


@TASKS.register(f"{_FLOW}If", f"{_OLD}If")
class If(Flowable):
    """``then`` when the condition is true, else ``else``."""

    BRANCHES: ClassVar[tuple[str, ...]] = ("then", "else")

    condition: Condition
    then: SomeTasks
    else_: Tasks = Field((), alias="else")


@TASKS.register(f"{_FLOW}Switch", f"{_OLD}Switch")
class Switch(Flowable):
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
class ForEach(Flowable):
    """Its tasks, in order, once for each distinct value; ``concurrencyLimit`` values at a time (0: no limit).

    ``values`` is a list, or a template or text that gives one as JSON.
    """

    values: Annotated[Any, either(list, str, dict)]
    tasks: SomeTasks
    concurrencyLimit: int = Field(1, ge=0)


@TASKS.register(f"{_FLOW}Pause", f"{_OLD}Pause")
class Pause(Flowable):
    """Waits for ``resume``, or for ``pauseDuration`` to do ``behavior``; its ``timeout`` ends the wait as FAILED."""

    BRANCHES: ClassVar[tuple[str, ...]] = ()

    pauseDuration: Duration | None = Field(None, validation_alias=AliasChoices("pauseDuration", "delay"))
    behavior: Literal["RESUME", "WARN", "FAIL", "CANCEL"] = "RESUME"
    onResume: tuple[AnyInput, ...] = ()


@TASKS.register(f"{_FLOW}Subflow", f"{_OLD}Subflow", f"{_OLD}Flow")
class Subflow(Flowable):
    """Another flow as a task. ``wait`` for its end; ``transmitFailed`` makes its bad end the task's own."""

    BRANCHES: ClassVar[tuple[str, ...]] = ()

    namespace: Text
    flowId: Text
    revision: int | None = Field(None, ge=1)
    inputs: dict[str, Any] = {}
    wait: bool = True
    transmitFailed: bool = True
    inheritLabels: bool = False
    labels: Labels = {}
