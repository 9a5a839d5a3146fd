"""Which names a value uses; secrets and their masks."""

from __future__ import annotations

import pytest

from engine.expressions import evaluate, known_secrets, mask, mask_tree, references


@pytest.mark.parametrize(
    ("value", "outputs", "inputs", "vars_", "whole"),
    [
        ("no expression", [], [], [], ""),
        ("{{ outputs.a.b }} {{ outputs['c-d'].e }}", ["a", "c-d"], [], [], ""),
        ({"x": ["{{ inputs.a ?? vars.b }}", {"{{ inputs.k }}": 1}]}, [], ["a", "k"], ["b"], ""),
        ("{{ outputs[taskrun.value].x }}", [], [], [], "outputs"),
        ("{{ outputs | length }} {{ inputs }}", [], [], [], "outputs inputs"),
        ("{% for o in outputs.list %}{{ o.x }}{{ outputs.other.y }}{% endfor %}", ["list", "other"], [], [], ""),
        ("{{ outputs.a[outputs.b.key].c | replace({'x': inputs.z}) }}", ["a", "b"], ["z"], [], ""),
        ("{% set t = 0 %}{% for x in outputs.a %}{% set t = t + x %}{% endfor %}{{ t }}", ["a"], [], [], ""),
        ("{{ broken", [], [], [], ""),
    ],
)
def test_references(value: object, outputs: list[str], inputs: list[str], vars_: list[str], whole: str) -> None:
    found = references(value)
    assert sorted(found.outputs) == outputs
    assert sorted(found.inputs) == inputs
    assert sorted(found.vars) == vars_
    assert (found.all_outputs, found.all_inputs, found.all_vars) == tuple(
        name in whole.split() for name in ("outputs", "inputs", "vars")
    )


def test_references_names_what_is_used_at_the_top() -> None:
    found = references("{{ taskrun.value }} {{ parents[0].taskrun.value }} {{ flow.id }}")
    assert {"taskrun", "parents", "flow"} <= found.names
    assert not found.renders


def test_render_reaches_through_variables() -> None:
    variables = {"x": "{{ outputs.deep.value }}"}
    assert not references("{{ vars.x }}", variables).outputs
    found = references("{{ render(vars.x) }}", variables)
    assert found.renders
    assert found.outputs == {"deep"}


def test_secrets_are_read_and_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFLOOR_SECRET_TOKEN", 'top "secret"\nline two')
    monkeypatch.setenv("WATCHFLOOR_SECRET_LONG", "line two and more")
    monkeypatch.setenv("WATCHFLOOR_SECRET_TINY", "ab")
    assert evaluate("{{ secret('token') }}", {}) == 'top "secret"\nline two'
    secrets = known_secrets()
    assert mask('x top "secret"\nline two y', secrets) == "x ****** y"
    assert mask('{"k":"top \\"secret\\"\\nline two"}', secrets) == '{"k":"******"}'
    assert mask("just line two", secrets) == "just ******"
    assert mask("line two and more", secrets) == "******"
    assert mask("about", secrets) == "about"
    assert mask_tree({"a line two": ["line two", 1, None]}, secrets) == {"a ******": ["******", 1, None]}
