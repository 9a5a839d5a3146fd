"""The OpenAPI 3.1 document of the API, made from its tables: endpoints, their parameters, shapes of answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from dashboard.api.payloads import SHAPES
from dashboard.api.spec import BASE, Endpoint, Parameter
from data.fields import DateFilter
from engine.model import Kind
from engine.states import State
from streaming.messages import LEVELS

Schema = dict[str, Any]
_PLAIN: dict[str, Schema] = {
    "any": {},
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "null": {"type": "null"},
    "date": {"type": "string", "format": "date-time"},
    "date-time": {"type": "string", "format": "date-time"},
    "duration": {"type": "string", "format": "duration"},
    "filter": {"type": "string"},
    "time or task": {"type": "string", "enum": ["time", "task"]},
}
_ENUMS: dict[str, Schema] = {
    "State": {"type": "string", "enum": [state.value for state in State]},
    "Level": {"type": "string", "enum": list(LEVELS)},
    "DateFilter": {"type": "string", "enum": [which.value for which in DateFilter]},
    "Kind": {"type": "string", "enum": [kind.value for kind in Kind]},
}
_PAGE = "results: [{}], total: integer"
_CURSOR_PAGE = f"{_PAGE}, type: string, nextCursor?: string"
_GENERIC = re.compile(r"(PagedResults|CursorOrOffsetPagedResults)<(.+)>")
_AND = re.compile(r"(.+) and (\w+)")  # a shape with one more text
_MEDIA = re.compile(r"[a-z]+/[\w.+-]+")
_FAILURES = {
    400: "A parameter that can't be read.",
    401: "Nobody has signed in.",
    403: "The role does not reach.",
    404: "No such thing.",
    405: "Another method works here.",
    409: "It can't be done in the state it is in.",
    413: "More was sent than is taken.",
    422: "What was sent does not fit.",
    429: "Too often.",
    503: "The database or Redis is away.",
    504: "The executor has not answered in time.",
}

_REFERENCES = {str(code): {"$ref": f"#/components/responses/{code}"} for code in _FAILURES}


@lru_cache(maxsize=4)
def document(endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    schemas = {name: members(text) for name, text in SHAPES.items()} | _ENUMS
    return {
        "openapi": "3.1.0",
        "info": {"title": "Watchfloor", "version": version("watchfloor"), "description": "The REST API of Watchfloor."},
        "servers": [{"url": BASE}],
        "security": [{"token": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {str(code): _failure(code) for code in _FAILURES},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    query = [*(one for one in endpoint.parameters if one.where == "query"), *endpoint.flat]
    bodies = [one for one in endpoint.parameters if one.where == "body"]
    operation: dict[str, Any] = {
        "operationId": operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [_tag(endpoint)],
        "parameters": [*map(_path_parameter, endpoint.names), *map(_parameter, query)],
        "responses": answers_of(endpoint) | _REFERENCES,
    }
    if bodies:
        operation["requestBody"] = _body(bodies[0])
    if endpoint.open:
        operation["security"] = []
    return operation


def operation_id(endpoint: Endpoint) -> str:
    """Method and path as one name."""
    words = re.findall(r"[A-Za-z0-9]+", endpoint.path)
    return endpoint.method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _tag(endpoint: Endpoint) -> str:
    return endpoint.path.split("/")[1]


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _parameter(one: Parameter) -> dict[str, Any]:
    schema = type_of(one.type)
    if one.default is not None and schema.get("type") != "array":
        schema = {**schema, "default": _default(one.default, schema.get("type"))}
    return {
        "name": one.name,
        "in": "query",
        "description": one.summary,
        "required": one.required,
        "schema": schema,
    }


def _default(text: str, kind: str | None) -> Any:
    if kind == "integer":
        return int(text)
    return text == "true" if kind == "boolean" else text


def _body(one: Parameter) -> dict[str, Any]:
    kind = one.type if "/" in one.type else "*/*"
    schema: Schema = {} if kind in ("application/json", "*/*") else {"type": "string"}
    if kind == "multipart/form-data":
        schema = {"type": "object", "additionalProperties": True}
    return {"description": one.summary, "required": one.required, "content": {kind: {"schema": schema}}}


def _failure(code: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": _FAILURES[code], "content": content}


# -- types as the tables write them


def answers_of(endpoint: Endpoint) -> dict[str, Any]:
    """What an endpoint answers when all is well, by status."""
    text = endpoint.answer
    if text.isdigit():
        return {text: {"description": "Done."}}
    described = {"description": text, "content": _content(text)}
    return {str(code): {"description": "Nothing to say."} if code == 204 else described for code in endpoint.good}


def _content(text: str) -> dict[str, Any]:
    """An answer by media type."""
    if text.startswith("text/event-stream of "):
        return {"text/event-stream": {"schema": {"type": "string"}}}
    if all(map(_MEDIA.fullmatch, text.split(" or "))):
        return {kind: {"schema": {"type": "string"}} for kind in text.split(" or ")}
    return {"application/json": {"schema": type_of(text)}}


def type_of(text: str) -> Schema:
    """The schema of a type as endpoints and shapes write it. Raises ``KeyError`` for a shape that is not declared."""
    text = text.strip()
    if text in _PLAIN:
        return dict(_PLAIN[text])
    if " or " in text or "|" in text.partition("[")[0].partition("<")[0]:
        return {"anyOf": [type_of(part) for part in re.split(r" or |\|", text)]}
    if text.startswith("[") and text.endswith("]"):
        return {"type": "array", "items": type_of(text[1:-1])}
    if text.startswith("{") and text.endswith("}"):
        return members(text[1:-1])
    if match := _AND.fullmatch(text):
        return {"allOf": [type_of(match[1]), members(f"{match[2]}: string")]}
    if match := _GENERIC.fullmatch(text):
        page = _PAGE if match[1] == "PagedResults" else _CURSOR_PAGE
        return members(page.format(match[2]))
    if text not in SHAPES and text not in _ENUMS:
        raise KeyError(f"there is no shape {text!r}: declare it in dashboard/api/payloads.py")
    return {"$ref": f"#/components/schemas/{text}"}


def members(text: str) -> Schema:
    """The schema of an object from ``name: type, other?: type``; a name alone may be anything."""
    properties: dict[str, Schema] = {}
    required = []
    for part in _parts(text):
        name, _, kind = part.partition(":")
        name = name.strip()
        if not name.endswith("?"):
            required.append(name)
        properties[name.removesuffix("?")] = type_of(kind or "any")
    return {"type": "object", "properties": properties, "required": required}


def _parts(text: str) -> Iterator[str]:
    """What commas part, but not those within brackets."""
    depth, start = 0, 0
    for place, sign in enumerate(text):
        depth += (sign in "[{<") - (sign in "]}>")
        if sign == "," and depth == 0:
            yield text[start:place]
            start = place + 1
    yield text[start:]


# -- for people


def page(endpoints: Iterable[Endpoint]) -> str:
    """The endpoints as a page of tables, without a script."""
    from html import escape

    groups: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        groups.setdefault(_tag(endpoint), []).append(endpoint)
    parts = []
    for name, group in groups.items():
        rows = "".join(
            f"<tr><td>{one.method}</td><td><code>{escape(one.path)}</code></td><td>{escape(one.summary)}</td>"
            f"<td><code>{escape(one.answer)}</code></td><td>{escape(_listed(one))}</td></tr>"
            for one in group
        )
        head = "<tr><th>Method</th><th>Path</th><th>What</th><th>Answers</th><th>Parameters</th></tr>"
        parts.append(f'<h2 id="{escape(name)}">{escape(name)}</h2><table><thead>{head}</thead>{rows}</table>')
    links = " ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in groups)
    return _PAGE_HTML.format(base=BASE, links=links, body="".join(parts))


def _listed(endpoint: Endpoint) -> str:
    return ", ".join(f"{one.name}{'' if one.required else '?'}" for one in endpoint.parameters)


_PAGE_HTML = """<!doctype html>
<html lang="en" data-theme="dark"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Watchfloor REST API</title>
<script src="/assets/js/clientside/theme.js"></script>
<link rel="stylesheet" href="/vendor/fonts.css">
<link rel="stylesheet" href="/assets/css/tokens.css">
<link rel="stylesheet" href="/assets/css/base.css">
<link rel="stylesheet" href="/assets/css/apidoc.css"></head>
<body class="wf-apidoc"><main><h1>REST API</h1>
<p>All paths are below <code>{base}</code>; for programs: <a href="{base}/openapi.json">openapi.json</a>.</p>
<nav>{links}</nav>{body}</main></body></html>
"""
