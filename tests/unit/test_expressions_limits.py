"""What an expression can't do: take long, get large, reach out."""

from __future__ import annotations

import threading
import tracemalloc
from itertools import count
from typing import Any

import gevent
import pytest

from engine.expressions import ExpressionError, LimitExceeded, Options, evaluate, limits
from tests.unit.steps import steps

QUICK = Options(timeout=0.1)
BETWEEN_LOOKS = 20_000  # lines that may run until an expression looks at the clock again
MOST_MEMORY = 16 * 1_048_576  # bytes, for what is being made, of which none may have more than one mebibyte

SLOW = [
    "{% for a in 1..100000 %}{% for b in 1..100000 %}{% endfor %}{% endfor %}",
    "{% for a in 1..100000 %}{% for b in 1..100000 %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}",
    "{% set n = 0 %}{% for a in 1..90000 %}{% for b in 1..90000 %}{% set n = n + 1 %}{% endfor %}{% endfor %}{{ n }}",
    "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
    "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | regexReplace('(a|aa|a?)+$', '') }}",
    "{{ ('a' * 5000) | split('(.*a){12}[bc]') }}",
    "{{ [1] | jq('def f: f; f') }}",
    "{{ [1] | jq('[range(1e9)] | length') }}",
    "{{ (1..3000) | jq('[.[] + .[] + .[]] | length') }}",
    "{{ (1..9000) | map('jq', '.') }}",
    "{{ render('{% for a in 1..90000 %}{% for b in 1..90000 %}{% endfor %}{% endfor %}') }}",
]

LARGE = [
    "{{ 'a' * 100000000 }}",
    "{{ [0] * 100000000 }}",
    "{{ 10 ** 1000000 }}",
    "{{ 9 ** 9 ** 9 ** 9 ** 9 ** 9 }}",
    "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "{% set a = [1, 2] %}" + "{% set a = [a, a] %}" * 60 + "{{ a == 1 }}",
    "{% set a = [1] %}{% set b = [1] %}" + "{% set a = [a, a] %}{% set b = [b, b] %}" * 60 + "{{ a == b }}",
    "{% set a = {'k': 1} %}" + "{% set a = {'l': a, 'r': a} %}" * 60 + "{{ a | length }}",
    "{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}",
    "{% set a = [1] %}" + "{% set a = a | merge(a) %}" * 60 + "{{ a | length }}",
    "{% macro f(a) %}{{ a }}{{ a }}{% endmacro %}" + "{% set s = 'aaaa' %}" + "{% set s = f(s) %}" * 40 + "{{ s }}",
    "{% for a in 1..99999 %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }}{% endfor %}",
    "{{ ('a' * 100000) | replace('a', 'b' * 100000) }}",
    "{{ ('a' * 100000) | regexReplace('a', 'b' * 1000) }}",
    "{{ ('a' * 1000) | split('') | join('x' * 100000) }}",
    "{{ 'a\nb' | indent(1000000000) }}",
    "{{ range(1, 1000000000) }}",
    "{{ yaml('a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e]\n"
    "g: [*f,*f,*f,*f,*f,*f,*f,*f]') }}",
    "{{ '" + "(" * 3000 + "' matches '" + "(a" * 2000 + "' }}",
    "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    "{{ " + "not " * 5000 + "true }}",
    "{{ " + "1 + " * 9000 + "1 }}",
    "{{ " + "a." * 9000 + "a }}",
    "{{ " + "1, " * 15000 + " }}",
    "{{ render(self_reference) }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ 1" + "0" * 2000 + " }}",
]


