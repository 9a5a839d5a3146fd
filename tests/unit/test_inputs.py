"""Values given for inputs: each type's checks, defaults, dotted ids, all errors at once."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flow import INPUT_TYPES, Flow
from engine.inputs import InputError, read_inputs, validate_inputs

_TASKS = [{"id": "a", "type": "io.kestra.plugin.core.log.Log", "message": "hi"}]


def flow_of(*inputs: dict[str, Any]) -> Flow:
    """A flow with these inputs."""
    return Flow.model_validate({"id": "f", "namespace": "n", "tasks": _TASKS, "inputs": list(inputs)})


def error_of(flow: Flow, given: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the given values."""
    with pytest.raises(InputError) as caught:
        validate_inputs(flow, given)
    return caught.value.errors


TAKEN: list[tuple[dict[str, Any], Any, Any]] = [
    ({"type": "STRING"}, "a", "a"),
    ({"type": "STRING"}, "", ""),
    ({"type": "STRING"}, 5, "5"),
    ({"type": "STRING", "validator": r"\d+"}, "12", "12"),
    ({"type": "SECRET"}, "s3cret", "s3cret"),
    ({"type": "EMAIL"}, "ada@example.org", "ada@example.org"),
    ({"type": "SELECT", "values": ["a", "b"]}, "b", "b"),
    ({"type": "SELECT", "values": [1, 2]}, 2, "2"),
    ({"type": "SELECT", "values": ["a"], "allowCustomValue": True}, "z", "z"),
    ({"type": "ENUM", "values": ["a", "b"]}, "a", "a"),
    ({"type": "MULTISELECT", "values": ["a", "b"]}, ["b"], ["b"]),
    ({"type": "MULTISELECT", "values": ["a", "b"]}, '["a", "b"]', ["a", "b"]),
    ({"type": "INT"}, 5, 5),
    ({"type": "INT"}, "5", 5),
    ({"type": "INT"}, 5.0, 5),
    ({"type": "INT", "min": 5, "max": 5}, 5, 5),
    ({"type": "FLOAT"}, "2.5", 2.5),
    ({"type": "FLOAT"}, 2, 2.0),
    ({"type": "BOOL"}, "on", True),
    ({"type": "BOOLEAN"}, "false", False),
    ({"type": "BOOL"}, True, True),
    ({"type": "DATETIME"}, "2030-01-02T03:04:05Z", "2030-01-02T03:04:05Z"),
    ({"type": "DATETIME", "after": "2030-01-01T00:00:00Z"}, "2030-01-01T01:00:00", "2030-01-01T01:00:00"),
    ({"type": "DATE", "before": "2030-01-02"}, "2030-01-02", "2030-01-02"),
    ({"type": "TIME"}, "03:04", "03:04"),
    ({"type": "DURATION", "min": "PT1S"}, "PT1M", "PT1M"),
    ({"type": "FILE"}, "file:///data/a.csv", "file:///data/a.csv"),
    ({"type": "URI"}, "https://example.org/a?b=c", "https://example.org/a?b=c"),
    ({"type": "JSON"}, '{"a": [1]}', {"a": [1]}),
    ({"type": "JSON"}, {"a": 1}, {"a": 1}),
    ({"type": "YAML"}, "a: 1\nb: 2030-01-02", {"a": 1, "b": "2030-01-02"}),
    ({"type": "ARRAY", "itemType": "INT"}, "[1, 2]", [1, 2]),
    ({"type": "ARRAY", "itemType": "STRING"}, ["a"], ["a"]),
]


@pytest.mark.parametrize(("keys", "given", "expected"), TAKEN)
def test_values_that_fit(keys: dict[str, Any], given: Any, expected: Any) -> None:
    assert validate_inputs(flow_of({"id": "x", **keys}), {"x": given}) == {"x": expected}


