"""Models chosen by their ``type`` key: tasks, inputs, triggers, retries. Adding one is one registered class."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from pydantic import ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from engine.flow.base import Model

M = TypeVar("M", bound=Model)


class Kinds(Generic[M]):
    """A closed set of models told apart by ``type``. ``types`` maps each name to its class.

    ``base`` holds the keys all of them have: where the type is unknown, those are still checked, so that one run
    reports every problem. ``old_names`` maps names that flows used before to the ones of today. ``defaults``: a flow's
    ``pluginDefaults`` are for these.
    """

    def __init__(self, noun: str, base: type[M], *, defaults: bool = False) -> None:
        self.noun = noun
        self._defaults = defaults
        self.types: dict[str, type[M]] = {}
        self.old_names: dict[str, str] = {}
        self._base = base

    def register(self, name: str, *old_names: str) -> Callable[[type[M]], type[M]]:
        """Class decorator: ``type: name`` is read with this class."""

        def add(model: type[M]) -> type[M]:
            self.types[name] = model
            self.old_names.update(dict.fromkeys(old_names, name))
            return model

        return add

    def read(self, value: Any, info: ValidationInfo) -> M:
        """The model of ``value``; raises pydantic's ValidationError with every problem in it."""
        if isinstance(value, self._base):
            return value
        if not isinstance(value, dict):
            raise PydanticCustomError("kind", "{why}", {"why": f"expected a {self.noun}: a mapping with {self._needs}"})
        values = self._with_defaults(value, info)
        name = values.get("type")
        name = self.old_names.get(name, name) if isinstance(name, str) else name
        model = self.types.get(name) if isinstance(name, str) else None
        if model is None:
            raise self._unknown(values, info)
        read = model.model_validate({**values, "type": name}, context=info.context)
        read._raw = {**values, **{key: getattr(read, key) for key in ("id", "type") if key in values}}
        return read

    def _with_defaults(self, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        defaults = (info.context or {}).get("plugin_defaults")
        return defaults.fill(value) if self._defaults and defaults else value

    def names(self, name: str) -> tuple[str, ...]:
        """All names that a type has or had."""
        today = self.old_names.get(name, name)
        return (name, today, *(old for old, new in self.old_names.items() if new == today))

    @property
    def _needs(self) -> str:
        return " and ".join(f"`{key}`" for key in ("id", "type") if key in self._base.model_fields)

    def _unknown(self, values: dict[str, Any], info: ValidationInfo) -> ValidationError:
        problems = [_again(error) for error in self._common_problems(values, info)]
        if "type" in values:
            why = PydanticCustomError("kind", "{why}", {"why": self._why_unknown(values["type"])})
            problems.append(InitErrorDetails(type=why, loc=("type",), input=values["type"]))
        return ValidationError.from_exception_data(self.noun, problems)

    def _common_problems(self, values: dict[str, Any], info: ValidationInfo) -> list[Any]:
        try:
            self._base.model_validate({**values, "type": str(values["type"])} if "type" in values else values)
        except ValidationError as error:
            return error.errors(include_url=False)
        return []

    def _why_unknown(self, name: Any) -> str:
        near = nearest(str(name), self.types)
        known = f"nearest: {', '.join(near)}" if near else f"known: {', '.join(sorted(self.types))}"
        return f"expected a known {self.noun} type, came {name!r}; {known}"


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of ``known`` that ``name`` may have meant: alike in the last part, else as a whole."""
    names = list(known)
    last = name.rpartition(".")[2].lower()
    alike = get_close_matches(last, {full.rpartition(".")[2].lower() for full in names}, n=3, cutoff=0.6)
    found = [full for match in alike for full in sorted(names) if full.rpartition(".")[2].lower() == match]
    return (found or get_close_matches(name, names, n=3, cutoff=0.7))[:3]


def _again(error: Any) -> InitErrorDetails:
    message = PydanticCustomError(
        "again", "{why}", {"why": error["msg"], "kind": error["type"], "ctx": error.get("ctx")}
    )
    return InitErrorDetails(type=message, loc=error["loc"], input=error["input"])
