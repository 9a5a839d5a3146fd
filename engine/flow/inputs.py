"""Kinds of inputs. Each says which values it takes and what they become: adding one is one registered class."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

import regex
from pydantic import BeforeValidator, PlainValidator, SerializeAsAny, model_validator

from engine.flow.base import Condition, InputId, Model, Strings, Text, is_template, scalar_text, some
from engine.flow.kinds import Kinds

_MATCH_SECONDS = 0.5


class DependsOn(Model):
    """An input that is asked for only when ``condition`` holds of ``inputs`` before it; else it is null."""

    inputs: Strings = ()
    condition: Condition = "true"


class Input(Model):
    """Keys of every input. Ids may be dotted: ``db.host`` is ``inputs.db.host`` in expressions."""

    id: InputId
    type: str
    description: Text | None = None
    displayName: Text | None = None
    required: bool = True
    defaults: Any = None
    dependsOn: DependsOn | None = None

    def read(self, value: Any) -> Any:
        """``value`` (as text or as JSON gives it) in its plain form; raises ValueError: expected …, came …."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _defaults_fit(self) -> Input:
        if self.defaults is not None and not is_template(self.defaults):
            try:
                self.read(self.defaults)
            except ValueError as error:
                raise ValueError(f"`defaults` don't fit: {error}") from error
        return self


INPUTS: Kinds[Input] = Kinds("input", Input)
INPUT_TYPES = INPUTS.types
AnyInput = Annotated[SerializeAsAny[Input], PlainValidator(INPUTS.read)]


def wrong(expected: str, value: Any) -> ValueError:
    """The error of a value that isn't what was expected; long ones are cut."""
    text = repr(value)
    return ValueError(f"expected {expected}, came {text if len(text) <= 80 else text[:77] + '…'}")


def text_of(value: Any, expected: str = "text") -> str:
    """``value``, which must be text."""
    if not isinstance(value, str):
        raise wrong(expected, value)
    return value


@INPUTS.register("STRING")
class StringInput(Input):
    """Text; ``validator`` is a regular expression that all of it must match."""

    validator: str | None = None

    @model_validator(mode="after")
    def _compiles(self) -> StringInput:
        try:
            regex.compile(self.validator or "")
        except regex.error as error:
            raise ValueError(f"`validator`: expected a regular expression, came {self.validator!r}: {error}") from error
        return self

    def read(self, value: Any) -> str:
        text = text_of(scalar_text(value))
        if self.validator and not self._matches(text):
            raise wrong(f"text matching {self.validator}", text)
        return text

    def _matches(self, text: str) -> bool:
        try:
            return regex.fullmatch(self.validator or "", text, timeout=_MATCH_SECONDS) is not None
        except TimeoutError as error:
            raise ValueError(
                f"the validator {self.validator} took more than {_MATCH_SECONDS} s; simplify it"
            ) from error


@INPUTS.register("SECRET")
class SecretInput(StringInput):
    """Text that is masked where it is shown, in its errors too."""

    def read(self, value: Any) -> str:
        text = text_of(scalar_text(value)) if isinstance(scalar_text(value), str) else None
        if text is None or (self.validator and not self._matches(text)):
            raise ValueError(f"expected text{f' matching {self.validator}' if self.validator else ''}, came ******")
        return text


@INPUTS.register("EMAIL")
class EmailInput(Input):
    """An e-mail address."""

    def read(self, value: Any) -> str:
        text = text_of(value, "an e-mail address")
        if len(text) > 254 or not regex.fullmatch(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+", text):
            raise wrong("an e-mail address such as ada@example.org", text)
        return text


@INPUTS.register("SELECT")
class SelectInput(Input):
    """One of ``values``; with ``allowCustomValue`` any text."""

    values: Annotated[Strings, BeforeValidator(some)]
    allowCustomValue: bool = False

    def read(self, value: Any) -> str:
        text = text_of(
            str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, (int, float)) else value
        )
        if text not in self.values and not self.allowCustomValue:
            raise wrong(f"one of {', '.join(self.values)}", text)
        return text


@INPUTS.register("MULTISELECT")
class MultiselectInput(SelectInput):
    """Some of ``values``, as a list or its JSON."""

    def read(self, value: Any) -> list[str]:  # type: ignore[override]
        return [super(MultiselectInput, self).read(item) for item in list_of(value)]


class NumberInput(Input):
    """Something with a ``min`` and a ``max``."""

    def _within(self, number: Any) -> Any:
        low, high = getattr(self, "min", None), getattr(self, "max", None)
        if low is not None and number < low:
            raise wrong(f"at least {low}", number)
        if high is not None and number > high:
            raise wrong(f"at most {high}", number)
        return number


@INPUTS.register("INT")
class IntInput(NumberInput):
    """A whole number, from ``min`` to ``max``."""

    min: int | None = None
    max: int | None = None

    def read(self, value: Any) -> int:
        whole = isinstance(value, float) and value.is_integer()
        if isinstance(value, bool) or not (isinstance(value, (int, str)) or whole):
            raise wrong("a whole number", value)
        try:
            number = int(value)
        except ValueError as error:
            raise wrong("a whole number", value) from error
        if not -(2**63) <= number < 2**63:
            raise wrong("a whole number of at most 64 bits", value)
        return self._within(number)


@INPUTS.register("FLOAT")
class FloatInput(NumberInput):
    """A number, from ``min`` to ``max``."""

    min: float | None = None
    max: float | None = None

    def read(self, value: Any) -> float:
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise wrong("a number", value) from error
        if not math.isfinite(number):
            raise wrong("a number", value)
        return self._within(number)


@INPUTS.register("BOOL")
class BoolInput(Input):
    """True or false; ``"on"``, ``"yes"`` and ``"1"`` are true too, as forms send them."""

    def read(self, value: Any) -> bool:
        found = value if isinstance(value, bool) else _TRUTH.get(str(value).strip().lower())
        if found is None:
            raise wrong("true or false", value)
        return found


INPUTS.register("BOOLEAN")(BoolInput)
INPUTS.register("ENUM")(SelectInput)
_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def json_of(text: str, expected: str) -> Any:
    """What the JSON ``text`` says."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{wrong(expected, text)}: {error}") from error


def list_of(value: Any) -> list[Any]:
    """``value``, which must be a list or the JSON of one."""
    found = json_of(value, "a list as JSON") if isinstance(value, str) else value
    if not isinstance(found, list):
        raise wrong("a list", value)
    return found
