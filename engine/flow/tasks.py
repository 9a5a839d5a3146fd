"""What every task has. The kinds are in ``engine.flow.flowables`` (they steer others) and ``engine.flow.runnable``."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, PlainValidator, SerializeAsAny

from engine.flow.base import Condition, Duration, Id, Model, Text, some
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

    def item_path(self, branch: BranchPath) -> tuple[str, ...]:
        """What leads from an item of the list ``branch`` in the file to the task in it: mostly nothing."""
        return ()

    def branch(self, name: str) -> Tasks:
        """Children of the branch ``name``: ``tasks``, ``then``, ``cases.a``, ``errors``; else none."""
        return next((tasks for path, tasks in self.branches() if ".".join(path) == name), ())


TASKS = Kinds("task", Task, defaults=True)
TASK_TYPES = TASKS.types
AnyTask = Annotated[SerializeAsAny[Task], PlainValidator(TASKS.read)]
Tasks = tuple[AnyTask, ...]
SomeTasks = Annotated[Tasks, BeforeValidator(some)]


class Flowable(Task):
    """A task that the reducer runs, never a worker."""

    flowable: ClassVar[bool] = True


class Container(Flowable):
    """A task that only steers its children."""

    BRANCHES: ClassVar[tuple[str, ...]] = ("tasks",)

    errors: Tasks = ()

    def branches(self) -> tuple[tuple[BranchPath, Tasks], ...]:
        lists = tuple(((name,), getattr(self, _FIELDS.get(name, name))) for name in (*self.BRANCHES, "errors"))
        return tuple((path, tasks) for path, tasks in lists if tasks)


_FIELDS = {"else": "else_"}
