"""Expressions: what a template gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.expressions import ExpressionError, Options, evaluate, render_tree
from tests.unit.steps import steps

CONTEXT: dict[str, Any] = {
    "inputs": {"a": 1, "name": "Ada", "none": None, "tags": ["x", "y"], "flag": True},
    "outputs": {
        "extract": {"rows": [3, 1, 2], "vars": {"k": "v"}},
        "my-task": {"value": "dashed"},
        "each": {"a": {"value": "out-a"}, "1": {"value": "out-1"}},
        "items": {"value": "an id like a method"},
    },
    "taskrun": {"value": "a", "iteration": 0},
    "vars": {"greeting": "Hello {{ inputs.name }}", "twice": "{{ vars.greeting }}", "loop": "{{ render(vars.loop) }}"},
    "labels": {"env": "prod"},
}
NOON = Options(clock=lambda: datetime(2026, 3, 14, 12, 0, 5, 123456, UTC))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain text", "plain text"),
        ("{{ inputs.a }}", 1),
        ("{{ inputs.flag }}", True),
        ("{{ inputs.none }}", None),
        ("{{ inputs.tags }}", ["x", "y"]),
        ("{{ outputs.extract }}", {"rows": [3, 1, 2], "vars": {"k": "v"}}),
        (" {{ inputs.a }}", " 1"),
        ("{{ inputs.flag }}!", "true!"),
        ("[{{ inputs.none }}]", "[]"),
        ("{{ inputs.tags }} {{ outputs.extract.vars }}", '["x","y"] {"k":"v"}'),
        ("{{ outputs['my-task'].value }}", "dashed"),
        ("{{ outputs.each[taskrun.value].value }}", "out-a"),
        ("{{ outputs.each[1].value }}", "out-1"),
        ("{{ outputs.items.value }}", "an id like a method"),
        ("{{ outputs.extract.rows[0] }}", 3),
        ("{{ outputs.extract.rows.0 }}", 3),
        ("{{ inputs.name ~ '-' ~ inputs.a }}", "Ada-1"),
        ("{{ inputs.missing ?? 'd' }}", "d"),
        ("{{ inputs.none ?? 'd' }}", "d"),
        ("{{ nothing.at.all ?? inputs.none ?? 5 }}", 5),
        ("{{ inputs.none ??? 'd' }}", None),
        ("{{ inputs.missing ?? 'd' | upper }}", "D"),
        ("{{ 'a' ?? fromJson('not json') }}", "a"),
        ("{{ inputs.a == 1 ? 'one' : 'more' }}", "one"),
        ("{{ inputs.a > 1 ? 'more' : inputs.flag ? 'flag' : 'none' }}", "flag"),
        ("{{ 'yes' if inputs.a == 1 else 'no' }}", "yes"),
        ("{{ 'Ada Lovelace' contains inputs.name }}", True),
        ("{{ inputs.tags contains 'z' }}", False),
        ("{{ [1, 2, 3] contains [1, 3] }}", True),
        ("{{ labels contains 'env' }}", True),
        ("{{ 'v1.2.3' matches 'v\\d+\\..*' }}", True),
        ("{{ 'v1' matches 'v' }}", False),
        ("{{ inputs.a equals 1 and not (inputs.a equals 2) }}", True),
        ("{{ 1..4 }}", [1, 2, 3, 4]),
        ("{{ 'a'..'c' }}", ["a", "b", "c"]),
        ("{{ range(1, 3) }}", [1, 2, 3]),
        ("{{ range(0, 10, 5) }}", [0, 5, 10]),
        ("{{ range(3) }}", [0, 1, 2]),
        ("{{ 7 / 2 }}", 3),
        ("{{ -7 / 2 }}", -3),
        ("{{ 7.0 / 2 }}", 3.5),
        ("{{ 'n=' + 1 }}", "n=1"),
        ("{{ [1] + [2] }}", [1, 2]),
        ("{{ inputs.name is empty or inputs.none is null }}", True),
        ("{{ inputs.missing is defined }}", False),
        ("{{ outputs.extract.rows | length > 2 }}", True),
        ("{% if inputs.a == 2 %}two{% elseif inputs.a == 1 %}one{% else %}other{% endif %}", "one"),
        ("{% for x in inputs.tags %}{{ loop.index }}{{ x }}{{ loop.last ? '' : ',' }}{% endfor %}", "0x,1y"),
        ("{% for e in labels %}{{ e.key }}={{ e.value }}{% endfor %}", "env=prod"),
        ("{% for k, v in labels.items() %}{{ k }}={{ v }}{% endfor %}", "env=prod"),
        ("{% set n = 0 %}{% for x in outputs.extract.rows %}{% set n = n + x %}{% endfor %}{{ n }}", "6"),
        ("{% macro hi(who) %}Hi {{ who }}{% endmacro %}{{ hi('you') }}", "Hi you"),
        ("{% raw %}{{ not.read }}{% endraw %}", "{{ not.read }}"),
        ("{% verbatim %}{{ a }}{% endverbatim %} {{ inputs.a }}", "{{ a }} 1"),
        ("a{# a note #}b{{ inputs.a }}", "ab1"),
        ("${#list[@]} {{ inputs.a }} #}", "${#list[@]} 1 #}"),
        ("a  {{- inputs.a -}}  b", "a1b"),
        ("{{ {'a': {'b': [1, {'c': 2}]}} }}", {"a": {"b": [1, {"c": 2}]}}),
        ("{{ 'it\\'s\\n' }}", "it's\n"),
        ("{{ null }}", None),
        ("{{ render(vars.greeting) }}", "Hello Ada"),
        ("{{ render(vars.twice) }}", "Hello Ada"),
        ("{{ renderOnce(vars.twice) }}", "Hello {{ inputs.name }}"),
    ],
)
def test_value(template: str, expected: Any) -> None:
    value = evaluate(template, CONTEXT)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("template", "message", "line", "column"),
    [
        ("{{ inputs.nam }}", "'nam' in inputs is not defined; did you mean name?", 1, 11),
        ("text\n  {{ outputs.extrakt.rows }}", "'extrakt' in outputs is not defined; did you mean extract?", 2, 14),
        ("{{ inptus.a }}", "'inptus' is not defined; did you mean inputs?", 1, 4),
        ("{{ outputs.my-task }}", "ids with dashes are written ['my-task']", 1, 12),
        ("{{ outputs.each['zz'].value }}", "'zz'", 1, 16),
        ("{{ inputs.none.x }}", "'x' of null is not defined", 1, 16),
        ("{{ inputs.nam | upper }}", "'nam' in inputs", 1, 11),
        ("{{ inputs.name | uper }}", "the filter 'uper' is not known; did you mean upper", 1, 18),
        ("{{ inputs.a is strange }}", "the test 'strange' is not known", 1, 13),
        ("{{ inputs.a + }}", "unexpected", 1, 15),
        ("x {{ inputs.a", "'{{' is never closed by '}}'", 1, 3),
        ("{% if inputs.a %}x", "endif", 1, 0),
        ("{% include 'x' %}", "'{% include %}' is not known", 1, 4),
        ("{{ 'abc }}", "never closed", 1, 4),
        ("{{ 1 / 0 }}", "division by zero", 1, 6),
        ("a\n{{ nosuch() }}", "'nosuch' is not defined", 2, 4),
        ("{{ 'x' | number }}", "'x' is not a number", 1, 10),
        ("{{ fromJson('{') }}", "is not JSON", 1, 12),
    ],
)
def test_error_names_the_place(template: str, message: str, line: int, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(template, CONTEXT)
    assert message in caught.value.message
    assert caught.value.line == line
    if column:
        assert abs(caught.value.column - column) <= 3, caught.value
    assert f"line {line}" in str(caught.value)


def test_render_tree_renders_keys_and_leaves_values_that_are_no_text() -> None:
    value = {"{{ inputs.name }}": ["{{ inputs.a }}", 2, None, {"x": "n {{ inputs.a }}"}], "t": ("{{ inputs.flag }}",)}
    assert render_tree(value, CONTEXT) == {"Ada": [1, 2, None, {"x": "n 1"}], "t": [True]}


def test_lazy_contexts_are_asked_only_for_what_is_used() -> None:
    asked: list[str] = []

    class Lazy(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            asked.append(key)
            if key == "gone":
                raise KeyError(key)
            return {"value": key}

        def __iter__(self) -> Iterator[str]:
            return iter(["one", "two"])

        def __len__(self) -> int:
            return 2

    context = {"outputs": Lazy()}
    assert evaluate("{{ outputs.one.value }}", context) == "one"
    assert asked == ["one"]
    assert evaluate("{{ outputs.gone.value ?? 'd' }}", context) == "d"
    assert evaluate("{{ outputs }}", context) == {"one": {"value": "one"}, "two": {"value": "two"}}
    with pytest.raises(ExpressionError, match="'gone' in outputs"):
        evaluate("{{ outputs.gone.value }}", context)


def test_results_are_copies() -> None:
    context = {"inputs": {"list": [1]}}
    evaluate("{{ inputs.list }}", context).append(2)
    assert context == {"inputs": {"list": [1]}}


def test_now_is_the_given_clock() -> None:
    assert evaluate("{{ now() }}", {}, options=NOON) == "2026-03-14T12:00:05.123456Z"
    assert evaluate("{{ now('HH:mm', timeZone='Europe/Paris') }}", {}, options=NOON) == "13:00"


def test_a_template_is_read_once_and_costs_the_same_in_any_context() -> None:
    def cost(size: int) -> int:
        context = {"outputs": {f"task{n}": {"size": n} for n in range(size)}}
        value, count = steps(lambda: evaluate("{{ outputs.task1.size + 41 }}", context))
        assert value == 42
        return count

    first, again, in_large_one = cost(2), cost(2), cost(2_000)
    assert again == in_large_one
    assert 10 * again < first
