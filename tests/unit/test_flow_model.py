"""What a flow file may say, and where each task of it stands."""

from __future__ import annotations

import pytest

from engine.flow import (
    TASK_TYPES,
    ForEach,
    If,
    Log,
    Pause,
    Schedule,
    ShellCommands,
    Sleep,
    Subflow,
    Switch,
    parse,
)

_LOG = "type: io.kestra.plugin.core.log.Log, message: hi"
_FLOW = "io.kestra.plugin.core.flow."
_MINIMAL = f"id: f\nnamespace: company.team\ntasks: [{{id: a, {_LOG}}}]\n"

FULL = """
id: full
namespace: company.team
description: |
  Many things.
labels: {env: prod, 5: true}
inputs:
  - {id: db.host, type: STRING, defaults: localhost}
  - {id: count, type: INT, min: 1}
variables: {greeting: hello}
retry: {type: constant, interval: PT1M, maxAttempts: 2}
tasks:
  - id: a
    type: io.kestra.plugin.core.log.Log
    message: ["{{ inputs.count }}", 2]
    level: WARN
    timeout: PT5M
    runIf: true
    allowFailure: true
    retry: {type: exponential, interval: PT1S, maxInterval: PT10S, delayFactor: 3, warningOnRetry: true}
  - id: i
    type: io.kestra.plugin.core.flow.If
    condition: "{{ true }}"
    then: [{id: t, type: io.kestra.plugin.core.flow.Sleep, duration: PT1.5S}]
    else: [{id: e, type: io.kestra.plugin.core.flow.Sleep, duration: "{{ inputs.wait }}"}]
    errors: [{id: ie, type: io.kestra.plugin.core.execution.Fail}]
  - id: s
    type: io.kestra.plugin.core.flow.Switch
    value: "{{ x }}"
    cases:
      a.b: [{id: c, type: io.kestra.plugin.core.debug.Return, format: 1}]
    defaults:
      - id: each
        type: io.kestra.plugin.core.flow.ForEach
        values: [1, 2]
        concurrencyLimit: 0
        tasks:
          - id: deep
            type: io.kestra.plugin.scripts.shell.Commands
            commands: [ls]
            interpreter: bash -c
          - {id: after-deep, type: io.kestra.plugin.core.output.OutputValues, values: {a: 1}}
  - id: p
    type: io.kestra.plugin.core.flow.Pause
    delay: PT1M
    onResume: [{id: ok, type: BOOL}]
  - {id: sub, type: io.kestra.plugin.core.flow.Subflow, namespace: company.team, flowId: other, wait: false}
errors: [{id: oops, type: io.kestra.plugin.core.log.Log, message: oops}]
finally: [{id: clean, type: io.kestra.plugin.core.log.Log, message: clean}]
afterExecution: [{id: tell, type: io.kestra.plugin.core.log.Log, message: tell}]
outputs: [{id: out, type: STRING, value: "{{ outputs.c.value }}"}]
triggers:
  - {id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "@daily", timezone: Europe/Paris}
  - {id: off, type: io.kestra.plugin.core.trigger.Schedule, cron: "*/5 * * * * *", disabled: true}
"""


def task_lines(*lines: str) -> str:
    """A flow whose one task starts at line 4, column 5 and goes on with ``lines``."""
    return "id: f\nnamespace: n\ntasks:\n  - id: a\n" + "".join(f"    {line}\n" for line in lines)


def test_every_key_is_read() -> None:
    flow = parse(FULL)
    assert (flow.id, flow.namespace, flow.description) == ("full", "company.team", "Many things.\n")
    assert flow.labels == {"env": "prod", "5": "true"}
    assert flow.variables == {"greeting": "hello"}
    assert [item.id for item in flow.inputs] == ["db.host", "count"]
    assert flow.retry is not None
    assert (flow.retry.delay(1), flow.retry.maxAttempts) == (60, 2)
    assert [item.id for item in flow.outputs] == ["out"]
    assert flow.source == FULL
    assert flow.raw["tasks"][0]["id"] == "a"
    assert not flow.warnings


