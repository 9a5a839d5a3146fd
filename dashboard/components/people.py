"""Tables and small parts of the pages about people: settings and the audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.components.icons import icon
from dashboard.components.times import moment


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], name: str) -> Component:
    """A quiet table in a panel that scrolls by itself; ``name`` is told to screen readers and tests."""
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in heads]))
    body = html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows])
    return html.Div(
        html.Table([head, body], className="wf-rows", **{"aria-label": name}),
        className="wf-rows-box",
        **{"data-table": name},
    )


def role(name: str) -> Component:
    """A role as a badge."""
    return html.Span(name, className="wf-role", **{"data-role": name})


def roles(everywhere: str, grants: Mapping[str, str]) -> Component:
    """All roles of somebody."""
    first = [] if everywhere == "none" and grants else [role(everywhere)]
    more = [html.Span([html.Code(one), role(name)], className="wf-grant") for one, name in grants.items()]
    return html.Div([*first, *more], className="wf-roles")


def head(title: str, note: str, *buttons: Component) -> Component:
    """The head of a section: what it is, and what can be done."""
    words = html.Div([html.H2(title), html.P(note, className="wf-muted")])
    return html.Div([words, html.Div(className="wf-spring"), *buttons], className="wf-section-head")


def button(words: str, id: Any, icon_name: str | None = None, kind: str = "") -> Component:
    """A button."""
    inside = [icon(icon_name), words] if icon_name else words
    return html.Button(inside, id=id, type="button", className=f"wf-button {kind}".strip(), n_clicks=0)


def when(at: Any, missing: str = "never") -> Component:
    """A moment, as all pages show it."""
    return moment(at, missing)


def device(text: str | None) -> Component:
    """What a browser calls itself, in short; all of it when pointed at."""
    return html.Span(browser_of(text), title=text or "")


def browser_of(text: str | None) -> str:
    """``Firefox on Linux`` of a user agent; its beginning when it is no browser's."""
    given = text or "unknown"
    browser = next((name for sign, name in _BROWSERS if sign in given), None)
    system = next((name for sign, name in _SYSTEMS if sign in given), None)
    if browser is None:
        return given.partition("/")[0][:40]
    return f"{browser} on {system}" if system else browser


_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
            ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
