"""Users, sessions and API tokens."""

from __future__ import annotations

from typing import Any

import flask
import msgspec

from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import Endpoint, Parameter
from dashboard.people import People
from dashboard.permissions import Verb
from data.records import ApiToken, LoginSession, User


class _NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    password: str
    role: str = "none"
    grants: dict[str, str] = {}


class _ChangedUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: str | None = None
    grants: dict[str, str] | None = None
    disabled: bool | None = None
    password: str | None = None


class _OwnPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    old: str
    new: str


class _NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    role: str = "viewer"
    namespaces: tuple[str, ...] | None = None
    days: int | None = None


def _body(kind: Any) -> Any:
    try:
        return msgspec.json.decode(flask.request.get_data(), type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ApiError(400, f"The body is not what was expected: {error}", [(str(error), "body")]) from error


def _people(api: Api) -> People:
    return People(api.services, api.person, "api", api.text("reason"))


# -- users


def user_shape(one: User) -> dict[str, Any]:
    """A user; never anything of a password."""
    return {"name": one.name, "role": one.role, "grants": one.grants, "disabled": one.disabled, "source": one.source}


def users(api: Api) -> flask.Response:
    """All users."""
    return answer([user_shape(one) for one in _people(api).users()])


def _user(api: Api, name: str) -> flask.Response:
    found = api.store.user(name)
    if found is None:
        raise ApiError(404, f"There is no user {name!r}.")
    return answer(user_shape(found))


def add_user(api: Api) -> flask.Response:
    """Make a user."""
    given: _NewUser = _body(_NewUser)
    _people(api).add(given.name, given.role, given.grants, given.password)
    return _user(api, given.name)


def change_user(api: Api, name: str) -> flask.Response:
    """Change what is given of a user."""
    given: _ChangedUser = _body(_ChangedUser)
    people = _people(api)
    people.change(name, role=given.role, grants=given.grants, disabled=given.disabled)
    if given.password is not None:
        people.set_password(name, given.password)
    return _user(api, name)


def delete_user(api: Api, name: str) -> flask.Response:
    """Remove a user."""
    _people(api).delete(name)
    return flask.Response(status=204)


def own_password(api: Api) -> flask.Response:
    """A new password of one's own."""
    given: _OwnPassword = _body(_OwnPassword)
    _people(api).change_own_password(given.old, given.new)
    return flask.Response(status=204)


# -- sessions


def _session(one: LoginSession) -> dict[str, Any]:
    return {
        "id": one.id,
        "user": one.user,
        "createdAt": one.created_at,
        "seenAt": one.seen_at,
        "expiresAt": one.expires_at,
        "address": one.address,
        "device": one.device,
    }


def sessions(api: Api) -> flask.Response:
    """Sessions that last."""
    return answer([_session(one) for one in _people(api).sessions(everybody=api.boolean("everybody", False))])


def revoke_session(api: Api, sessionId: str) -> flask.Response:
    """End one session."""
    _people(api).revoke_session(sessionId)
    return flask.Response(status=204)


def revoke_sessions(api: Api) -> flask.Response:
    """End all sessions of somebody, or one's own others."""
    return answer({"ended": _people(api).revoke_sessions(api.text("user"))})


# -- tokens


def _token(one: ApiToken) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "user": one.user,
        "role": one.role,
        "namespaces": one.namespaces,
        "hint": one.hint,
        "createdAt": one.created_at,
        "expiresAt": one.expires_at,
        "usedAt": one.used_at,
    }


def tokens(api: Api) -> flask.Response:
    """API tokens, without their text."""
    return answer([_token(one) for one in _people(api).tokens(everybody=api.boolean("everybody", False))])


def make_token(api: Api) -> flask.Response:
    """Make an API token; its text is in this answer alone."""
    given: _NewToken = _body(_NewToken)
    made, text = _people(api).make_token(given.name, given.role, given.namespaces, given.days)
    return answer({**_token(made), "token": text})


def revoke_token(api: Api, tokenId: str) -> flask.Response:
    """End an API token."""
    _people(api).revoke_token(tokenId)
    return flask.Response(status=204)


_ALL = Parameter("everybody", "boolean", "Everybody's, for admins.", "false")
_REASON = Parameter("reason", "string", "Why, for the audit.")


def _json(summary: str) -> Parameter:
    return Parameter("body", "application/json", summary, required=True, where="body")


ENDPOINTS = (
    Endpoint("GET", "/users", users, "All users.", "[User]", ours=True, verb=Verb.MANAGE_USERS),
    Endpoint(
        "POST", "/users", add_user, "Make a user.", "User",
        (_json("`{name, password, role, grants}`; `grants` are roles by namespace."), _REASON), ours=True,
        verb=Verb.MANAGE_USERS,
    ),
    Endpoint(
        "PUT", "/users/{name}", change_user, "Change a user.", "User",
        (_json("What changes of `{role, grants, disabled, password}`."), _REASON), ours=True, verb=Verb.MANAGE_USERS,
    ),
    Endpoint(
        "DELETE", "/users/{name}", delete_user, "Remove a user.", "204", (_REASON,), ours=True,
        verb=Verb.MANAGE_USERS,
    ),
    Endpoint(
        "PUT", "/account/password", own_password, "Change one's own password.", "204", (_json("`{old, new}`."),),
        ours=True, verb=Verb.ACCOUNT, narrows=True,
    ),
    Endpoint(
        "GET", "/sessions", sessions, "Sessions of people who signed in.", "[Session]", (_ALL,), ours=True,
        verb=Verb.ACCOUNT, narrows=True,
    ),
    Endpoint(
        "DELETE", "/sessions", revoke_sessions, "End one's other sessions, or all of a user.", "{ended: integer}",
        (Parameter("user", "string", "Whose, for admins; one's own when not given."), _REASON), ours=True,
        verb=Verb.ACCOUNT, narrows=True,
    ),
    Endpoint(
        "DELETE", "/sessions/{sessionId}", revoke_session, "End a session.", "204", (_REASON,), ours=True,
        verb=Verb.ACCOUNT, narrows=True,
    ),
    Endpoint(
        "GET", "/tokens", tokens, "API tokens.", "[Token]", (_ALL,), ours=True, verb=Verb.ACCOUNT, narrows=True,
    ),
    Endpoint(
        "POST", "/tokens", make_token, "Make an API token; its text is in this answer alone.", "NewToken",
        (_json("`{name, role, namespaces, days}`; `namespaces` null: all of one's own."), _REASON), ours=True,
        verb=Verb.TOKENS, narrows=True,
    ),
    Endpoint(
        "DELETE", "/tokens/{tokenId}", revoke_token, "End an API token.", "204", (_REASON,), ours=True,
        verb=Verb.ACCOUNT, narrows=True,
    ),
)  # fmt: skip
