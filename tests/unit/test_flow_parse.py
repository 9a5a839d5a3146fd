"""What is wrong with a flow file: every problem, at its line and column."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flow import (
    FlowError,
    Parallel,
    Sequential,
    Violation,
    parse,
    parse_stored,
)
from engine.flow import document as documents
from engine.flow_size import FlowSize

_LOG = "type: io.kestra.plugin.core.log.Log, message: hi"
_FLOW = "io.kestra.plugin.core.flow."
_MINIMAL = f"id: f\nnamespace: company.team\ntasks: [{{id: a, {_LOG}}}]\n"


def problems_of(source: str) -> list[Violation]:
    """What is wrong with ``source``; nothing when it is a flow."""
    try:
        parse(source)
    except FlowError as error:
        return error.violations or [Violation(0, 0, "", "an error without violations")]
    return []


# -- what is wrong, and where -------------------------------------------------------------------------------------

SYNTAX = {
    "empty": ("", 1, 1, "the file is empty"),
    "not a mapping": ("- a\n- b\n", 1, 1, "expected a flow: a mapping"),
    "colon in text": ("id: a: b\n", 1, 6, "needs quotes"),
    "tab": ("id: f\ntasks:\n\t- a\n", 3, 1, "spaces, not tabs"),
    "open quote": ("id: 'f\n", 2, 1, "quoted scalar"),
    "unquoted expression": ("id: f\nnamespace: {{ x }}\n", 2, 12, "put an expression in quotes"),
    "twice the same key": ("id: f\nid: g\n", 2, 1, "stands here twice"),
    "two documents": ("id: f\n---\nid: g\n", 2, 1, "one file is one flow"),
    "unknown alias": ("id: *nobody\n", 1, 5, "undefined alias"),
    "alias of itself": ("a: &x [*x]\n", 1, 4, "at most 100 levels"),
    "python object": ("id: !!python/object:os.system x\n", 1, 5, "is not known"),
    "control character": ("id: f\nnamespace: a\x07b\n", 2, 13, "U+0007"),
    "huge number": ("id: 99999999999999999999\n", 1, 5, "64 bits"),
}


@pytest.mark.parametrize(("source", "line", "column", "message"), SYNTAX.values(), ids=SYNTAX.keys())
def test_syntax_problems(source: str, line: int, column: int, message: str) -> None:
    first = problems_of(source)[0]
    assert message in first.message
    assert (first.line, first.column) == (line, column)


def task_lines(*lines: str) -> str:
    """A flow whose one task starts at line 4, column 5 and goes on with ``lines``."""
    return "id: f\nnamespace: n\ntasks:\n  - id: a\n" + "".join(f"    {line}\n" for line in lines)


PROBLEMS = {
    "missing keys": ("labels: {}\n", 1, 1, "tasks", "the key is missing"),
    "flow id": (_MINIMAL.replace("id: f", "id: a b", 1), 1, 5, "id", "came 'a b'"),
    "namespace": (_MINIMAL.replace("company.team", "Company"), 2, 12, "namespace", "lower-case"),
    "no tasks": ("id: f\nnamespace: n\ntasks: []\n", 3, 1, "tasks", "at least 1 item"),
    "task not a mapping": ("id: f\nnamespace: n\ntasks:\n  - hello\n", 4, 5, "tasks[0]", "with `id` and `type`"),
    "task without type": (task_lines("message: hi"), 4, 5, "tasks[0].type", "the key is missing"),
    "unknown type": (
        task_lines("type: io.kestra.plugin.core.log.Lgo"),
        5,
        11,
        "tasks[0].type",
        "nearest: io.kestra.plugin.core.log.Log",
    ),
    "type of nowhere": (task_lines("type: com.example.Qwertz"), 5, 11, "tasks[0].type", "known: io.kestra"),
    "task id": (f"id: f\nnamespace: n\ntasks:\n  - {{id: a.b, {_LOG}}}\n", 4, 10, "tasks[0].id", "letters, digits"),
    "timeout": (
        task_lines("type: io.kestra.plugin.core.log.Log", "message: a", "timeout: 5 minutes"),
        7,
        14,
        "tasks[0].timeout",
        "came '5 minutes'",
    ),
    "negative duration": (
        task_lines(f"type: {_FLOW}Sleep", "duration: -PT1S"),
        6,
        15,
        "tasks[0].duration",
        "at least PT0S",
    ),
    "property missing": (task_lines(f"type: {_FLOW}Sleep"), 4, 5, "tasks[0].duration", "the key is missing"),
    "boolean": (
        task_lines(f"type: {_FLOW}Sleep", "duration: PT1S", "disabled: perhaps"),
        7,
        15,
        "tasks[0].disabled",
        "true or false, came 'perhaps'",
    ),
    "log level": (
        task_lines("type: io.kestra.plugin.core.log.Log", "message: a", "level: LOUD"),
        7,
        12,
        "tasks[0].level",
        "one of TRACE, DEBUG, INFO, WARN, ERROR",
    ),
    "retry type": (
        task_lines(f"type: {_FLOW}Sleep", "duration: PT1S", "retry:", "  type: expotential"),
        8,
        13,
        "tasks[0].retry.type",
        "nearest: exponential",
    ),
    "retry interval": (
        task_lines(f"type: {_FLOW}Sleep", "duration: PT1S", "retry: {type: constant, interval: soon}"),
        7,
        39,
        "tasks[0].retry.interval",
        "came 'soon'",
    ),
    "negative concurrency": (
        task_lines(f"type: {_FLOW}Parallel", "concurrent: -1", f"tasks: [{{id: b, {_LOG}}}]"),
        6,
        17,
        "tasks[0].concurrent",
        "at least 0",
    ),
    "switch without branches": (task_lines(f"type: {_FLOW}Switch", "value: x"), 4, 5, "tasks[0]", "`cases`"),
    "nested": (
        task_lines(f"type: {_FLOW}If", "condition: x", "then:", f"  - {{id: b, type: {_FLOW}Slep}}"),
        8,
        23,
        "tasks[0].then[0].type",
        f"nearest: {_FLOW}Sleep",
    ),
    "task id twice": (
        f"id: f\nnamespace: n\ntasks:\n  - {{id: a, {_LOG}}}\nerrors:\n  - {{id: a, {_LOG}}}\n",
        6,
        10,
        "errors[0].id",
        "taken by the task in line 4",
    ),
    "input type": (_MINIMAL + "inputs:\n  - {id: x, type: STRNG}\n", 5, 19, "inputs[0].type", "nearest: STRING"),
    "input default": (_MINIMAL + "inputs:\n  - {id: x, type: INT, defaults: one}\n", 5, 5, "inputs[0]", "came 'one'"),
    "input below input": (
        _MINIMAL + "inputs:\n  - {id: db, type: STRING}\n  - {id: db.host, type: STRING}\n",
        6,
        10,
        "inputs[1].id",
        "lies below",
    ),
    "input regex": (
        _MINIMAL + "inputs:\n  - {id: x, type: STRING, validator: '['}\n",
        5,
        5,
        "inputs[0]",
        "a regular expression",
    ),
    "cron": (
        _MINIMAL + 'triggers:\n  - {id: t, type: io.kestra.plugin.core.trigger.Schedule, cron: "61 * * * *"}\n',
        5,
        65,
        "triggers[0].cron",
        "in field 1 (minute), came '61'",
    ),
    "time zone": (
        _MINIMAL
        + 'triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Schedule\n    cron: "* * * * *"\n'
        + "    timezone: Mars/Olympus\n",
        8,
        15,
        "triggers[0].timezone",
        "such as Europe/Paris",
    ),
    "trigger type": (
        _MINIMAL + "triggers:\n  - {id: t, type: io.kestra.plugin.core.trigger.Shedule}\n",
        5,
        19,
        "triggers[0].type",
        "nearest: io.kestra.plugin.core.trigger.Schedule",
    ),
    "input that depends on a later one": (
        _MINIMAL + "inputs:\n  - {id: a, type: INT, dependsOn: {inputs: [b]}}\n  - {id: b, type: INT}\n",
        5,
        45,
        "inputs[0].dependsOn.inputs[0]",
        "expected an input before this one, came 'b'",
    ),
    "labels": (_MINIMAL + "labels: 5\n", 4, 9, "labels", "expected a mapping"),
    "label of ours": (_MINIMAL + "labels:\n  a: b\n  system.x: y\n", 6, 3, "labels.system.x", "by Watchfloor alone"),
    "label of ours in a list": (
        _MINIMAL + "labels:\n  - {key: a, value: b}\n  - {key: system.x, value: y}\n",
        6,
        11,
        "labels.system.x",
        "'system.x' is refused",
    ),
    "label of ours in a task": (
        task_lines(f"type: {_FLOW}Subflow", "namespace: n", "flowId: g", "labels: {a: b, system.replay: 'true'}"),
        8,
        20,
        "tasks[0].labels.system.replay",
        "by Watchfloor alone",
    ),
    "label of ours that a task sets": (
        task_lines("type: io.kestra.plugin.core.execution.Labels", "labels:", "  system.x: y"),
        7,
        7,
        "tasks[0].labels.system.x",
        "by Watchfloor alone",
    ),
    "label of ours of a trigger": (
        _MINIMAL
        + "triggers:\n  - id: t\n    type: io.kestra.plugin.core.trigger.Schedule\n"
        + "    cron: '* * * * *'\n    labels: {system.backfill: 'true'}\n",
        8,
        14,
        "triggers[0].labels.system.backfill",
        "by Watchfloor alone",
    ),
    "label of ours of an SLA": (
        _MINIMAL + "sla:\n  - {id: s, type: MAX_DURATION, duration: PT1S, labels: {system.x: y}}\n",
        5,
        58,
        "sla[0].labels.system.x",
        "by Watchfloor alone",
    ),
    "plugin defaults": (
        _MINIMAL + "pluginDefaults:\n  - type: a.b\n",
        5,
        5,
        "pluginDefaults[0].values",
        "the key is missing",
    ),
}


@pytest.mark.parametrize(("source", "line", "column", "path", "message"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_problems_are_at_their_line_and_column(source: str, line: int, column: int, path: str, message: str) -> None:
    problem = next(found for found in problems_of(source) if found.path == path)
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    source = "id: f g\nnamespace: N\ntasks:\n  - id: a\n    type: nope\n    timeout: x\n  - type: nope\ninputs: 3\n"
    assert [(found.line, found.path) for found in problems_of(source)] == [
        (1, "id"),
        (2, "namespace"),
        (5, "tasks[0].type"),
        (6, "tasks[0].timeout"),
        (7, "tasks[1].id"),
        (7, "tasks[1].type"),
        (8, "inputs"),
    ]


def test_an_error_reads_as_lines() -> None:
    with pytest.raises(FlowError, match=r"^line 1, column 5: id: expected an id .*, came 'a b' \(text\)$"):
        parse(_MINIMAL.replace("id: f", "id: a b", 1))


def test_what_was_stored_with_labels_of_ours_is_read_on_and_asked_for_them_is_fine() -> None:
    source = _MINIMAL + "labels: {system.x: y, a: b}\n"
    assert parse_stored(source).labels == {"system.x": "y", "a": "b"}
    flow_trigger = "type: io.kestra.plugin.core.trigger.Flow"
    asked = "conditions: [{type: io.kestra.plugin.core.condition.ExecutionLabels, labels: {system.replay: 'true'}}]"
    assert problems_of(_MINIMAL + f"triggers:\n  - {{id: t, {flow_trigger}, {asked}}}\n") == []
    with pytest.raises(FlowError):
        parse_stored(source + "nonsense: [")


def test_what_was_stored_with_a_retry_that_contradicts_itself_waits_the_longest_it_may() -> None:
    source = _MINIMAL + "retry: {type: random, minInterval: PT9S, maxInterval: PT4S}\n"
    assert [problem.path for problem in problems_of(source)] == ["retry.maxInterval"]
    retry = parse_stored(source).retry
    assert retry is not None
    assert retry.delay(1, 0.9) == 4


def test_what_was_stored_with_errors_of_a_pause_is_read_without_them() -> None:
    source = task_lines(f"type: {_FLOW}Pause", f"errors: [{{id: b, {_LOG}}}]")
    assert [problem.path for problem in problems_of(source)] == ["tasks[0].errors"]
    stored = parse_stored(source)
    assert [task.id for task, _ in stored.walk()] == ["a"]
    assert [warning.message for warning in stored.warnings] == ["the key 'errors' is not read"]


# -- laws and limits ----------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}\n '\"&*!|>#%@\t?,0"), max_size=60))
def test_any_text_is_a_flow_or_a_flow_error(text: str) -> None:
    lines = text.count("\n") + 2
    assert all(1 <= found.line <= lines and found.column >= 1 for found in problems_of(text))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "{{ x }}", "PT1S", f"{_FLOW}If"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "tasks", "then", "cases", "retry", "inputs", "value", "condition"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["id", "namespace", "tasks", "inputs", "triggers", "labels"]), _JSON))
def test_any_values_are_a_flow_or_a_flow_error(values: dict) -> None:
    assert all(found.line >= 1 and found.message for found in problems_of(json.dumps(values)))


def test_a_bomb_of_aliases_is_refused() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    assert "at most 100,000 values (WATCHFLOOR_FLOW_MAX_VALUES)" in problems_of("l0: &l0 x\n" + levels)[0].message


def test_a_flow_is_as_large_as_the_settings_say_unless_it_was_accepted_before() -> None:
    source = _MINIMAL + f"variables: {{many: {list(range(40))}}}\n"
    assert len(parse(source, FlowSize(len(source), 60)).variables["many"]) == 40
    small = [FlowSize(len(source) - 1), FlowSize(max_values=40)]
    for size, setting in zip(small, ("WATCHFLOOR_FLOW_MAX_BYTES", "WATCHFLOOR_FLOW_MAX_VALUES"), strict=True):
        with pytest.raises(FlowError, match=setting):
            parse(source, size)


def test_too_many_values_are_refused_before_the_rest_is_read() -> None:
    source = _MINIMAL + f"variables:\n  many: {list(range(40))}\n  bad: [\n"
    assert problems_of(source)[0].message.startswith("not YAML")
    with pytest.raises(FlowError) as refused:
        parse(source, FlowSize(max_values=20))
    assert [(found.line, found.message[:27]) for found in refused.value.violations] == [
        (5, "expected at most 20 values ")
    ]


def test_a_list_is_gone_through_once_however_many_places_in_it_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    gone_through = []
    of_node = documents._children
    monkeypatch.setattr(documents, "_children", lambda node: gone_through.append(node) or of_node(node))
    document = documents.Document(f"tasks: {list(range(500))}\n")
    assert [document.position(("tasks", index)) for index in (0, 1, 499)] == [(1, 9), (1, 12), (1, 2394)]
    assert {document.position(("tasks", index))[0] for index in range(500)} == {1}
    assert len(gone_through) == 2


def test_what_was_stored_is_read_whatever_its_size() -> None:
    source = _MINIMAL + "# " + "x" * FlowSize().max_bytes
    assert "2,097,152 bytes (WATCHFLOOR_FLOW_MAX_BYTES)" in problems_of(source)[0].message
    assert parse_stored(source).id == "f"


@pytest.mark.parametrize("depth", [60, 5_000])
def test_too_deep_nesting_is_refused(depth: int) -> None:
    assert "levels" in problems_of("variables: " + "[" * depth * 2 + "]" * depth * 2)[0].message


def test_forty_flowables_may_nest() -> None:
    inner = f"[{{id: leaf, {_LOG}}}]"
    for level in range(40):
        inner = f"[{{id: s{level}, type: {_FLOW}Sequential, tasks: {inner}}}]"
    flow = parse(f"id: f\nnamespace: n\ntasks: {inner}\n")
    assert flow.place("leaf").depth == 40
    assert isinstance(flow.task("s0"), Sequential)


def test_a_wide_flow_is_read_in_time() -> None:
    tasks = "".join(f"      - {{id: t{n}, {_LOG}}}\n" for n in range(1_000))
    flow = parse(f"id: f\nnamespace: n\ntasks:\n  - id: p\n    type: {_FLOW}Parallel\n    tasks:\n{tasks}")
    parallel = flow.task("p")
    assert isinstance(parallel, Parallel)
    assert len(parallel.tasks) == 1_000
