"""What each runnable task type does. One table: type → (properties that are rendered, function)."""

from __future__ import annotations

from engine.worker.tasks import core, folders, http, kv, scripts
from engine.worker.tasks.base import Result, Running, TaskFailed, TaskKind

_CORE = "io.kestra.plugin.core."
_SCRIPTS = "io.kestra.plugin.scripts."
_SCRIPT_PROPERTIES = (
    "beforeCommands",
    "env",
    "interpreter",
    "inputFiles",
    "outputFiles",
    "failFast",
)
_OLD = "io.kestra.core.tasks."
_OLD_NAMES = {
    f"{_OLD}log.Log": f"{_CORE}log.Log",
    f"{_OLD}debugs.Echo": f"{_CORE}log.Log",
    f"{_OLD}debugs.Return": f"{_CORE}debug.Return",
    f"{_OLD}executions.Fail": f"{_CORE}execution.Fail",
    f"{_OLD}executions.Labels": f"{_CORE}execution.Labels",
    "io.kestra.plugin.fs.http.Request": f"{_CORE}http.Request",
    "io.kestra.plugin.fs.http.Download": f"{_CORE}http.Download",
    f"{_OLD}flows.WorkingDirectory": f"{_CORE}flow.WorkingDirectory",
    f"{_OLD}scripts.Bash": f"{_SCRIPTS}shell.Commands",
}

_HTTP_PROPERTIES = (
    "uri",
    "method",
    "headers",
    "params",
    "body",
    "contentType",
    "formData",
    "options",
    "allowFailed",
)

TASKS: dict[str, TaskKind] = {
    f"{_CORE}log.Log": TaskKind(("message", "level"), core.log),
    f"{_CORE}debug.Return": TaskKind(("format",), core.return_value),
    f"{_CORE}execution.Fail": TaskKind(("condition", "errorMessage"), core.fail),
    f"{_CORE}execution.Assert": TaskKind(("conditions", "errorMessage"), core.check),
    f"{_CORE}execution.Labels": TaskKind(("labels",), core.labels),
    f"{_CORE}metric.Publish": TaskKind(("metrics",), core.publish),
    f"{_CORE}http.Request": TaskKind(_HTTP_PROPERTIES, http.request),
    f"{_CORE}http.Download": TaskKind((*_HTTP_PROPERTIES, "saveAs", "failOnEmptyResponse"), http.download),
    f"{_CORE}kv.Set": TaskKind(
        ("key", "value", "namespace", "overwrite", "ttl", "kvType", "kvDescription"), kv.set_value
    ),
    f"{_CORE}kv.Get": TaskKind(("key", "namespace", "errorOnMissing"), kv.get_value),
    f"{_CORE}kv.Delete": TaskKind(("key", "namespace", "errorOnMissing"), kv.delete),
    f"{_CORE}flow.WorkingDirectory": TaskKind(("outputFiles",), folders.hand_over),
    f"{_CORE}flow.Sleep": TaskKind(("duration",), core.sleep),
    f"{_CORE}output.OutputValues": TaskKind(("values",), core.output_values),
    f"{_SCRIPTS}shell.Commands": TaskKind(("commands", *_SCRIPT_PROPERTIES), scripts.shell),
    f"{_SCRIPTS}shell.Script": TaskKind(("script", *_SCRIPT_PROPERTIES), scripts.shell),
    f"{_SCRIPTS}python.Commands": TaskKind(("commands", *_SCRIPT_PROPERTIES), scripts.shell),
    f"{_SCRIPTS}python.Script": TaskKind(("script", *_SCRIPT_PROPERTIES), scripts.python),
}


def kind_of(type_name: str) -> TaskKind | None:
    """The kind of a task type, by its name of today or an older one."""
    return TASKS.get(_OLD_NAMES.get(type_name, type_name))


__all__ = ["TASKS", "Result", "Running", "TaskFailed", "TaskKind", "kind_of"]