REFUSED: list[tuple[dict[str, Any], Any, str]] = [
    ({"type": "STRING"}, ["a"], r"expected text, came \['a'\]"),
    ({"type": "STRING", "validator": r"\d+"}, "12a", r"expected text matching \\d\+, came '12a'"),
    ({"type": "EMAIL"}, "ada@", "expected an e-mail address"),
    ({"type": "SECRET", "validator": r"\w{8,}"}, "hunter2", r"^expected text matching \\w\{8,\}, came \*{6}$"),
    ({"type": "SECRET"}, ["hunter2"], r"^expected text, came \*{6}$"),
    ({"type": "SELECT", "values": ["a", "b"]}, "c", "expected one of a, b, came 'c'"),
    ({"type": "ENUM", "values": ["a", "b"]}, "c", "expected one of a, b, came 'c'"),
    ({"type": "MULTISELECT", "values": ["a", "b"]}, ["a", "c"], "expected one of a, b, came 'c'"),
    ({"type": "MULTISELECT", "values": ["a", "b"]}, "a", "expected a list as JSON"),
    ({"type": "INT"}, "five", "expected a whole number, came 'five'"),
    ({"type": "INT"}, 1.5, "expected a whole number"),
    ({"type": "INT"}, True, "expected a whole number"),
    ({"type": "INT"}, 2**70, "64 bits"),
    ({"type": "INT", "min": 3}, 2, "expected at least 3, came 2"),
    ({"type": "FLOAT", "max": 1}, 1.5, "expected at most 1.0, came 1.5"),
    ({"type": "FLOAT", "min": 1}, 0.5, "expected at least 1.0, came 0.5"),
    ({"type": "FLOAT"}, "nan", "expected a number"),
    ({"type": "BOOL"}, "maybe", "expected true or false, came 'maybe'"),
    ({"type": "DATETIME"}, "tomorrow", "expected a date and time such as"),
    ({"type": "DATETIME", "after": "2030-01-02T00:00:00Z"}, "2030-01-01T23:59:59Z", "expected 2030-01-02T00:00:00Z or"),
    (
        {"type": "DATETIME", "before": "2030-01-01T12:00:00+02:00"},
        "2030-01-01T11:00:00Z",
        r"12:00:00\+02:00 or earlier",
    ),
    ({"type": "DATE", "after": "2030-01-02"}, "2030-01-01", "expected 2030-01-02 or later"),
    ({"type": "TIME", "before": "12:00"}, "13:00", "expected 12:00 or earlier"),
    ({"type": "DURATION"}, "5 min", "expected a duration such as"),
    ({"type": "DURATION", "max": "PT1M"}, "PT2M", "expected at most PT1M"),
    ({"type": "DURATION", "min": "PT1M"}, "PT59S", "expected at least PT1M"),
    ({"type": "FILE"}, " ", "expected the URI of a file, came ' '"),
    ({"type": "URI"}, "no scheme", "expected a URI"),
    ({"type": "JSON"}, "{", "expected JSON"),
    ({"type": "YAML"}, "a: b: c", "expected YAML"),
    ({"type": "ARRAY", "itemType": "INT"}, [1, "x"], "item 2: expected a whole number"),
    ({"type": "ARRAY", "itemType": "INT"}, {"a": 1}, "expected a list"),
]


@pytest.mark.parametrize(("keys", "given", "message"), REFUSED)
def test_values_that_do_not_fit_say_what_was_expected_and_what_came(
    keys: dict[str, Any], given: Any, message: str
) -> None:
    errors = error_of(flow_of({"id": "x", **keys}), {"x": given})
    assert list(errors) == ["x"]
    assert re.search(message, errors["x"])


def test_every_type_of_the_reference_is_known() -> None:
    names = "STRING SELECT MULTISELECT INT FLOAT BOOL BOOLEAN DATETIME DATE TIME DURATION FILE JSON YAML URI SECRET"
    assert INPUT_TYPES.keys() == {*names.split(), "EMAIL", "ARRAY", "ENUM"}


def test_all_errors_are_told_at_once() -> None:
    flow = flow_of(
        {"id": "a", "type": "INT"},
        {"id": "b", "type": "STRING"},
        {"id": "c", "type": "BOOL", "required": False},
    )
    assert error_of(flow, {"a": "x", "c": "perhaps"}).keys() == {"a", "b", "c"}


def test_a_missing_value_names_one_that_may_have_been_meant() -> None:
    errors = error_of(flow_of({"id": "count", "type": "INT"}), {"cuont": 3})
    assert errors == {"count": "expected a value, came none (there is a value for 'cuont', which is no input)"}