def test_tasks_have_their_properties() -> None:
    tasks = parse(FULL).tasks_by_id
    first = tasks["a"]
    assert isinstance(first, Log)
    assert (first.message, first.level, first.timeout) == (("{{ inputs.count }}", "2"), "WARN", 300)
    assert (first.runIf, first.allowFailure) == ("true", True)
    assert first.retry is not None
    assert first.retry.warningOnRetry
    assert isinstance(tasks["t"], Sleep)
    assert tasks["t"].duration == 1.5
    assert isinstance(tasks["e"], Sleep)
    assert tasks["e"].duration == "{{ inputs.wait }}"
    assert isinstance(tasks["each"], ForEach)
    assert (tasks["each"].values, tasks["each"].concurrencyLimit) == ([1, 2], 0)
    assert isinstance(tasks["deep"], ShellCommands)
    assert (tasks["deep"].commands, tasks["deep"].interpreter) == (("ls",), ("bash", "-c"))
    assert isinstance(tasks["p"], Pause)
    assert (tasks["p"].pauseDuration, tasks["p"].onResume[0].id) == (60, "ok")
    assert isinstance(tasks["sub"], Subflow)
    assert (tasks["sub"].wait, tasks["sub"].transmitFailed) == (False, True)


def test_flowables_are_told_from_runnable_tasks() -> None:
    flowable = {name.rpartition(".")[2] for name, task in TASK_TYPES.items() if task.flowable}
    assert flowable == {
        *("Sequential", "Parallel", "If", "Switch", "ForEach", "Dag", "LoopUntil", "AllowFailure", "Pause", "Subflow"),
        "WorkingDirectory",
    }


PLACES = [
    ("a", None, "tasks", "TASKS", 0, 0, ("tasks", 0)),
    ("i", None, "tasks", "TASKS", 1, 0, ("tasks", 1)),
    ("t", "i", "then", "TASKS", 0, 1, ("tasks", 1, "then", 0)),
    ("e", "i", "else", "TASKS", 0, 1, ("tasks", 1, "else", 0)),
    ("ie", "i", "errors", "ERRORS", 0, 1, ("tasks", 1, "errors", 0)),
    ("c", "s", "cases.a.b", "TASKS", 0, 1, ("tasks", 2, "cases", "a.b", 0)),
    ("each", "s", "defaults", "TASKS", 0, 1, ("tasks", 2, "defaults", 0)),
    ("after-deep", "each", "tasks", "TASKS", 1, 2, ("tasks", 2, "defaults", 0, "tasks", 1)),
    ("oops", None, "errors", "ERRORS", 0, 0, ("errors", 0)),
    ("clean", None, "finally", "FINALLY", 0, 0, ("finally", 0)),
    ("tell", None, "afterExecution", "AFTER_EXECUTION", 0, 0, ("afterExecution", 0)),
]


@pytest.mark.parametrize(("task", "parent", "branch", "section", "index", "depth", "path"), PLACES)
def test_each_task_knows_its_place(
    task: str, parent: str | None, branch: str, section: str, index: int, depth: int, path: tuple
) -> None:
    flow = parse(FULL)
    place = flow.place(task)
    assert (place.parent_task_id, place.branch, place.section) == (parent, branch, section)
    assert (place.index, place.depth, place.path) == (index, depth, path)
    assert place.siblings[index].id == task
    holder = flow.task(parent) if parent else flow
    assert holder.branch(branch) == place.siblings


def test_neighbours_and_parents() -> None:
    flow = parse(FULL)
    assert flow.place("deep").next is flow.task("after-deep")
    assert flow.place("after-deep").next is None
    assert flow.parents("deep") == ("each", "s")
    assert list(flow.tasks_by_id)[:4] == ["a", "i", "t", "e"]
    with pytest.raises(KeyError):
        flow.task("nobody")


def test_schedules_are_the_enabled_ones() -> None:
    assert [(item.id, item.timezone) for item in parse(FULL).schedules()] == [("daily", "Europe/Paris")]
    assert parse(FULL + "disabled: true\n").schedules() == ()


def test_branch_types() -> None:
    kinds = [type(parse(FULL).task(task)) for task in ("i", "s", "each")]
    assert kinds == [If, Switch, ForEach]


# -- what isn't wrong ---------------------------------------------------------------------------------------------