@pytest.mark.parametrize("template", SLOW)
def test_time_is_up(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = count()
    monkeypatch.setattr(limits, "monotonic", lambda: next(looks) / 1_000)
    refused, ran = steps(lambda: refusal(template, {}))
    assert "longer than" in refused
    assert ran < BETWEEN_LOOKS * next(looks)


def refusal(template: str, context: dict[str, Any]) -> str:
    """Why it is too much."""
    with pytest.raises(LimitExceeded) as refused:
        evaluate(template, context, options=QUICK)
    return refused.value.message


@pytest.mark.parametrize("template", LARGE, ids=range(len(LARGE)))
def test_nothing_gets_too_large(template: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ExpressionError):
            evaluate(template, {"self_reference": "{{ render(self_reference) }}", "a": {}})
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__.__mro__",
        "''['__class__']",
        "[].append(1)",
        "map.__class__",
        "map.update({'a': 1})",
        "map.pop('a')",
        "loader",
        "self",
        "thing.method()",
        "thing.attribute",
        "thing",
        "call_me()",
        "now.body",
        "now",
        "range.__globals__",
        "'{0.__class__}'.format(1)",
        "'%s' % secret",
        "cycler()",
        "lipsum()",
        "namespace()",
        "'x' | attr('y')",
        "'x' | wf_namespace",
        "joiner",
        "map | jq('input')",
        "map | jq('$ENV')",
        "map | jq('env | keys')",
        "map | jq('import \"a\" as a; 1')",
    ],
)
def test_the_sandbox_holds(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH_OF_SECRETS", "leak")

    class Thing:
        attribute = 1

        def method(self) -> int:
            return 1

    context: dict[str, Any] = {"map": {"a": 1}, "thing": Thing(), "call_me": lambda: 1}
    with pytest.raises(ExpressionError):
        evaluate("{{ " + expression + " }}", context)
    assert context["map"] == {"a": 1}


def test_deep_results_are_refused() -> None:
    value: Any = 1
    for _ in range(200):
        value = [value]
    with pytest.raises(LimitExceeded, match="nested deeper"):
        evaluate("{{ value }}", {"value": value})


def test_the_result_is_capped_in_bytes() -> None:
    cap = Options(max_bytes=1_000)
    assert evaluate("{{ a }}", {"a": "x" * 900}, options=cap) == "x" * 900
    for value in ("x" * 1_001, "é" * 600, ["x" * 300] * 4, {"x" * 1_100: 1}):
        with pytest.raises(LimitExceeded, match="1,000 bytes"):
            evaluate("{{ a }}{{ '' }}", {"a": value}, options=cap)
        with pytest.raises(LimitExceeded, match="1,000 bytes"):
            evaluate("{{ a }}", {"a": value}, options=cap)


def test_threads_compile_at_the_same_time() -> None:
    wrong: list[str] = []

    def work(thread: int) -> None:
        for n in range(60):
            expected = f"{thread}-{n}"
            if evaluate("{% if true %}{{ '" + expected + "' }}{% endif %}", {}) != expected:
                wrong.append(expected)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_deadlines_of_threads_and_greenlets_do_not_mix() -> None:
    results: list[str] = []

    def slow() -> None:
        try:
            evaluate(SLOW[0], {}, options=QUICK)
        except LimitExceeded:
            results.append("stopped")

    def quick() -> None:
        results.append(evaluate("{% for a in 1..3 %}{{ a }}{% endfor %}", {}))

    threads = [threading.Thread(target=target) for target in (slow, quick)]
    for thread in threads:
        thread.start()
    gevent.joinall([gevent.spawn(slow), gevent.spawn(quick)], raise_error=True)
    for thread in threads:
        thread.join()
    assert sorted(results) == ["123", "123", "stopped", "stopped"]


def test_reading_yaml_stops_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = count()
    monkeypatch.setattr(limits, "monotonic", lambda: next(looks) / 1_000)
    source = "\n".join(f"- key{n}: [1, two]" for n in range(8_000))
    refused, ran = steps(lambda: refusal("{{ yaml(source) }}", {"source": source}))
    assert "longer than" in refused
    assert ran < BETWEEN_LOOKS * next(looks)
    assert evaluate("{{ yaml(source) }}", {"source": "- a: [1, two]"}) == [{"a": [1, "two"]}]
