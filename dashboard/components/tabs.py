"""Tabs that are links: each has its own address, so that it can be sent, opened beside, and gone back from."""

from __future__ import annotations

from collections.abc import Iterable

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.ids import tab_link


def tabs(page: str, base: str, names: Iterable[tuple[str, str]], shown: str) -> Component:
    """A row of (tab, words); ``base`` is the page's address without the tab."""
    links = [
        dcc.Link(words, href=f"{base}/{tab}", id=tab_link(page, tab), className=f"wf-tab{' here' * (tab == shown)}")
        for tab, words in names
    ]
    return html.Div(links, className="wf-tabs", role="navigation", **{"aria-label": "Tabs"})
