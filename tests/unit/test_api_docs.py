"""docs/api.md lists exactly the endpoints, parameters and filter fields there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboard.api import ENDPOINTS
from dashboard.api.absent import ABSENT, Absent
from dashboard.api.logqueries import _MANY as LOG_FIELDS
from dashboard.api.logs import LINES
from dashboard.api.spec import BASE, FILTERS, Endpoint, Parameter
from dashboard.permissions import PERMISSIONS, Role
from data.filters import FIELDS

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
ROWS = [line for line in TEXT.splitlines() if re.match(r"\| (GET|POST|PUT|DELETE) ", line)]


def parameter(one: Parameter) -> str:
    """A parameter as the page's tables have it."""
    name = "filters" if one is FILTERS else one.name
    return f"`{name}`{' (required)' if one.required else ''}{f' = {one.default}' if one.default else ''}"


def row(endpoint: Endpoint) -> str:
    """The page's table row of an endpoint."""
    lines = set(LINES) <= set(endpoint.parameters)
    own = [parameter(one) for one in endpoint.parameters if not (lines and one in LINES)]
    cells = [endpoint.method, f"`{endpoint.path}`", endpoint.summary, f"`{endpoint.answer}`"]
    return f"| {' | '.join(cells)} | {', '.join([*own, *(['[lines](#lines)'] if lines else [])])} |".replace(
        "|  |", "| |"
    )


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_each_endpoint_is_documented(endpoint: Endpoint) -> None:
    assert row(endpoint) in ROWS


def test_nothing_is_documented_that_is_not_there() -> None:
    assert len(ROWS) == len(ENDPOINTS)
    assert BASE in TEXT


@pytest.mark.parametrize("one", ABSENT, ids=lambda one: f"{one.method} {one.path}")
def test_what_is_not_here_is_said(one: Absent) -> None:
    assert f"`{one.method} {one.path}`" in TEXT.split("### Not here")[1].split("##")[0]
    assert (one.method, one.path) not in {(each.method, each.path) for each in ENDPOINTS}


@pytest.mark.parametrize("one", LINES, ids=lambda one: one.name)
def test_each_parameter_of_lines_is_documented(one: Parameter) -> None:
    assert f"| `{'filters' if one is FILTERS else one.name}` | {one.summary}" in TEXT


@pytest.mark.parametrize("name", FIELDS)
def test_each_filter_field_is_documented_with_its_operators(name: str) -> None:
    line = next(line for line in TEXT.splitlines() if line.startswith(f"| `{name}` | "))
    assert set(re.findall(r"[A-Z][A-Z_]{1,}\b", line.split("|")[2])) == set(FIELDS[name].ops)


@pytest.mark.parametrize("name", LOG_FIELDS)
def test_each_field_of_the_log_search_is_documented(name: str) -> None:
    section = TEXT.split("## Logs")[1]
    assert f"`{name}`" in section


# One's own sessions, tokens and password are anybody's; users and the audit are an admin's, to read too.
OWN = {"/tokens/{tokenId}", "/sessions", "/sessions/{sessionId}", "/account/password"}
ADMINS = {"/users", "/audit", "/audit/export/csv", "/audit/export/jsonl"}


def test_endpoints_are_declared_once_and_whole() -> None:
    assert len({(one.method, one.path) for one in ENDPOINTS}) == len(ENDPOINTS)
    for one in ENDPOINTS:
        assert one.summary.endswith(".")
        changes = one.method in ("PUT", "DELETE") or "/actions/" in one.path or one.path in WRITES
        changes = changes or (one.method == "POST" and one.path.startswith("/triggers/"))
        changes = changes or (one.method == "POST" and one.path.rpartition("/")[2] in MANY)
        changes = (changes and one.path not in LOOKERS_MAY | OWN | EXPORTS) or one.path in ADMINS
        assert one.open or (PERMISSIONS[one.needs].least >= Role.OPERATOR) is changes
        assert one.open is one.path.startswith("/executions/webhook/")
        assert all(parameter.summary.endswith(".") for parameter in one.parameters)


LOOKERS_MAY = {"/executions/export/{exportId}", "/views/{viewId}"}  # their own export, their own views
MANY = {"by-ids", "by-query", "preview", "stop", "retry"}  # actions on many, and on operations
EXPORTS = {"/flows/export/by-ids", "/flows/export/by-query"}
STARTS = {"/executions/{namespace}/{id}", "/executions/{namespace}/{id}/validate"}
WRITES = {"/flows", "/flows/bulk", "/flows/import"} | STARTS
