"""From the address to the page: a page is rendered when the visit changes, not when only its tab does.

It is rendered once more when the page asks for that: something of it could not be shown, and now may be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import dash
from dash import Input, Output, State, no_update
from dash.development.base_component import Component

from dashboard.accounts import person
from dashboard.callbacks.asking import asks
from dashboard.components.empty import empty
from dashboard.ids import Frame
from dashboard.pages.router import Page, Route, Visit, route
from dashboard.permissions import Verb, may_somewhere, refusal
from dashboard.seen import seen
from dashboard.services import Services
from data import StoreUnavailable

T = TypeVar("T")


def register(app: dash.Dash, services: Services, pages: tuple[Page, ...]) -> None:
    """The one callback that fills the page."""

    @app.callback(
        Output(Frame.PAGE, "children"),
        Output(Frame.PAGE_KEY, "data"),
        Input(Frame.VISIT, "data"),
        Input(Frame.AGAIN, "data"),
        State(Frame.URL, "pathname"),
        State(Frame.URL, "search"),
        State(Frame.PAGE_KEY, "data"),
    )
    @asks(Verb.ACCOUNT)
    def show(_visit: Any, _again: Any, path: str | None, search: str | None, shown: Any) -> Any:
        found = route(pages, path or "/")
        key = found.key if found else f"missing:{path}"
        if shown and key == shown["key"] and dash.ctx.triggered_id != Frame.AGAIN:
            return no_update, no_update
        children, title = render(services, found, path or "/", search or "")
        return children, {"key": key, "title": f"{title} · Watchfloor"}


def render(services: Services, found: Route | None, path: str, search: str) -> tuple[Component, str]:
    """The page at ``path`` and its title; one that says there is none, or that the database is away."""
    if found is None:
        nothing = empty("There is no page here", f"{path} leads nowhere.", action=("Go to Executions", "/executions"))
        return nothing, "Not found"
    if not may_somewhere(who := person(), found.page.verb):
        return empty("This page is not for you", str(refusal(who, found.page.verb)), icon_name="alert"), "Not for you"
    visit = Visit(seen(services), path, found.params, search)
    return away_or(lambda: found.page.layout(visit)), away_or(lambda: found.page.title(visit), "Watchfloor")


def away_or(make: Callable[[], T], otherwise: Any = None) -> T | Any:
    """What ``make`` gives; while the database is away ``otherwise``, by default a page that says so."""
    try:
        return make()
    except StoreUnavailable as error:
        return otherwise or empty(
            "The database can't be reached",
            f"{error} Executions go on meanwhile; this comes back by itself once the database answers.",
            icon_name="alert",
            again="",
        )
