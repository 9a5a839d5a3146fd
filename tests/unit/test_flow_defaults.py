"""pluginDefaults: what they fill, which of them wins, and where their mistakes are told."""

from __future__ import annotations

from typing import Any

import pytest

from engine.flow import FlowError, parse

SHELL = "io.kestra.plugin.scripts.shell.Commands"
CORE = "io.kestra.plugin.core"


def flow(defaults: str, *tasks: str, more: str = "") -> str:
    """A flow file: defaults from line 3 on, a line each."""
    lines = "".join(f"  - {line}\n" for line in defaults.strip().splitlines())
    return f"id: f\nnamespace: n\npluginDefaults:\n{lines}tasks:\n" + "".join(f"  - {task}\n" for task in tasks) + more


def raw(source: str, task: str = "t") -> dict[str, Any]:
    """What a worker gets of a task."""
    return parse(source).task(task).raw


def shell(more: str = "") -> str:
    """A shell task."""
    return f"{{id: t, type: {SHELL}, commands: [ls]{more}}}"


@pytest.mark.parametrize(
    ("defaults", "own", "timeout"),
    [
        (f"{{type: {SHELL}, values: {{timeout: PT1M}}}}", "", "PT1M"),
        ("{type: io.kestra.plugin.scripts, values: {timeout: PT1M}}", "", "PT1M"),
        ("{type: io.kestra.plugin.scripts., values: {timeout: PT1M}}", "", "PT1M"),
        ("{type: io.kestra.plugin.script, values: {timeout: PT1M}}", "", None),
        (f"{{type: {SHELL}, values: {{timeout: PT1M}}}}", ", timeout: PT2M", "PT2M"),
        (f"{{type: {SHELL}, forced: true, values: {{timeout: PT1M}}}}", ", timeout: PT2M", "PT1M"),
        (
            f"{{type: {SHELL}, values: {{timeout: PT1M}}}}\n{{type: io.kestra, values: {{timeout: PT3M}}}}",
            "",
            "PT1M",
        ),
        (
            "{type: io.kestra, forced: true, values: {timeout: PT3M}}\n"
            f"{{type: {SHELL}, values: {{timeout: PT1M}}}}",
            "",
            "PT3M",
        ),
        (
            f"{{type: {SHELL}, values: {{timeout: PT1M}}}}\n{{type: {SHELL}, values: {{timeout: PT4M}}}}",
            "",
            "PT4M",
        ),
    ],
)
def test_which_value_wins(defaults: str, own: str, timeout: str | None) -> None:
    assert raw(flow(defaults, shell(own))).get("timeout") == timeout


def test_mappings_are_merged() -> None:
    defaults = (
        f"{{type: {CORE}.http, values: {{options: {{timeout: {{connectTimeout: PT5S}}, allowFailed: true}}}}}}\n"
        f"{{type: {CORE}.http.Request, forced: true, values: {{headers: {{X-Team: data}}}}}}"
    )
    task = f"{{id: t, type: {CORE}.http.Request, uri: 'http://x', headers: {{A: b}}, options: {{allowFailed: false}}}}"
    given = raw(flow(defaults, task))
    assert given["options"] == {"timeout": {"connectTimeout": "PT5S"}, "allowFailed": False}
    assert given["headers"] == {"A": "b", "X-Team": "data"}


def test_tasks_inside_others_and_triggers_get_them_too() -> None:
    defaults = (
        f"{{type: {SHELL}, values: {{timeout: PT1M}}}}\n"
        f"{{type: {CORE}.trigger.Schedule, values: {{timezone: Europe/Paris}}}}"
    )
    holder = f"{{id: all, type: {CORE}.flow.Sequential, tasks: [{shell()}]}}"
    more = f"triggers:\n  - {{id: s, type: {CORE}.trigger.Schedule, cron: '@daily'}}\n"
    found = parse(flow(defaults, holder, more=more))
    assert found.task("t").timeout == 60
    assert found.triggers[0].timezone == "Europe/Paris"


@pytest.mark.parametrize(
    ("of_default", "of_task"),
    [
        ("io.kestra.core.tasks.log.Log", f"{CORE}.log.Log"),
        (f"{CORE}.log.Log", "io.kestra.core.tasks.log.Log"),
        ("io.kestra.core.tasks", f"{CORE}.log.Log"),
    ],
)
def test_older_names_of_types_are_the_same_type(of_default: str, of_task: str) -> None:
    source = flow(f"{{type: {of_default}, values: {{level: DEBUG}}}}", f"{{id: t, type: {of_task}, message: x}}")
    assert raw(source)["level"] == "DEBUG"


def test_inputs_have_no_defaults_of_this_kind() -> None:
    more = "inputs:\n  - {id: i, type: STRING}\n"
    found = parse(flow("{type: STRING, values: {defaults: x}}", shell(), more=more))
    assert found.inputs[0].defaults is None


@pytest.mark.parametrize(
    ("defaults", "task", "said"),
    [
        (
            f"{{type: {SHELL}, values: {{timeout: soon}}}}",
            shell(),
            "line 4, column {column}: pluginDefaults[0].values.timeout: ",
        ),
        (
            f"{{type: {SHELL}, forced: true, values: {{retry: {{type: constant, interval: soon}}}}}}",
            shell(", retry: {type: constant, interval: PT1S}"),
            "line 4, column {column}: pluginDefaults[0].values.retry.interval: ",
        ),
    ],
)
def test_a_mistake_is_told_where_it_is_written(defaults: str, task: str, said: str) -> None:
    source = flow(defaults, task, task.replace("id: t", "id: u"))
    with pytest.raises(FlowError) as caught:
        parse(source)
    (violation,) = caught.value.violations  # once, though two tasks get it
    line = source.splitlines()[3]
    assert str(violation).startswith(said.format(column=line.index("soon") + 1))


def test_a_mistake_of_the_task_is_told_at_the_task() -> None:
    with pytest.raises(FlowError) as caught:
        parse(flow(f"{{type: {SHELL}, values: {{timeout: PT1M}}}}", shell(", timeout: soon")))
    assert caught.value.violations[0].path == "tasks[0].timeout"


def test_what_fits_nothing_is_warned_of() -> None:
    defaults = (
        f"{{type: {CORE}.log.Lgo, values: {{level: DEBUG}}}}\n"
        f"{{type: {SHELL}, values: {{timeot: PT1M}}}}\n"
        "{type: io.kestra.plugin, values: {level: DEBUG}}"
    )
    found = parse(flow(defaults, shell()))
    assert [(one.line, one.path, one.message) for one in found.warnings] == [
        (4, "pluginDefaults[0].type", f"no task or trigger is of the type '{CORE}.log.Lgo'; nearest: {CORE}.log.Log"),
        (5, "pluginDefaults[1].values.timeot", "the key 'timeot' is not read; did you mean timeout?"),
    ]
