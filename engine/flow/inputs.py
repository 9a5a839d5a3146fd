"""Kinds of inputs. Each says which values it takes and what they become: adding one is one registered class."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time
from typing import Annotated, Any
from urllib.parse import urlsplit

import regex
from pydantic import BeforeValidator, PlainValidator, SerializeAsAny, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from engine.durations import parse_duration
from engine.flow.base import InputId, Model, Strings, Text, is_template, scalar_text, some
from engine.flow.kinds import Kinds

_MATCH_SECONDS = 0.5


class Input(Model):
    """Keys of every input. Ids may be dotted: ``db.host`` is ``inputs.db.host`` in expressions."""

    id: InputId
    type: str
    description: Text | None = None
    displayName: Text | None = None
    required: bool = True
    defaults: Any = None

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


def _text(value: Any, expected: str = "text") -> str:
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
        text = _text(scalar_text(value))
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
    """Text that is masked where it is shown."""


@INPUTS.register("EMAIL")
class EmailInput(Input):
    """An e-mail address."""

    def read(self, value: Any) -> str:
        text = _text(value, "an e-mail address")
        if len(text) > 254 or not regex.fullmatch(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+", text):
            raise wrong("an e-mail address such as ada@example.org", text)
        return text


@INPUTS.register("SELECT")
class SelectInput(Input):
    """One of ``values``; with ``allowCustomValue`` any text."""

    values: Annotated[Strings, BeforeValidator(some)]
    allowCustomValue: bool = False

    def read(self, value: Any) -> str:
        text = _text(
            str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, (int, float)) else value
        )
        if text not in self.values and not self.allowCustomValue:
            raise wrong(f"one of {', '.join(self.values)}", text)
        return text


@INPUTS.register("MULTISELECT")
class MultiselectInput(SelectInput):
    """Some of ``values``, as a list or its JSON."""

    def read(self, value: Any) -> list[str]:  # type: ignore[override]
        return [super(MultiselectInput, self).read(item) for item in _list(value)]


class _Number(Input):
    def _within(self, number: Any) -> Any:
        low, high = getattr(self, "min", None), getattr(self, "max", None)
        if low is not None and number < low:
            raise wrong(f"at least {low}", number)
        if high is not None and number > high:
            raise wrong(f"at most {high}", number)
        return number


@INPUTS.register("INT")
class IntInput(_Number):
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
class FloatInput(_Number):
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


class _Moment(Input):
    after: str | None = None
    before: str | None = None

    def moment(self, value: Any) -> Any:
        """``value`` as something that compares."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _bounds_fit(self) -> _Moment:
        for bound in (self.after, self.before):
            if bound is not None and not is_template(bound):
                self.moment(bound)
        return self

    def read(self, value: Any) -> str:
        found = self.moment(value)
        if self.after is not None and found < self.moment(self.after):
            raise wrong(f"{self.after} or later", value)
        if self.before is not None and found > self.moment(self.before):
            raise wrong(f"{self.before} or earlier", value)
        return _text(value).strip()


def _moment(value: Any, parse: Any, expected: str) -> Any:
    try:
        return parse(_text(value, expected).strip())
    except ValueError as error:
        raise wrong(expected, value) from error


@INPUTS.register("DATETIME")
class DatetimeInput(_Moment):
    """A moment in ISO 8601, UTC where it names no zone."""

    def moment(self, value: Any) -> datetime:
        found = _moment(value, datetime.fromisoformat, "a date and time such as 2030-12-31T23:59:00Z")
        return found if found.tzinfo else datetime.fromisoformat(found.isoformat() + "+00:00")


@INPUTS.register("DATE")
class DateInput(_Moment):
    """A day in ISO 8601."""

    def moment(self, value: Any) -> date:
        return _moment(value, date.fromisoformat, "a date such as 2030-12-31")


@INPUTS.register("TIME")
class TimeInput(_Moment):
    """A time of day in ISO 8601."""

    def moment(self, value: Any) -> time:
        return _moment(value, lambda text: time.fromisoformat(text).replace(tzinfo=None), "a time such as 23:59:00")


@INPUTS.register("DURATION")
class DurationInput(_Number):
    """An ISO 8601 duration, from ``min`` to ``max``."""

    min: str | None = None
    max: str | None = None

    def read(self, value: Any) -> str:
        seconds = parse_duration(_text(value, "a duration such as PT5M"))
        if self.min is not None and seconds < parse_duration(self.min):
            raise wrong(f"at least {self.min}", value)
        if self.max is not None and seconds > parse_duration(self.max):
            raise wrong(f"at most {self.max}", value)
        return value.strip()


@INPUTS.register("FILE")
class FileInput(Input):
    """A file, by the URI of where it was put."""

    def read(self, value: Any) -> str:
        text = _text(value, "the URI of a file")
        if not text.strip():
            raise wrong("the URI of a file", value)
        return text


@INPUTS.register("URI")
class UriInput(Input):
    """A URI with its scheme."""

    def read(self, value: Any) -> str:
        text = _text(value, "a URI")
        try:
            parts = urlsplit(text)
        except ValueError as error:
            raise wrong("a URI", value) from error
        if not parts.scheme or not (parts.netloc or parts.path) or any(character.isspace() for character in text):
            raise wrong("a URI such as https://example.org/data.csv", value)
        return text


@INPUTS.register("JSON")
class JsonInput(Input):
    """JSON; text is parsed, anything else is taken as it is."""

    def read(self, value: Any) -> Any:
        return _json(value, "JSON") if isinstance(value, str) else value


@INPUTS.register("YAML")
class YamlInput(Input):
    """YAML; text is parsed, anything else is taken as it is."""

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(json.dumps(YAML(typ="safe", pure=True).load(value), default=str))
        except (YAMLError, ValueError, TypeError, RecursionError) as error:
            raise wrong("YAML", value) from error


@INPUTS.register("ARRAY")
class ArrayInput(Input):
    """A list (or its JSON) whose items are of the input type ``itemType``."""

    itemType: str

    @model_validator(mode="before")
    @classmethod
    def _known_items(cls, values: Any) -> Any:
        kind = values.get("itemType") if isinstance(values, dict) else None
        if kind is not None and kind not in _ITEM_TYPES:
            raise ValueError(f"`itemType`: expected one of {', '.join(_ITEM_TYPES)}, came {kind!r}")
        return values

    def read(self, value: Any) -> list[Any]:
        item = INPUTS.types[self.itemType].model_construct(id=self.id, type=self.itemType)
        return [_item(item, index, part) for index, part in enumerate(_list(value))]


_ITEM_TYPES = tuple(name for name in INPUTS.types if name not in ("SELECT", "MULTISELECT", "ENUM", "ARRAY"))


def _item(reader: Input, index: int, value: Any) -> Any:
    try:
        return reader.read(value)
    except ValueError as error:
        raise ValueError(f"item {index + 1}: {error}") from error


def _json(text: str, expected: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{wrong(expected, text)}: {error}") from error


def _list(value: Any) -> list[Any]:
    found = _json(value, "a list as JSON") if isinstance(value, str) else value
    if not isinstance(found, list):
        raise wrong("a list", value)
    return found
