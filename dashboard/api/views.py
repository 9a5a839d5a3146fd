"""Saved views of the executions: everybody's own, and those shared with all."""

from __future__ import annotations

from typing import Any

import flask
import msgspec
from flask_login import current_user

from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import Endpoint, Parameter
from dashboard.permissions import Role, Verb, may_somewhere, refusal, role_in
from data.filters import parse_query_string
from data.views import SavedView, ViewError, ViewNotFound


class _New(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    query: str = ""
    shared: bool = False
    pinned: bool = False
    default: bool = False


class _Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str | None = None
    query: str | None = None
    shared: bool | None = None
    pinned: bool | None = None
    default: bool | None = None

    @property
    def of_all(self) -> bool:
        """Whether it changes the view for others too."""
        return (self.name, self.query, self.shared) != (None, None, None)

    @property
    def of_one(self) -> bool:
        """Whether it changes what the person has made of it."""
        return (self.pinned, self.default) != (None, None)


def shape(view: SavedView) -> dict[str, Any]:
    """A view as the browser and scripts get it."""
    return {
        "id": view.id,
        "name": view.name,
        "owner": view.owner,
        "shared": view.shared,
        "query": view.query,
        "pinned": view.pinned,
        "default": view.default,
        "createdAt": view.created_at,
        "updatedAt": view.updated_at,
    }


def _body(kind: Any) -> Any:
    try:
        given = msgspec.json.decode(flask.request.get_data(), type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ApiError(400, f"The body is not what was expected: {error}", [(str(error), "body")]) from error
    if given.query is not None:
        parse_query_string(given.query)  # a filter that is none is refused here, naming it
    return given


def _demand(verb: Verb) -> None:
    if not may_somewhere(current_user, verb):
        raise ApiError(403, str(refusal(current_user, verb)))


def _kept(work: Any) -> SavedView:
    try:
        return work()
    except ViewNotFound as error:
        raise ApiError(404, str(error)) from error
    except ViewError as error:
        raise ApiError(422, str(error), [(str(error), "name")]) from error


def find(api: Api) -> flask.Response:
    """The person's views and the shared ones."""
    person = api.actor  # of this request: the query runs in another thread
    return answer([shape(view) for view in api.read(lambda: api.store.views(person))])


def read(api: Api, viewId: str) -> flask.Response:
    """One view."""
    return answer(shape(_kept(lambda: api.store.view(api.actor, viewId))))


def create(api: Api) -> flask.Response:
    """Save a view."""
    given: _New = _body(_New)
    _demand(Verb.SHARE_VIEWS if given.shared else Verb.VIEWS)
    most = api.settings.views_max
    made = _kept(lambda: api.store.save_view(api.actor, given.name, given.query, shared=given.shared, most=most))
    if given.pinned or given.default:
        made = api.store.mark_view(api.actor, made.id, pinned=given.pinned, default=given.default)
    api.store.audit(api.actor, "view-save", made.id, after=_audited(made), origin="api")
    return answer(shape(made), 201)


def change(api: Api, viewId: str) -> flask.Response:
    """Change what is given; pins and the default are the person's own."""
    given: _Changes = _body(_Changes)
    view = _kept(lambda: api.store.view(api.actor, viewId))
    if given.of_all:
        _may_change(view, shared=bool(given.shared))
        values = {"name": given.name, "query": given.query, "shared": given.shared}
        changed = _kept(lambda: api.store.change_view(api.actor, viewId, **values))
        api.store.audit(api.actor, "view-change", viewId, before=_audited(view), after=_audited(changed), origin="api")
        view = changed
    if given.of_one:
        view = _kept(lambda: api.store.mark_view(api.actor, viewId, pinned=given.pinned, default=given.default))
    return answer(shape(view))


def remove(api: Api, viewId: str) -> flask.Response:
    """Delete a view."""
    view = _kept(lambda: api.store.view(api.actor, viewId))
    _may_change(view)
    api.store.drop_view(api.actor, viewId)
    api.store.audit(api.actor, "view-delete", viewId, before=_audited(view), origin="api")
    return flask.Response(status=204)


def _may_change(view: SavedView, *, shared: bool = False) -> None:
    """The owner may; an admin may change what is shared. Sharing needs its own right."""
    _demand(Verb.SHARE_VIEWS if shared or view.shared else Verb.VIEWS)
    if view.owner != current_user.name and role_in(current_user) < Role.ADMIN:
        raise ApiError(403, f"The view {view.name!r} is {view.owner}'s: its owner or an admin may change it.")


def _audited(view: SavedView) -> dict[str, Any]:
    return {"name": view.name, "owner": view.owner, "shared": view.shared, "query": view.query}


_BODY = Parameter("body", "application/json", "name, query, shared, pinned, default.", required=True, where="body")

ENDPOINTS = (
    Endpoint(
        "GET", "/views", find, "One's saved views and the shared ones.", "[View]", ours=True, verb=Verb.VIEWS,
        narrows=True,
    ),
    Endpoint("POST", "/views", create, "Save a view.", "View", (_BODY,), ours=True, verb=Verb.VIEWS, narrows=True,
             good=(201,)),
    Endpoint("GET", "/views/{viewId}", read, "One saved view.", "View", ours=True, verb=Verb.VIEWS, narrows=True),
    Endpoint(
        "PUT", "/views/{viewId}", change, "Change a saved view, pin it, open the list with it.", "View", (_BODY,),
        ours=True, verb=Verb.VIEWS, narrows=True,
    ),
    Endpoint(
        "DELETE", "/views/{viewId}", remove, "Delete a saved view.", "204", ours=True, verb=Verb.VIEWS, narrows=True
    ),
)  # fmt: skip
