"""The OpenAPI document is whole, and its checker really checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from dashboard.api import ENDPOINTS, openapi
from dashboard.api.logqueries import _MANY as LOG_FIELDS
from dashboard.api.spec import FILTERS, Endpoint
from data.filters import OTHERS
from tests.conformance import DOCUMENT, problems, resolve


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """All objects of the document."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from nodes(one)
    elif isinstance(value, list):
        for one in value:
            yield from nodes(one)


def test_the_document_is_whole() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT
    for node in nodes(DOCUMENT):
        if isinstance(node.get("$ref"), str):
            assert resolve(node), node
    operations = [one for path in DOCUMENT["paths"].values() for one in path.values()]
    ids = [one["operationId"] for one in operations]
    assert len(set(ids)) == len(ids)
    for operation in operations:
        names = [(one["in"], one["name"]) for one in operation["parameters"]]
        assert len(set(names)) == len(names)
        assert all(one["required"] for one in operation["parameters"] if one["in"] == "path")
        assert {"200", "201", "202", "204"} & operation["responses"].keys()


def test_what_it_says_of_success_and_failure_is_what_is_answered() -> None:
    answers = {
        one: set(DOCUMENT["paths"][path][method]["responses"])
        for one, (method, path) in {
            "bulk": ("post", "/executions/restart/by-ids"),
            "start": ("post", "/executions/{namespace}/{id}"),
            "view": ("post", "/views"),
            "webhook": ("get", "/executions/webhook/{namespace}/{id}/{key}"),
            "removal": ("delete", "/flows/{namespace}/{id}"),
        }.items()
    }
    good = {one: {code for code in codes if code < "300"} for one, codes in answers.items()}
    assert good == {
        "bulk": {"202"}, "start": {"200", "202"}, "view": {"201"}, "webhook": {"200", "204"}, "removal": {"204"},
    }  # fmt: skip
    assert all({"400", "401", "403", "404", "405", "409", "413", "422", "429", "503"} <= codes
               for codes in answers.values())  # fmt: skip
    assert [*DOCUMENT["components"]["securitySchemes"]] == ["token", "basic"]


def test_flat_filters_are_those_that_are_read() -> None:
    search = {one.path: one for one in ENDPOINTS if one.path.endswith("/search")}
    assert {one.name for one in search["/executions/search"].flat} == set(OTHERS)
    logs = search["/logs/search"]
    assert {one.name for one in logs.flat} | {"attemptNumber"} == set(LOG_FIELDS)
    assert not any(one.flat for one in ENDPOINTS if FILTERS not in one.parameters)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_parameters_are_those_of_the_table(endpoint: Endpoint) -> None:
    operation = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    query = {one["name"]: one for one in operation["parameters"] if one["in"] == "query"}
    assert set(query) == {one.name for one in (*endpoint.parameters, *endpoint.flat) if one.where == "query"}
    assert {one["name"] for one in operation["parameters"] if one["in"] == "path"} == set(endpoint.names)
    body = [one for one in endpoint.parameters if one.where == "body"]
    assert bool(body) is ("requestBody" in operation)
    assert ("security" in operation) is endpoint.open


@pytest.mark.parametrize(
    ("text", "value", "wrong"),
    [
        ("[string]", ["a"], None),
        ("[string]", ["a", 1], "answer[1]: expected string"),
        ("PagedResults<Label>", {"results": [{"key": "a", "value": "b"}], "total": 1}, None),
        ("PagedResults<Label>", {"results": [{"key": "a"}], "total": 1}, "answer.results[0].value is missing"),
        ("PagedResults<Label>", {"results": [], "total": True}, "answer.total: expected integer"),
        ("{total, entries: [Label]}", {"total": None, "entries": []}, None),
        ("Label and url", {"key": "a", "value": "b"}, "answer.url is missing"),
        ("StateChange", {"state": "DONE", "date": "x"}, "'DONE' is none of"),
        ("string|null", 3, "none of 2 choices"),
    ],
)
def test_types_as_the_tables_write_them(text: str, value: Any, wrong: str | None) -> None:
    found = list(problems(value, openapi.type_of(text), "answer"))
    assert not found if wrong is None else any(wrong in one for one in found), found


def test_a_shape_that_is_not_declared_says_where_to_do_so() -> None:
    with pytest.raises(KeyError, match=r"no shape 'Nope': declare it in dashboard/api/payloads.py"):
        openapi.type_of("[Nope]")


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href") or name.startswith("on")]
        assert tag != "script" or dict(attrs).get("src"), "no script stands in the page itself"


def test_the_page_lists_all_and_asks_nobody_else() -> None:
    text = openapi.page(ENDPOINTS)
    parser = _Scripts()
    parser.feed(text)
    assert all(one.startswith(("/", "#")) and not one.startswith("//") for one in parser.found)
    for endpoint in ENDPOINTS:
        assert f"<code>{endpoint.path}</code>" in text