def test_defaults_and_absent_values() -> None:
    flow = flow_of(
        {"id": "a", "type": "INT", "defaults": "7"},
        {"id": "b", "type": "STRING", "required": False},
        {"id": "c", "type": "INT", "defaults": 1, "required": False},
    )
    assert validate_inputs(flow, {"c": ""}) == {"a": 7, "b": None, "c": 1}
    assert validate_inputs(flow, {"a": None, "other": 1}) == {"a": 7, "b": None, "c": 1}


def test_defaults_that_are_expressions_are_rendered_and_checked() -> None:
    flow = flow_of({"id": "a", "type": "INT", "defaults": "{{ 1 + 1 }}"})
    assert validate_inputs(flow, {}, render=lambda template: 2) == {"a": 2}
    with pytest.raises(InputError, match="expected a whole number"):
        validate_inputs(flow, {}, render=lambda template: "two")
    assert validate_inputs(flow, {}) == {"a": "{{ 1 + 1 }}"}


@pytest.mark.parametrize("given", [{"db.host": "h", "db.port": 1}, {"db": {"host": "h", "port": 1}}])
def test_dotted_ids_nest(given: dict[str, Any]) -> None:
    flow = flow_of({"id": "db.host", "type": "STRING"}, {"id": "db.port", "type": "INT"})
    assert validate_inputs(flow, given) == {"db": {"host": "h", "port": 1}}


def test_inputs_of_a_pause_are_read_alike() -> None:
    pause = {
        "id": "p",
        "type": "io.kestra.plugin.core.flow.Pause",
        "onResume": [{"id": "ok", "type": "BOOL", "defaults": True}],
    }
    flow = Flow.model_validate({"id": "f", "namespace": "n", "tasks": [pause]})
    assert read_inputs(flow.task("p").onResume, {}) == {"ok": True}  # type: ignore[attr-defined]


def test_a_slow_validator_is_stopped() -> None:
    flow = flow_of({"id": "x", "type": "STRING", "validator": "(a|aa)+"})
    assert "simplify it" in error_of(flow, {"x": "a" * 60 + "b"})["x"]


_EXTRAS = {"SELECT": {"values": ["a"]}, "ENUM": {"values": ["a"]}, "MULTISELECT": {"values": ["a"]}}
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(value=_ANY)
@pytest.mark.parametrize("kind", sorted(INPUT_TYPES))
def test_any_value_is_taken_or_refused_and_what_is_taken_is_taken_again(kind: str, value: Any) -> None:
    extra = {"itemType": "INT"} if kind == "ARRAY" else _EXTRAS.get(kind, {})
    flow = flow_of({"id": "x", "type": kind, "required": False, **extra})
    with suppress(InputError):
        read = validate_inputs(flow, {"x": value})
        json.dumps(read)
        if not isinstance(read["x"], str):
            assert repr(validate_inputs(flow, read)) == repr(read)


KINDS = {"id": "kind", "type": "SELECT", "values": ["new", "old"]}
WHICH = {"id": "which", "type": "INT", "dependsOn": {"inputs": ["kind"], "condition": "{{ inputs.kind == 'old' }}"}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"kind": "old", "which": "3"}, {"kind": "old", "which": 3}),
        ({"kind": "new"}, {"kind": "new", "which": None}),
        ({"kind": "new", "which": "3"}, {"kind": "new", "which": None}),
    ],
)
def test_an_input_may_depend_on_others(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert validate_inputs(flow_of(KINDS, WHICH), given) == expected


def test_what_depends_is_asked_for_only_then() -> None:
    flow = flow_of(KINDS, WHICH)
    assert error_of(flow, {"kind": "old"}) == {"which": "expected a value, came none"}
    assert set(error_of(flow, {"kind": "odd"})) == {"kind"}
    broken = {**WHICH, "dependsOn": {"condition": "{{ inputs.kin == 'old' }}"}}
    assert error_of(flow_of(KINDS, broken), {"kind": "old"})["which"].startswith("dependsOn.condition: 'kin' in inputs")


def test_a_bound_that_is_an_expression_is_not_checked() -> None:
    flow = flow_of({"id": "x", "type": "DATE", "after": "{{ now() }}"})
    assert validate_inputs(flow, {"x": "1999-01-01"}) == {"x": "1999-01-01"}
