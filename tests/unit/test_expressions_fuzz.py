"""Whatever is written between the braces, the answer is a value or an ExpressionError."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions import ExpressionError, Options, evaluate, references
from engine.expressions.filters import FILTERS, TESTS
from engine.expressions.functions import FUNCTIONS

CONTEXT: dict[str, Any] = {
    "inputs": {"a": 1, "text": "some text", "none": None, "list": [3, [1], {"k": "v"}], "map": {"x": 1.5}},
    "outputs": {"t": {"value": "2026-01-01T00:00:00Z"}},
    "taskrun": {"value": "a"},
}
NAMES = [*CONTEXT, *FUNCTIONS, "a", "text", "none", "list", "map", "t", "value", "loop", "x", "items", "__class__"]
SIGNS = "( ) [ ] { } , : . .. | ~ + - * / // % ** ?? ??? ? == != < >= = 'it' \"q\" 0 1 2.5 7 null true".split()  # noqa: SIM905
WORDS = ["and", "or", "not", "is", "in", "contains", "matches", "if", "else", "equals", *TESTS]
TAGS = ["{{", "}}", "{%", "%}", "{% for x in inputs.list %}", "{% endfor %}", "{% if inputs.a %}", "{% endif %}",
        "{% set x = ", "{#", "#}", "{% raw %}", "text", "\n"]  # fmt: skip
QUICK = Options(timeout=0.2, max_bytes=50_000)

tokens = st.sampled_from([*NAMES, *SIGNS, *WORDS, *FILTERS])
values = st.sampled_from(["inputs.a", "inputs.text", "inputs.none", "inputs.list", "inputs.map", "outputs.t.value",
                          "'x'", "0", "-1", "2.5", "[]", "{}", "[1, 'b']", "{'k': [1]}", "null", "true",
                          "missing.name"])  # fmt: skip
calls = st.builds(
    lambda value, name, args: f"{value} | {name}({', '.join(args)})",
    values,
    st.sampled_from(sorted(FILTERS)),
    st.lists(values, max_size=3),
)
functions = st.builds(
    lambda name, args: f"{name}({', '.join(args)})", st.sampled_from(sorted(FUNCTIONS)), st.lists(values, max_size=3)
)
operations = st.builds(
    lambda left, sign, right: f"{left} {sign} {right}",
    values,
    st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "~", "??", "..", "contains", "matches", "in", "<", "=="]),
    values,
)
soup = st.lists(tokens, max_size=12).map(" ".join)
templates = st.one_of(
    st.one_of(calls, functions, operations, soup).map(lambda text: f"{{{{ {text} }}}}"),
    st.lists(st.one_of(st.sampled_from(TAGS), tokens), max_size=14).map(" ".join),
    st.text(alphabet="{}%#-' \"|.()ax1\n", max_size=30),
)


def outcome(template: str) -> str:
    """The value as JSON, or the message of the error."""
    try:
        return json.dumps(evaluate(template, CONTEXT, options=QUICK))
    except ExpressionError as error:
        return error.message


@settings(max_examples=600, deadline=None)
@given(templates)
def test_any_template_gives_a_value_or_says_what_is_wrong(template: str) -> None:
    said = outcome(template)
    assert said
    assert "<class" not in said
    assert " object at " not in said
    references(template)
    assert CONTEXT["inputs"]["list"] == [3, [1], {"k": "v"}]
