"""Settings: tabs, the dialog of users and tokens, revoking, one's own password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash
from dash import ALL, Input, Output, State, no_update, set_props

from dashboard.accounts import person
from dashboard.callbacks.asking import asks
from dashboard.callbacks.notices import notice
from dashboard.callbacks.routing import away_or
from dashboard.ids import Frame, people_button, people_field
from dashboard.ids import People as Ids
from dashboard.pages import settings as page
from dashboard.people import People
from dashboard.permissions import Verb
from dashboard.services import Services
from data.errors import PersonError, StoreUnavailable
from data.records import User

AWAY = "The database can't be reached; nothing was changed. Try again when the lamp is green."


def register(app: dash.Dash, services: Services) -> None:
    """Four callbacks; who may do what is asked again by ``People``."""

    @app.callback(Output(Ids.PANEL, "children"), Input(Frame.URL, "pathname"), prevent_initial_call=True)
    @asks(Verb.ACCOUNT)
    def tab(path: str) -> Any:
        params = page.PAGE.match(path or "")
        return no_update if params is None else away_or(lambda: page.panel(services, params.get("tab", "account")))

    @app.callback(
        Output(Ids.MODAL, "opened"),
        Output(Ids.MODAL, "title"),
        Output(Ids.PENDING, "data"),
        Output(Ids.FORM, "children"),
        Output(Ids.ERROR, "children"),
        Output(Ids.DELETE, "display"),
        Output(Ids.GO, "display"),
        Input(people_button(ALL, ALL), "n_clicks"),
        Input(Ids.GO, "n_clicks"),
        Input(Ids.DELETE, "n_clicks"),
        Input(Ids.CANCEL, "n_clicks"),
        State(Ids.PENDING, "data"),
        State(people_field(ALL), "id"),
        State(people_field(ALL), "value"),
        State(people_field(ALL), "checked"),
        prevent_initial_call=True,
    )
    @asks(Verb.ACCOUNT)
    def dialog(
        _buttons: Any, _go: Any, _delete: Any, _cancel: Any, pending: Any, ids: Any, values: Any, on: Any
    ) -> Any:
        who = dash.ctx.triggered_id
        if who is None or not dash.ctx.triggered[0]["value"]:
            return _shown()
        if who == Ids.CANCEL:
            return _shown(opened=False, pending=None)
        if isinstance(who, dict):
            return _pressed(services, who["what"], who["which"])
        given = {one["name"]: value for one, value in zip(ids, values, strict=True)}
        given["disabled"] = next((bool(v) for one, v in zip(ids, on, strict=True) if one["name"] == "disabled"), False)
        return _sent(services, pending or {}, given, delete=who == Ids.DELETE)

    @app.callback(
        Output(Ids.ACCOUNT_ERROR, "children"),
        Output(people_field("old"), "value"),
        Output(people_field("new"), "value"),
        Output(people_field("again"), "value"),
        Input(Ids.ACCOUNT_GO, "n_clicks"),
        State(people_field("old"), "value"),
        State(people_field("new"), "value"),
        State(people_field("again"), "value"),
        prevent_initial_call=True,
    )
    @asks(Verb.ACCOUNT)
    def password(_go: Any, old: str, new: str, again: str) -> Any:
        if new != again:
            return "The new passwords are not the same.", *(no_update,) * 3
        why = _tried(lambda: _people(services).change_own_password(old or "", new or ""))
        if why is None:
            _tell("Password changed", "Your other sessions have ended.")
        return (why, *(no_update,) * 3) if why else ("", "", "", "")


def _people(services: Services) -> People:
    return People(services, person())


def _tried(work: Callable[[], Any]) -> str | None:
    """Why it did not work, ``None`` when it did."""
    try:
        work()
    except (PersonError, PermissionError) as error:
        return str(error)
    except StoreUnavailable:
        return AWAY
    return None


def _tell(title: str, message: str, *, bad: bool = False) -> None:
    set_props(Frame.NOTIFICATIONS, {"sendNotifications": [notice(title, message, bad=bad)]})


def _again(services: Services, tab: str) -> None:
    set_props(Ids.PANEL, {"children": away_or(lambda: page.panel(services, tab))})


def _shown(**given: Any) -> tuple[Any, ...]:
    names = ("opened", "title", "pending", "form", "error", "delete", "go")
    return tuple(given.get(name, no_update) for name in names)


# -- what buttons do


def _pressed(services: Services, what: str, which: str) -> tuple[Any, ...]:
    if what in _OPENS:
        try:
            return _OPENS[what](services, which)
        except (PersonError, PermissionError, StoreUnavailable) as error:
            _tell("Refused", str(error), bad=True)
            return _shown()
    if what in _DOES:
        does, tab, done = _DOES[what]
        why = _tried(lambda: does(_people(services), which))
        _tell("Refused" if why else done, why or "It is over at once.", bad=bool(why))
        _again(services, tab)
    return _shown()


_DOES: dict[str, tuple[Callable[[People, str], Any], str, str]] = {
    "revoke-token": (lambda people, which: people.revoke_token(which), "tokens", "Token revoked"),
    "revoke-session": (lambda people, which: people.revoke_session(which), "sessions", "Session revoked"),
    "revoke-others": (lambda people, which: people.revoke_sessions(), "sessions", "Signed out everywhere else"),
}


def _new_user(services: Services, which: str) -> tuple[Any, ...]:
    form = page.user_form(User("", "viewer"), new=True, least=services.settings.password_min)
    return _shown(opened=True, title="New user", pending={"kind": "new-user"}, form=form, error="", delete="none",
                  go="block")  # fmt: skip


def _edit_user(services: Services, which: str) -> tuple[Any, ...]:
    one = next((user for user in _people(services).users() if user.name == which), None)
    if one is None:
        raise PersonError(f"There is no user {which!r} any more.")
    least = services.settings.password_min
    form = page.user_form(one, new=False, least=least)
    pending = {"kind": "edit-user", "name": one.name}
    return _shown(opened=True, title=one.name, pending=pending, form=form, error="", delete="block", go="block")


def _new_token(services: Services, which: str) -> tuple[Any, ...]:
    form = page.token_form(services.settings.token_max_days)
    return _shown(opened=True, title="New API token", pending={"kind": "new-token"}, form=form, error="", delete="none",
                  go="block")  # fmt: skip


_OPENS = {"new-user": _new_user, "edit-user": _edit_user, "new-token": _new_token}


# -- what the dialog sends


def _sent(services: Services, pending: dict[str, Any], given: dict[str, Any], *, delete: bool) -> tuple[Any, ...]:
    people, kind = _people(services), pending.get("kind")
    if kind == "new-token":
        return _make_token(services, people, given)
    name = str(pending.get("name") or given.get("name") or "").strip()
    if delete:
        why, done = _tried(lambda: people.delete(name)), "deleted"
    elif kind == "new-user":
        why, done = _tried(lambda: _add(people, name, given)), "may sign in now"
    else:
        why, done = _tried(lambda: _change(people, name, given)), "is changed"
    if why is not None:
        return _shown(error=why)
    _tell("Users", f"{name} {done}.")
    _again(services, "users")
    return _shown(opened=False, pending=None)


def _add(people: People, name: str, given: dict[str, Any]) -> None:
    people.add(name, given.get("role") or "none", grants_of(given.get("grants")), given.get("password") or "")


def _change(people: People, name: str, given: dict[str, Any]) -> None:
    grants = grants_of(given.get("grants"))
    people.change(name, role=given.get("role"), grants=grants, disabled=given.get("disabled"))
    if given.get("password"):
        people.set_password(name, given["password"])


def grants_of(text: str | None) -> dict[str, str]:
    """Roles by namespace of lines ``namespace=role``. Raises ``PersonError``."""
    grants = {}
    for line in filter(None, (line.strip() for line in (text or "").splitlines())):
        namespace, equals, role = (part.strip() for part in line.partition("="))
        if not equals:
            raise PersonError(f"Expected namespace=role on each line, got {line!r}.")
        grants[namespace] = role
    return grants


def _make_token(services: Services, people: People, given: dict[str, Any]) -> tuple[Any, ...]:
    names = [part.strip() for part in str(given.get("namespaces") or "").split(",") if part.strip()]
    made: list[str] = []

    def make() -> None:
        days = int(given.get("days") or 0)
        made.append(people.make_token(str(given.get("name") or ""), given.get("role") or "", names or None, days)[1])

    if (why := _tried(make)) is not None:
        return _shown(error=why)
    _again(services, "tokens")
    return _shown(title="Your new token", form=page.token_shown(made[0]), error="", go="none", pending=None)