def test_unknown_keys_are_kept_ignored_and_warned_of() -> None:
    flow = parse(_MINIMAL + "x-owner: ada\nlabel: {}\n")
    assert flow.raw["x-owner"] == "ada"
    assert [(found.line, found.path, found.message) for found in flow.warnings] == [
        (4, "x-owner", "the key 'x-owner' is not read"),
        (5, "label", "the key 'label' is not read; did you mean labels?"),
    ]


def test_unknown_keys_of_a_task_reach_the_worker_and_are_warned_of() -> None:
    flow = parse(task_lines(f"type: {_FLOW}Sleep", "duration: PT1S", "durration: PT2S"))
    assert flow.task("a").raw["durration"] == "PT2S"
    assert [(found.line, found.column) for found in flow.warnings] == [(7, 5)]


def test_a_key_that_can_be_guessed_is_warned_of() -> None:
    keys = ("abc", "a-long-enough-key-4711", "\"{{ secret('K') }}\"")
    hooks = [
        f"  - {{id: h{n}, type: io.kestra.plugin.core.trigger.Webhook, key: {key}}}\n" for n, key in enumerate(keys)
    ]
    flow = parse(_MINIMAL + "triggers:\n" + "".join(hooks))
    assert [found.path for found in flow.warnings] == ["triggers[0].key"]


def test_older_names_of_types_mean_the_ones_of_today() -> None:
    task = parse(task_lines("type: io.kestra.core.tasks.log.Log", "message: hi")).task("a")
    assert isinstance(task, Log)
    assert task.type == task.raw["type"] == "io.kestra.plugin.core.log.Log"


def test_plugin_defaults_fill_what_a_task_leaves_out() -> None:
    flow = parse(
        f"""
id: f
namespace: n
pluginDefaults:
  - {{type: io.kestra.plugin.scripts, values: {{timeout: PT1M, env: {{A: b}}}}}}
  - {{type: io.kestra.plugin.core.log.Log, forced: true, values: {{level: DEBUG}}}}
tasks:
  - {{id: own, type: io.kestra.plugin.scripts.shell.Script, script: ls, timeout: PT5S}}
  - {{id: p, type: {_FLOW}Parallel, tasks: [{{id: inner, type: io.kestra.plugin.scripts.shell.Script, script: ls}}]}}
  - {{id: log, {_LOG}, level: ERROR}}
"""
    )
    assert (flow.task("own").timeout, flow.task("inner").timeout) == (5, 60)
    assert flow.task("inner").raw["env"] == {"A": "b"}
    log = flow.task("log")
    assert isinstance(log, Log)
    assert log.level == "DEBUG"


def test_labels_may_be_a_list_of_keys_and_values() -> None:
    assert parse(_MINIMAL + "labels: [{key: a, value: 1}]\n").labels == {"a": "1"}


def test_dates_and_anchors_are_plain_values() -> None:
    flow = parse(
        _MINIMAL + "variables:\n  day: 2030-01-02\n  base: &b {x: 1, y: 2}\n  more: {<<: *b, y: 3}\n  no: off\n"
    )
    assert flow.variables == {"day": "2030-01-02", "base": {"x": 1, "y": 2}, "more": {"x": 1, "y": 3}, "no": "off"}


@pytest.mark.parametrize(
    ("retry", "waits"),
    [
        ("{type: constant, interval: PT2S}", [2, 2, 2, 2]),
        ("{type: exponential, interval: PT1S, maxInterval: PT5S}", [1, 2, 4, 5]),
        ("{type: exponential, interval: PT1S, maxInterval: PT1H, delayFactor: 3}", [1, 3, 9, 27]),
        ("{type: random, minInterval: PT2S, maxInterval: PT4S}", [2.5, 2.5, 2.5, 2.5]),
    ],
)
def test_how_long_a_retry_waits(retry: str, waits: list[float]) -> None:
    task = parse(task_lines(f"type: {_FLOW}Sleep", "duration: PT1S", f"retry: {retry}")).task("a")
    assert task.retry is not None
    assert [task.retry.delay(tries, fraction=0.25) for tries in (1, 2, 3, 4)] == waits
    assert task.retry.delay(10**9) <= 3_600


def test_schedules_take_seconds_first() -> None:
    source = 'triggers:\n  - {id: t, type: io.kestra.plugin.core.trigger.Schedule, cron: "*/10 * * * * *"}\n'
    trigger = parse(_MINIMAL + source).triggers[0]
    assert isinstance(trigger, Schedule)
