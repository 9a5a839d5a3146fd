"""The page of the audit: where its rows lead."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from dash import dcc, html

from dashboard.pages import audit
from data.records import AuditRow

EXECUTION, OPERATION = "01900000-0000-7000-8000-00000000000a", "01900000-0000-7000-8000-00000000000b"


@pytest.mark.parametrize(
    ("action", "target", "origin", "links"),
    [
        ("kill", EXECUTION, "ui", [f"/executions/{EXECUTION}"]),
        ("kill", EXECUTION, OPERATION, [f"/executions/{EXECUTION}", f"/operations/{OPERATION}"]),
        ("bulk-kill", OPERATION, "api", [f"/operations/{OPERATION}"]),
        ("operation-stop", OPERATION, "api", [f"/operations/{OPERATION}"]),
        ("save-flow", "company.team.hello", "ui", []),
    ],
)
def test_a_row_leads_to_what_it_is_about(action: str, target: str, origin: str, links: list[str]) -> None:
    row = AuditRow(1, datetime(2026, 1, 1, tzinfo=UTC), "ada", action, target, origin)
    services = SimpleNamespace(store=SimpleNamespace(audits=lambda **_: [row]))
    page = html.Div(audit.body(cast(Any, services), {}))
    assert [one.href for one in page._traverse() if isinstance(one, dcc.Link)] == links
