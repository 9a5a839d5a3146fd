"""Tasks that do something, on a worker. Their properties may be templates; the worker renders and checks those."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from engine.flow.base import Command, Condition, Duration, Strings, Text, choice, either, labels_of, some
from engine.flow.tasks import TASKS, Task

_CORE = "io.kestra.plugin.core."
_SCRIPTS = "io.kestra.plugin.scripts."
_OLD = "io.kestra.core.tasks."


def labels_or_text(value: Any) -> Any:
    """``{key: value}`` of either form; text is a template that gives one when it runs."""
    found = labels_of(value)
    if not isinstance(found, (dict, str)):
        raise ValueError(f"expected a mapping, or a list of key and value, came {value!r}")
    return some(found)


@TASKS.register(f"{_CORE}log.Log", f"{_OLD}log.Log", f"{_OLD}debugs.Echo")
class Log(Task):
    """Writes ``message`` (or each of a list) to the log."""

    message: Strings
    level: choice("TRACE", "DEBUG", "INFO", "WARN", "ERROR") = "INFO"  # type: ignore[valid-type]


@TASKS.register(f"{_CORE}debug.Return", f"{_OLD}debugs.Return")
class Return(Task):
    """Output ``value`` is ``format`` rendered."""

    format: Any = None


@TASKS.register(f"{_CORE}execution.Fail", f"{_OLD}executions.Fail")
class Fail(Task):
    """Fails, or fails when ``condition`` is true."""

    condition: Condition | None = None
    errorMessage: Text = "Task failure"


@TASKS.register(f"{_CORE}execution.Assert")
class Assert(Task):
    """Fails when one of ``conditions`` is false, and says which."""

    conditions: Annotated[Any, BeforeValidator(some), either(list, str)]
    errorMessage: Text | None = None


@TASKS.register(f"{_CORE}execution.Labels", f"{_OLD}executions.Labels")
class SetLabels(Task):
    """Sets ``labels`` on its execution: a map, a list of key and value, or a template that gives one."""

    labels: Annotated[Any, BeforeValidator(labels_or_text)]


@TASKS.register(f"{_CORE}metric.Publish")
class Publish(Task):
    """Gives ``metrics``: a list of name, type (counter or timer), value and tags."""

    metrics: Annotated[Any, BeforeValidator(some), either(list, str)]


@TASKS.register(f"{_CORE}kv.Set")
class KvSet(Task):
    """Keeps ``value`` under ``key`` in a namespace's store, for ``ttl`` when that is given."""

    key: Text
    value: Any
    namespace: Text | None = None
    overwrite: Condition = "true"
    ttl: Duration | None = None
    kvType: choice("STRING", "NUMBER", "BOOLEAN", "DATETIME", "DATE", "DURATION", "JSON") | None = None  # type: ignore[valid-type]
    kvDescription: Text | None = None


class _Key(Task):
    key: Text
    namespace: Text | None = None
    errorOnMissing: Condition = "false"


@TASKS.register(f"{_CORE}kv.Get")
class KvGet(_Key):
    """Output ``value`` is that of ``key``."""


@TASKS.register(f"{_CORE}kv.Delete")
class KvDelete(_Key):
    """Forgets ``key``; output ``deleted`` says whether it was there."""


@TASKS.register(f"{_CORE}flow.Sleep")
class Sleep(Task):
    """Waits for ``duration``."""

    duration: Duration


@TASKS.register(f"{_CORE}output.OutputValues")
class OutputValues(Task):
    """Output ``values`` are the given ones, rendered."""

    values: dict[str, Any]


class Script(Task):
    """What shell and Python tasks share. ``interpreter`` is the command that gets the script; ``None``: the usual one.

    ``inputFiles`` are name → content (or URI), ``outputFiles`` patterns of files to keep. ``failFast``: a shell stops
    at the first command that fails.
    """

    beforeCommands: Strings = ()
    env: Annotated[Any, either(dict, str)] = {}
    interpreter: Command | None = None
    inputFiles: Annotated[Any, either(dict, list, str)] = {}
    outputFiles: Strings = ()
    failFast: Condition = "true"


class _Commands(Script):
    commands: Annotated[Strings, BeforeValidator(some)]


class _Inline(Script):
    script: Text


@TASKS.register(f"{_SCRIPTS}shell.Commands")
class ShellCommands(_Commands):
    """Shell command lines, one after the other, until one fails."""


@TASKS.register(f"{_SCRIPTS}shell.Script")
class ShellScript(_Inline):
    """A shell script."""


@TASKS.register(f"{_SCRIPTS}python.Commands")
class PythonCommands(_Commands):
    """Shell command lines in an environment with Python."""


@TASKS.register(f"{_SCRIPTS}python.Script")
class PythonScript(_Inline):
    """A Python script."""
