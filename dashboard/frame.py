"""The frame of every page: rail, top bar with the live lamp, notifications, keyboard sheet."""

from __future__ import annotations

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.accounts import known_person
from dashboard.api.views import shape as view_shape
from dashboard.components import dialogs, theme
from dashboard.components.action_looks import LOOKS
from dashboard.components.icons import icon
from dashboard.ids import Frame, rail_link
from dashboard.pages.router import Page, rail_of
from dashboard.permissions import may_somewhere
from dashboard.services import Services
from data.errors import StoreUnavailable
from data.views import SavedView
from engine.states import ACTIONS
from streaming import codec

KEYS = (
    ("Everywhere", (("Ctrl K", "go anywhere, do anything"), ("/", "focus the filter"), ("g  e", "go to Executions"),
                    ("g  f", "go to Flows"), ("g  o", "go to Operations"), ("g  a", "go to Audit"),
                    ("g  s", "go to Settings"), ("?", "this sheet"), ("Esc", "close, leave the field"))),
    ("List", (("j  k", "next, previous row"), ("Enter", "open the row"), ("e", "first error of the row"),
              ("x", "select the row"), ("Shift click", "select all between"),
              ("a", "select the page, then all that match"), ("n", "show new rows on top"),
              (".", "menu of all actions on the selection, or on the row"))),
    ("Execution", (("j  k", "next, previous in the list one came from"), (".", "menu of all actions"))),
)  # fmt: skip


def layout(pages: tuple[Page, ...], services: Services) -> Component:
    """The whole app; ``Frame.PAGE`` holds the page."""
    return dmc.MantineProvider(
        id=Frame.MANTINE,
        theme=theme.mantine(),
        defaultColorScheme="auto",
        children=[
            dcc.Location(id=Frame.URL, refresh="callback-nav"),
            dcc.Store(id=Frame.VISIT),
            dcc.Store(id=Frame.PAGE_KEY),
            dcc.Store(id=Frame.AGAIN),
            dcc.Store(id=Frame.ACTION_REQUEST),
            dmc.NotificationContainer(id=Frame.NOTIFICATIONS, position="bottom-right", autoClose=6000, limit=4),
            html.Div(className="wf-frame", children=[_rail(pages, _views(services)), _top_bar(), _main()]),
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


def _views(services: Services) -> list[SavedView] | None:
    """The saved views that the signed-in user sees; ``None`` while the database is away."""
    try:
        return services.store.views(getattr(known_person(), "name", ""))
    except StoreUnavailable:
        return None


def _rail(pages: tuple[Page, ...], views: Sequence[SavedView] | None) -> Component:
    links: list[Component] = []
    who = known_person()
    for page in rail_of(pages):
        if who is not None and not may_somewhere(who, page.verb):
            continue
        label = [icon(page.icon or "file"), html.Span(page.rail)]
        links.append(dcc.Link(label, href=page.pattern, id=rail_link(page.name), className="wf-rail-link"))
        if page.name == "executions":
            links.append(_saved(views))
    brand = dcc.Link(
        [html.Img(src="/assets/img/logo.svg", alt="", width=20, height=20), html.Span("Watchfloor")],
        href="/executions",
        className="wf-brand",
    )
    return html.Nav([brand, *links], id=Frame.RAIL, className="wf-rail", **{"aria-label": "Pages"})


def _saved(views: Sequence[SavedView] | None) -> Component:
    """The place of the pinned views; it holds all of them for the list, which needs them before its first row. Where
    they are not known the browser asks for them later."""
    known = {} if views is None else {"data-wf-views": codec.to_json([view_shape(view) for view in views]).decode()}
    return html.Div(
        id=Frame.SAVED_VIEWS,
        className="wf-rail-views",
        **{"data-wf-view": "rail-views", "data-wf-params": "{}", **known},
    )


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
    search = html.Button(
        [icon("search"), html.Span("Go to …"), html.Kbd("Ctrl K")],
        type="button",
        className="wf-palette-button",
        **{"data-wf-palette": "", "aria-label": "Search everything (Ctrl+K)", "aria-haspopup": "dialog"},
    )
    parts = [lamp, html.Div(className="wf-spring"), search, keys, toggle, _user()]
    return html.Header(className="wf-topbar", children=parts)


def _user() -> Component:
    who = known_person()
    name, role = getattr(who, "name", "") or "", getattr(who, "role", "") or ""
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
    actions = tuple((look.key, ACTIONS[action].title) for action, look in LOOKS.items() if look.key)
    groups = (*KEYS, ("Act on what is selected or open", actions))
    tables = [html.Section([html.H3(title), _keys_table(rows)]) for title, rows in groups]
    return dmc.Modal(
        id=Frame.KEYS_SHEET, title="Keyboard", size="xl", children=html.Div(tables, className="wf-keys-groups")
    )


def _keys_table(rows: Sequence[tuple[str, str]]) -> Component:
    lines = [html.Tr([html.Td(_keys(keys)), html.Td(text)]) for keys, text in rows]
    return html.Table(html.Tbody(lines), className="wf-keys")


def _keys(keys: str) -> list[Component]:
    return [html.Kbd(key) for key in keys.split()]


def _label(text: str) -> dict[str, str]:
    return {"aria-label": text}
