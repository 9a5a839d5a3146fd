"""Settings: one's own account, users and roles, API tokens, sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.accounts import person
from dashboard.components import people as parts
from dashboard.components.forms import fields
from dashboard.components.tabs import tabs
from dashboard.ids import People as Ids
from dashboard.ids import people_button, people_field
from dashboard.pages.router import Page, Visit
from dashboard.people import People
from dashboard.permissions import PERMISSIONS, Role, Verb, may, may_somewhere
from dashboard.services import Services
from data.records import User

TABS = (
    ("account", "My account", Verb.ACCOUNT),
    ("users", "Users and roles", Verb.MANAGE_USERS),
    ("tokens", "API tokens", Verb.TOKENS),
    ("sessions", "Sessions", Verb.ACCOUNT),
)
ROLES = [{"value": one.title, "label": one.title} for one in Role]


def layout(visit: Visit) -> Component:
    """The tabs one may see, and the panel of the one that is open."""
    shown = visit.params.get("tab", "account")
    mine = [(name, words) for name, words, verb in TABS if may_somewhere(person(), verb)]
    return html.Div(
        className="wf-page wf-settings",
        children=[
            html.Div([html.H1("Settings")], className="wf-page-head"),
            tabs("settings", "/settings", mine, shown),
            html.Div(panel(visit.services, shown), id=Ids.PANEL, className="wf-settings-panel"),
            _dialog(),
        ],
    )


def panel(services: Services, tab: str) -> list[Component]:
    """What is in a tab. One that is not for this person stays empty."""
    verb = next((verb for name, _, verb in TABS if name == tab), None)
    if verb is None or not may_somewhere(person(), verb):
        return []
    return _PANELS[tab](services)


def _people(services: Services) -> People:
    return People(services, person())


# -- one's own account


def _account(services: Services) -> list[Component]:
    who = person()
    facts = html.Dl(
        [html.Dt("Name"), html.Dd(who.name), html.Dt("Roles"), html.Dd(parts.roles(who.role, who.grants))],
        className="wf-account",
    )
    least = services.settings.password_min
    form = [
        dmc.TextInput(value=who.name, autoComplete="username", readOnly=True, display="none"),
        _secret("old", "Old password", "current-password"),
        _secret("new", f"New password, at least {least} letters", "new-password"),
        _secret("again", "New password once more", "new-password"),
        html.Div(id=Ids.ACCOUNT_ERROR, className="wf-form-error", role="alert"),
        parts.button("Change password", Ids.ACCOUNT_GO, kind="primary"),
    ]
    return [
        parts.head("My account", "Who you are here, and what you may."),
        facts,
        parts.head("Password", "Your other sessions end when it changes."),
        fields(form, more="wf-settings-form"),
        parts.head("What roles may", "Each includes what stands above it; a role in a namespace holds below it too."),
        parts.table(("Least role", "May"), _rights(), "rights"),
    ]


def _rights() -> list[tuple[Any, ...]]:
    by_role: dict[Role, list[str]] = {}
    for one in PERMISSIONS.values():
        by_role.setdefault(one.least, []).append(one.title + (" (a role everywhere)" if one.everywhere else ""))
    return [
        (parts.role(role.title if role else "anybody"), html.Ul([html.Li(text) for text in by_role[role]]))
        for role in sorted(by_role)
    ]


def _secret(name: str, words: str, complete: str) -> Component:
    return dmc.PasswordInput(id=people_field(name), label=words, value="", autoComplete=complete, w=340)


# -- users


def _users(services: Services) -> list[Component]:
    found = _people(services).users()
    rows = [
        (
            html.Span(one.name, className="wf-who"),
            parts.roles(one.role, one.grants),
            "password" if one.source == "password" else "organisation",
            html.Span("disabled", className="wf-off") if one.disabled else html.Span("may sign in", className="wf-on"),
            parts.button("Change", people_button("edit-user", one.name)),
        )
        for one in found
    ]
    add = parts.button("New user", people_button("new-user", "new"), "user", "primary")
    return [
        parts.head("Users and roles", "A role everywhere, and roles in namespaces that hold for those below.", add),
        parts.table(("Name", "Roles", "Signs in by", "", ""), rows, "users"),
    ]


# -- tokens


def _tokens(services: Services) -> list[Component]:
    everybody = may(person(), Verb.MANAGE_SESSIONS)
    found = _people(services).tokens(everybody=everybody)
    rows = [
        (
            html.Span([one.name, html.Code(f"wf_…{one.hint}")], className="wf-token"),
            one.user,
            parts.role(one.role),
            ", ".join(one.namespaces) if one.namespaces is not None else "all of the user's",
            parts.when(one.used_at),
            parts.when(one.expires_at, "never"),
            parts.button("Revoke", people_button("revoke-token", one.id), kind="danger"),
        )
        for one in found
    ]
    add = parts.button("New token", people_button("new-token", "new"), "bolt", "primary")
    note = "For scripts: Authorization: Bearer wf_…. No token may more than the user who made it."
    heads = ("Token", "User", "Role", "Namespaces", "Last used", "Ends", "")
    return [
        parts.head("API tokens", note, add),
        parts.table(heads, rows, "tokens") if rows else _none("No tokens yet."),
    ]


# -- sessions


def _sessions(services: Services) -> list[Component]:
    everybody, own = may(person(), Verb.MANAGE_SESSIONS), getattr(person(), "session", None)
    rows = [
        (
            one.user,
            html.Span([parts.device(one.device), html.B("this one") if one.id == own else ""], className="wf-device"),
            html.Code(one.address or "–"),
            parts.when(one.created_at),
            parts.when(one.seen_at),
            parts.button("Revoke", people_button("revoke-session", one.id), kind="danger"),
        )
        for one in _people(services).sessions(everybody=everybody)
    ]
    others = parts.button("Sign out everywhere else", people_button("revoke-others", "own"), "logout")
    note = "A revoked session is over at once: its pages go to the login."
    heads = ("User", "Device", "Address", "Since", "Last seen", "")
    return [parts.head("Sessions", note, others), parts.table(heads, rows, "sessions")]


def _none(text: str) -> Component:
    return html.P(text, className="wf-muted wf-none")


_PANELS: dict[str, Callable[[Services], list[Component]]] = {
    "account": _account,
    "users": _users,
    "tokens": _tokens,
    "sessions": _sessions,
}


# -- the dialog


def _dialog() -> Component:
    return dmc.Modal(
        id=Ids.MODAL,
        size="lg",
        children=[
            dcc.Store(id=Ids.PENDING),
            fields(id=Ids.FORM),
            html.Div(id=Ids.ERROR, className="wf-form-error", role="alert"),
            html.Div(
                [
                    dmc.Button("Delete user", id=Ids.DELETE, className="wf-danger", display="none"),
                    html.Div(className="wf-spring"),
                    dmc.Button("Close", id=Ids.CANCEL, variant="default"),
                    dmc.Button("Save", id=Ids.GO),
                ],
                className="wf-settings-buttons",
            ),
        ],
    )


def user_form(user: User, *, new: bool, least: int) -> list[Component]:
    """Fields of a user; ``least`` letters a password has."""
    lines = "\n".join(f"{namespace}={granted}" for namespace, granted in user.grants.items())
    kept = "" if new else ", empty: as it is"
    return [
        dmc.TextInput(id=people_field("name"), label="Name", value=user.name, disabled=not new),
        dmc.Select(id=people_field("role"), label="Role everywhere", data=ROLES, value=user.role, allowDeselect=False),
        dmc.Textarea(
            id=people_field("grants"), label="Roles in namespaces", value=lines, autosize=True, minRows=2,
            placeholder="company.team=operator", description="One a line, namespace=role; holds for those below it.",
        ),
        dmc.PasswordInput(
            id=people_field("password"), label=f"Password, at least {least} letters{kept}", value="",
            autoComplete="new-password",
        ),
        dmc.Switch(
            id=people_field("disabled"), label="May not sign in", checked=user.disabled, display="none" if new else None
        ),
    ]  # fmt: skip


def token_form(most: int) -> list[Component]:
    """Fields of a token."""
    roles = [one for one in ROLES if one["value"] != Role.NONE.title]
    return [
        dmc.TextInput(id=people_field("name"), label="What is it for?", value="", placeholder="nightly export"),
        dmc.Select(id=people_field("role"), label="Role", data=roles, value="viewer", allowDeselect=False),
        dmc.TextInput(
            id=people_field("namespaces"), label="Namespaces", value="", placeholder="all of mine",
            description="By commas; each covers those below it.",
        ),
        dmc.NumberInput(id=people_field("days"), label="Days until it ends", value=min(90, most), min=1, max=most),
    ]  # fmt: skip


def token_shown(text: str) -> list[Component]:
    """A new token, this once."""
    return [
        html.P("Copy it now: Watchfloor keeps only a fingerprint and can't show it again."),
        html.Div(
            [html.Code(text, id=Ids.TOKEN), dcc.Clipboard(target_id=Ids.TOKEN, className="wf-button", title="Copy")],
            className="wf-token-new",
        ),
    ]


PAGE = Page(
    name="settings",
    pattern="/settings",
    title=lambda visit: "Settings",
    layout=layout,
    icon="user",
    rail="Settings",
    tabs=tuple(name for name, _, _ in TABS),
    verb=Verb.ACCOUNT,
)
