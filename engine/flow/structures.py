"""Kinds of inputs that are files, addresses, structures and lists."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from pydantic import model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from engine.flow.inputs import INPUTS, Input, json_of, list_of, text_of, wrong


@INPUTS.register("FILE")
class FileInput(Input):
    """A file, by the URI of where it was put."""

    def read(self, value: Any) -> str:
        text = text_of(value, "the URI of a file")
        if not text.strip():
            raise wrong("the URI of a file", value)
        return text


@INPUTS.register("URI")
class UriInput(Input):
    """A URI with its scheme."""

    def read(self, value: Any) -> str:
        text = text_of(value, "a URI")
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
        return json_of(value, "JSON") if isinstance(value, str) else value


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


_NO_ITEMS = ("SELECT", "MULTISELECT", "ENUM", "ARRAY")


@INPUTS.register("ARRAY")
class ArrayInput(Input):
    """A list (or its JSON) whose items are of the input type ``itemType``."""

    itemType: str

    @model_validator(mode="before")
    @classmethod
    def _known_items(cls, values: Any) -> Any:
        kind = values.get("itemType") if isinstance(values, dict) else None
        known = [name for name in INPUTS.types if name not in _NO_ITEMS]
        if kind is not None and kind not in known:
            raise ValueError(f"`itemType`: expected one of {', '.join(known)}, came {kind!r}")
        return values

    def read(self, value: Any) -> list[Any]:
        item = INPUTS.types[self.itemType].model_construct(id=self.id, type=self.itemType)
        return [_item(item, index, part) for index, part in enumerate(list_of(value))]


def _item(reader: Input, index: int, value: Any) -> Any:
    try:
        return reader.read(value)
    except ValueError as error:
        raise ValueError(f"item {index + 1}: {error}") from error
