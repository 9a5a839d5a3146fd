"""The frame of every page: rail, top bar with the live lamp, notifications, keyboard sheet."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component
from flask_login import current_user

from dashboard.components import dialogs, theme
from dashboard.components.icons import icon
from dashboard.ids import Frame, rail_link
from dashboard.pages.router import Page, rail_of

KEYS = (
    ("/", "focus the filter"),
    ("j  k", "next, previous row"),
    ("x", "select the row"),
    ("Enter", "open the row"),
    ("n", "show new rows on top"),
    ("r", "restart what is selected"),
    ("g  e", "go to Executions"),
    ("g  f", "go to Flows"),
    ("Esc", "close, leave the field"),
    ("?", "this sheet"),
)


def layout(pages: tuple[Page, ...]) -> Component:
    """The whole app; ``Frame.PAGE`` holds the page."""
    return dmc.MantineProvider(
        id=Frame.MANTINE,
        theme=theme.mantine(),
        defaultColorScheme="auto",
        children=[
            dcc.Location(id=Frame.URL, refresh="callback-nav"),
            dcc.Store(id=Frame.PAGE_KEY),
            dcc.Store(id=Frame.ACTION_REQUEST),
            dmc.NotificationContainer(id=Frame.NOTIFICATIONS, position="bottom-right", autoClose=6000, limit=4),
            html.Div(className="wf-frame", children=[_rail(pages), _top_bar(), _main()]),
            dialogs.act(),
            dialogs.execute(),
            dialogs.backfill(),
            _keys_sheet(),
        ],
    )


def _main() -> Component:
    return html.Main(id=Frame.PAGE, className="wf-main", children=skeleton(), tabIndex="-1")


def skeleton() -> Component:
    """What stands in for a page while it is fetched."""
    rows = [html.I(className="wf-skeleton") for _ in range(8)]
    return html.Div(className="wf-page wf-page-skeleton", children=rows, role="status", **{"aria-label": "Loading"})


def _rail(pages: tuple[Page, ...]) -> Component:
    links = [
        dcc.Link(
            [icon(page.icon or "file"), html.Span(page.rail)],
            href=page.pattern,
            id=rail_link(page.name),
            className="wf-rail-link",
        )
        for page in rail_of(pages)
    ]
    brand = dcc.Link(
        [html.Img(src="/assets/img/logo.svg", alt="", width=20, height=20), html.Span("Watchfloor")],
        href="/executions",
        className="wf-brand",
    )
    return html.Nav([brand, *links], id=Frame.RAIL, className="wf-rail", **{"aria-label": "Pages"})


def _top_bar() -> Component:
    lamp = html.Div(
        className="wf-lamp",
        role="status",
        **{"data-wf-view": "lamp", "data-wf-params": "{}", "data-phase": "connecting"},
    )
    toggle = dmc.ColorSchemeToggle(
        lightIcon=icon("sun"), darkIcon=icon("moon"), variant="subtle", color="gray", size="md", **_label("Theme")
    )
    keys = dmc.ActionIcon(
        icon("keyboard"), id=Frame.KEYS_BUTTON, variant="subtle", color="gray", size="md", **_label("Keyboard (?)")
    )
    return html.Header(className="wf-topbar", children=[lamp, html.Div(className="wf-spring"), keys, toggle, _user()])


def _user() -> Component:
    name = getattr(current_user, "name", "") or ""
    role = getattr(current_user, "role", "") or ""
    return dmc.Menu(
        position="bottom-end",
        children=[
            dmc.MenuTarget(
                dmc.UnstyledButton([icon("user"), html.Span(name)], className="wf-user", **_label("Signed in as"))
            ),
            dmc.MenuDropdown(
                [
                    dmc.MenuLabel(f"{name} · {role}"),
                    html.Form(
                        html.Button([icon("logout"), "Sign out"], type="submit", className="wf-menu-button"),
                        action="/logout",
                        method="POST",
                    ),
                ]
            ),
        ],
    )


def _keys_sheet() -> Component:
    rows = [html.Tr([html.Td(_keys(keys)), html.Td(text)]) for keys, text in KEYS]
    return dmc.Modal(
        id=Frame.KEYS_SHEET, title="Keyboard", size="sm", children=html.Table(html.Tbody(rows), className="wf-keys")
    )


def _keys(keys: str) -> list[Component]:
    return [html.Kbd(key) for key in keys.split()]


def _label(text: str) -> dict[str, str]:
    return {"aria-label": text}
