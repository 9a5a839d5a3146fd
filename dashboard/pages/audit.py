"""The audit: who did what to what, the newest first."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard import auditing
from dashboard.api.spec import BASE
from dashboard.components import people
from dashboard.components.empty import empty
from dashboard.components.icons import icon
from dashboard.ids import Audit, audit_field
from dashboard.pages.router import Page, Visit
from dashboard.permissions import Verb
from dashboard.services import Services
from data.records import AuditRow

SIZE = 100
_AGAIN_MS = 10_000
_OF_OPERATIONS = ("bulk-", "operation-")  # what is done to an operation, not to an execution
_LONG = 60  # letters of a value that are shown in the table


def layout(visit: Visit) -> Component:
    """Filters, and the rows that match."""
    given = dict(parse_qsl(visit.search.removeprefix("?")))
    return html.Div(
        className="wf-page full",
        children=[
            _head(),
            _filters(visit.services, given),
            html.Div(body(visit.services, given), id=Audit.BODY, className="wf-audit"),
            dcc.Interval(id=Audit.AGAIN, interval=_AGAIN_MS),
        ],
    )


def _head() -> Component:
    note = html.Span("Only ever added to; kept whatever retention removes.", className="wf-muted")
    return html.Div([html.H1("Audit"), note], className="wf-page-head")


def _filters(services: Services, given: dict[str, str]) -> Component:
    choices = services.store.audit_choices()

    def pick(name: str, words: str, options: list[str]) -> Component:
        return dmc.Select(
            id=audit_field(name), data=options, value=given.get(name), placeholder=words, clearable=True,
            searchable=True, size="xs", w=110, **{"aria-label": words},
        )  # fmt: skip

    def text(name: str, words: str, width: int, kind: str = "text") -> Component:
        return dmc.TextInput(
            id=audit_field(name), value=given.get(name, ""), placeholder=words, size="xs", w=width, debounce=300,
            inputProps={"type": kind}, **{"aria-label": words},
        )  # fmt: skip

    return html.Div(
        [
            text("text", "Search in everything", 160),
            pick("actor", "Who", choices["actor"]),
            pick("action", "What", choices["action"]),
            text("target", "To what", 120),
            pick("origin", "From where", ["ui", "api", "cli", "trigger", "executor"]),
            html.Span(["from", text("since", "From", 150, "datetime-local")], className="wf-audit-date"),
            html.Span(["to", text("until", "Until", 150, "datetime-local")], className="wf-audit-date"),
            html.Div(
                [
                    people.button("Refresh", Audit.REFRESH, "restart"),
                    html.Div(id=Audit.EXPORT, className="wf-audit-acts", children=exports(given)),
                ],
                className="wf-audit-acts",
            ),
        ],
        className="wf-audit-filters",
        role="search",
    )


def exports(given: dict[str, str]) -> list[Component]:
    """Links to files of all that match."""
    query = urlencode({name: value for name, value in given.items() if value and name != "before"})
    return [
        html.A([icon("download"), name], href=f"{BASE}/audit/export/{ending}{'?' * bool(query)}{query}",
               className="wf-button", download="")
        for ending, name in (("csv", "CSV"), ("jsonl", "JSON Lines"))
    ]  # fmt: skip


def body(services: Services, given: dict[str, Any]) -> list[Component]:
    """The rows that match, and what else there is of them."""
    try:
        query = auditing.query_of(given)
    except auditing.AuditFilterError as error:
        return [html.P(str(error), className="wf-form-error", role="alert")]
    rows = services.store.audits(query=query, limit=SIZE)
    if not rows:
        return [empty("Nothing matches", "Nobody has done anything that fits these filters.", icon_name="search")]
    heads = ("When", "Who", "What", "To what", "Change", "Why", "From")
    more = people.button("Show older", Audit.OLDER) if len(rows) == SIZE else html.Button(id=Audit.OLDER, hidden=True)
    return [people.table(heads, map(_cells, rows), "audit"), html.Div(more, className="wf-audit-more"),
            dcc.Store(id=Audit.LAST, data=rows[-1].seq)]  # fmt: skip


def _cells(row: AuditRow) -> tuple[Any, ...]:
    return (
        people.when(row.at),
        html.Span(row.actor, className="wf-who"),
        html.Span(row.action, className="wf-what", **{"data-action": row.action}),
        _target(row),
        changes(row),
        row.reason or "",
        html.Span([_origin(row.origin), *(_muted(one) for one in (row.address, row.token))], className="wf-from"),
    )


def _muted(text: str | None) -> Component:
    return html.Span(text or "", className="wf-muted", title=text or "")


def _target(row: AuditRow) -> Component:
    if not _is_id(row.target):
        return html.Code(row.target, className="wf-target")
    return _link("operations" if row.action.startswith(_OF_OPERATIONS) else "executions", row.target)


def _origin(origin: str) -> Any:
    """From where; of an execution that a bulk operation changed, that one."""
    return _link("operations", origin) if _is_id(origin) else origin


def _is_id(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4


def _link(page: str, one: str) -> Component:
    return dcc.Link(f"{one[:4]}…{one[-8:]}", href=f"/{page}/{one}", title=one, className="wf-id")


def changes(row: AuditRow) -> Component:
    """What is another now: old, then new."""
    found = auditing.differences(row.before, row.after)
    return html.Div([_change(*one) for one in found], className="wf-changes")


def _change(name: str, before: str | None, after: str | None) -> Component:
    parts: list[Any] = [html.Span(name, className="name")]
    if before is not None:
        parts.append(html.Del(before[:_LONG], title=before))
    if after is not None:
        parts.append(html.Ins(after[:_LONG], title=after))
    return html.Span(parts, className="wf-change")


PAGE = Page(
    name="audit",
    pattern="/audit",
    title=lambda visit: "Audit",
    layout=layout,
    icon="file",
    rail="Audit",
    verb=Verb.READ_AUDIT,
)
