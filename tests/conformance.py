"""Whether an answer of the API is what its OpenAPI document says: as much of JSON Schema as the document uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from dashboard.api import ENDPOINTS
from dashboard.api.openapi import document

Schema = dict[str, Any]
DOCUMENT = document(ENDPOINTS)
_RULES = Map([Rule(one.rule, methods=[one.method], endpoint=one.path) for one in ENDPOINTS])
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def check_answer(method: str, path: str, answer: Any) -> None:
    """Fail when the answer to a request is not one that the document lists. Unknown paths are nobody's business."""
    try:
        endpoint, _ = _RULES.bind("").match(path.partition("?")[0], method)
    except HTTPException:
        return
    responses = DOCUMENT["paths"][endpoint][method.lower()]["responses"]
    found = responses.get(str(answer.status_code))
    assert found, f"{method} {path} answered {answer.status_code}; its document knows {', '.join(responses)}"
    content = resolve(found).get("content", {})
    if answer.mimetype == "application/json" and "application/json" in content:
        wrong = list(problems(answer.get_json(), content["application/json"]["schema"], "answer"))
        assert not wrong, f"{method} {path} answered {answer.status_code} against its document: {wrong[:5]}"
    elif answer.status_code < 300 and content:
        assert answer.mimetype in content, f"{method} {path}: expected {list(content)}, got {answer.mimetype}"


def resolve(schema: Schema) -> Schema:
    """What a reference names."""
    while "$ref" in schema:
        found: Any = DOCUMENT
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def problems(value: Any, schema: Schema, path: str) -> Iterator[str]:
    """What is not as the schema says, and where."""
    schema = resolve(schema)
    for part in schema.get("allOf", ()):
        yield from problems(value, part, path)
    choices = schema.get("anyOf")
    if choices and all(list(problems(value, one, path)) for one in choices):
        yield f"{path}: {value!r} is none of {len(choices)} choices"
    kind = schema.get("type")
    if kind and not _TYPES[kind](value):
        yield f"{path}: expected {kind}, got {value!r}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if isinstance(value, dict):
        yield from (f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from problems(value[name], inner, f"{path}.{name}")
    if isinstance(value, list) and "items" in schema:
        for place, one in enumerate(value[:20]):
            yield from problems(one, schema["items"], f"{path}[{place}]")
