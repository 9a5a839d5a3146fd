"""From the address to the page: a page is rendered when the visit changes, not when only its tab does."""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, no_update
from dash.development.base_component import Component

from dashboard.components.empty import empty
from dashboard.ids import Frame
from dashboard.pages.router import Page, Visit, route
from dashboard.services import Services


def register(app: dash.Dash, services: Services, pages: tuple[Page, ...]) -> None:
    """The one callback that fills the page."""

    @app.callback(
        Output(Frame.PAGE, "children"),
        Output(Frame.PAGE_KEY, "data"),
        Input(Frame.URL, "pathname"),
        State(Frame.URL, "search"),
        State(Frame.PAGE_KEY, "data"),
    )
    def show(path: str | None, search: str | None, shown: str | None) -> Any:
        found = route(pages, path or "/")
        key = found.key if found else f"missing:{path}"
        if key == shown:
            return no_update, no_update
        return render(services, pages, path or "/", search or ""), key


def render(services: Services, pages: tuple[Page, ...], path: str, search: str) -> Component:
    """The page at ``path``, or one that says there is none, or that the database is away."""
    from data import StoreUnavailable

    found = route(pages, path)
    if found is None:
        return empty("There is no page here", f"{path} leads nowhere.", action=("Go to Executions", "/executions"))
    try:
        return found.page.layout(Visit(services, path, found.params, search))
    except StoreUnavailable as error:
        return empty(
            "The database can't be reached",
            f"{error} This page comes back by a reload once it answers; executions go on meanwhile.",
            icon_name="alert",
        )
