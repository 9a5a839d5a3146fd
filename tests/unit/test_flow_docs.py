"""docs/flow-files.md names every key, type, function and filter, and its example is a flow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.expressions.filters import FILTERS
from engine.expressions.functions import FUNCTIONS
from engine.flow import (
    CONDITION_TYPES,
    INPUT_TYPES,
    TASK_TYPES,
    TRIGGER_TYPES,
    Container,
    Flow,
    Flowable,
    Input,
    Script,
    Task,
    Trigger,
    parse,
)
from engine.flow.base import Model
from engine.flow.conditions import Condition
from engine.flow.retry import RETRIES, Retry

TEXT = (Path(__file__).parents[2] / "docs" / "flow-files.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", TEXT))


def keys_of(model: type[Model], base: type[Model] | None = None) -> set[str]:
    """The keys of a model in a file, without those of ``base``."""
    common = set(base.model_fields) if base else set()
    return {field.alias or name for name, field in model.model_fields.items() if name not in common}


def _line_of(name: str) -> str:
    return next(line for line in TEXT.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1])


def _missing(keys: set[str], text: str) -> list[str]:
    return sorted(key for key in keys if f"`{key}`" not in text)


@pytest.mark.parametrize("model", [Flow, Task, Input, Trigger, Retry], ids=lambda model: model.__name__)
def test_common_keys_are_named(model: type[Model]) -> None:
    assert keys_of(model) - NAMED == set()


@pytest.mark.parametrize("name", sorted(TASK_TYPES))
def test_each_task_type_is_listed_with_its_keys(name: str) -> None:
    kind = TASK_TYPES[name]
    above = next(model for model in (Container, Flowable, Script, Task) if issubclass(kind, model))
    assert _missing(keys_of(kind, above), _line_of(name)) == []


@pytest.mark.parametrize("shared", [Container, Script], ids=lambda model: model.__name__)
def test_keys_that_several_task_types_share_are_named(shared: type[Model]) -> None:
    assert keys_of(shared, Task) - NAMED == set()


@pytest.mark.parametrize("name", sorted(INPUT_TYPES))
def test_each_input_type_is_listed_with_its_keys(name: str) -> None:
    assert _missing(keys_of(INPUT_TYPES[name], Input), _line_of(name)) == []


@pytest.mark.parametrize("name", sorted(TRIGGER_TYPES))
def test_each_trigger_type_is_listed_with_its_keys(name: str) -> None:
    assert _missing(keys_of(TRIGGER_TYPES[name], Trigger), _line_of(name)) == []


@pytest.mark.parametrize("name", sorted(RETRIES.types))
def test_each_retry_is_listed_with_its_keys(name: str) -> None:
    assert _missing(keys_of(RETRIES.types[name], Retry), _line_of(name)) == []


def test_each_function_and_filter_is_named() -> None:
    functions, filters = TEXT.split("Functions: ")[1].split("Filters (")
    assert set(re.findall(r"`(\w+)`", functions)) == set(FUNCTIONS)
    assert set(re.findall(r"`(\w+)`", filters.split("\n\n")[0])) == set(FILTERS)


def test_no_type_is_listed_that_does_not_exist() -> None:
    types = {name for name in NAMED if name.startswith("io.kestra.") and "…" not in name}
    assert types == {*TASK_TYPES, *TRIGGER_TYPES}


def test_the_example_is_a_flow() -> None:
    flow = parse(TEXT.split("```yaml\n")[1].split("```")[0])
    assert flow.id == "hello"
    assert not flow.warnings


@pytest.mark.parametrize("name", sorted(CONDITION_TYPES))
def test_each_condition_is_listed_with_its_keys(name: str) -> None:
    short = name.rpartition(".")[2]
    line = next(line for line in TEXT.splitlines() if line.startswith("|") and f"`{short}`" in line.split("|")[1])
    assert _missing(keys_of(CONDITION_TYPES[name], Condition) - {"prefix"}, line) == []
