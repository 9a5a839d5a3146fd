"""Saved views of the executions: filters, sort and columns under a name, of one person or shared with all."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from data.database import Database
from data.errors import DataError
from data.times import from_us, now_us
from data.upserts import upsert
from data.view_tables import saved_view, saved_view_mark

NAME_MAX = 100
QUERY_MAX = 8_000


class SavedView(msgspec.Struct, frozen=True):
    """A view as one person sees it. ``query`` is the address' query string without the question mark.

    ``pinned``: it stands in that person's rail; ``default``: an address that says nothing means it.
    """

    id: str
    name: str
    owner: str
    shared: bool
    query: str
    created_at: datetime
    updated_at: datetime
    pinned: bool = False
    default: bool = False


class ViewError(DataError):
    """A view that can't be kept so."""


class ViewNotFound(ViewError):
    """There is no such view for that person."""

    def __init__(self, view_id: str) -> None:
        super().__init__(f"There is no view {view_id!r}, or it is not shared with you.")


class Views(Database):
    """Everybody sees their own views and the shared ones. Who may share or change others' is asked elsewhere."""

    def views(self, person: str) -> list[SavedView]:
        """What a person sees, by name."""
        seen = sa.or_(saved_view.c.owner == person, saved_view.c.shared == 1)
        with self._read() as connection:
            rows = connection.execute(_seen_by(person).where(seen).order_by(saved_view.c.name, saved_view.c.id))
            return [_view(row) for row in rows]

    def view(self, person: str, view_id: str) -> SavedView:
        """One that a person sees. Raises ``ViewNotFound``."""
        with self._read() as connection:
            return _one(connection, person, view_id)

    def save_view(self, person: str, name: str, query: str, *, shared: bool = False, most: int = 200) -> SavedView:
        """Make a view. Raises ``ViewError`` when it can't be kept so, or the person has ``most`` already."""
        view_id, now = secrets.token_urlsafe(9), now_us()
        name, query = _name(name), _query(query)
        row = {"id": view_id, "name": name, "owner": person, "shared": int(shared), "query": query}
        with self._write() as connection:
            if _count(connection, person) >= most:
                raise ViewError(f"{person!r} has {most:,} views, no more are allowed (WATCHFLOOR_VIEWS_MAX).")
            _free(connection, person, name, view_id)
            connection.execute(sa.insert(saved_view), row | {"created_at": now, "updated_at": now})
            return _one(connection, person, view_id)

    def change_view(
        self,
        person: str,
        view_id: str,
        *,
        name: str | None = None,
        query: str | None = None,
        shared: bool | None = None,
    ) -> SavedView:
        """Change what is given. ``person`` is who sees it; raises ``ViewNotFound`` and ``ViewError``."""
        with self._write() as connection:
            old = _one(connection, person, view_id)
            changes: dict[str, Any] = {"updated_at": now_us()}
            if name is not None:
                changes["name"] = _name(name)
                _free(connection, old.owner, changes["name"], view_id)
            if query is not None:
                changes["query"] = _query(query)
            if shared is not None:
                changes["shared"] = int(shared)
            connection.execute(sa.update(saved_view).where(saved_view.c.id == view_id).values(changes))
            if shared is False:
                others = saved_view_mark.c.person != old.owner
                connection.execute(sa.delete(saved_view_mark).where(saved_view_mark.c.view == view_id, others))
            return _one(connection, old.owner if shared is False else person, view_id)

    def mark_view(self, person: str, view_id: str, *, pinned: bool | None, default: bool | None) -> SavedView:
        """Pin a view into a person's rail, or make it what the list opens with; of the latter there is one."""
        with self._write() as connection:
            old = _one(connection, person, view_id)
            row = {
                "person": person,
                "view": view_id,
                "pinned": int(old.pinned if pinned is None else pinned),
                "first": int(old.default if default is None else default),
            }
            if default:
                mine = saved_view_mark.c.person == person
                connection.execute(sa.update(saved_view_mark).where(mine).values(first=0))
            connection.execute(upsert(self.dialect, saved_view_mark), row)
            return _one(connection, person, view_id)

    def drop_view(self, person: str, view_id: str) -> None:
        """Delete a view that a person sees. Raises ``ViewNotFound``."""
        with self._write() as connection:
            _one(connection, person, view_id)
            connection.execute(sa.delete(saved_view_mark).where(saved_view_mark.c.view == view_id))
            connection.execute(sa.delete(saved_view).where(saved_view.c.id == view_id))


def _seen_by(person: str) -> sa.Select[Any]:
    mark = saved_view_mark
    marked = sa.and_(mark.c.view == saved_view.c.id, mark.c.person == person)
    return sa.select(saved_view, mark.c.pinned, mark.c.first).outerjoin_from(saved_view, mark, marked)


def _one(connection: sa.Connection, person: str, view_id: str) -> SavedView:
    row = connection.execute(_seen_by(person).where(saved_view.c.id == view_id)).first()
    if row is None or not (row.shared or row.owner == person):
        raise ViewNotFound(view_id)
    return _view(row)


def _view(row: Any) -> SavedView:
    return SavedView(
        id=row.id,
        name=row.name,
        owner=row.owner,
        shared=bool(row.shared),
        query=row.query,
        created_at=from_us(row.created_at),
        updated_at=from_us(row.updated_at),
        pinned=bool(row.pinned),
        default=bool(row.first),
    )


def _count(connection: sa.Connection, person: str) -> int:
    own = sa.select(sa.func.count()).select_from(saved_view).where(saved_view.c.owner == person)
    return int(connection.scalar(own) or 0)


def _free(connection: sa.Connection, owner: str, name: str, view_id: str) -> None:
    taken = sa.select(saved_view.c.id).where(saved_view.c.owner == owner, saved_view.c.name == name)
    found = connection.scalar(taken)
    if found is not None and found != view_id:
        raise ViewError(f"There is a view named {name!r} already; choose another name, or save that one.")


def _name(given: str) -> str:
    name = " ".join(given.split())
    if not 0 < len(name) <= NAME_MAX or "\x00" in name:
        raise ViewError(f"expected a name of 1 to {NAME_MAX} letters, got {len(name)}")
    return name


def _query(given: str) -> str:
    if len(given) > QUERY_MAX or "\x00" in given:
        raise ViewError(f"expected a query string of at most {QUERY_MAX:,} letters, got {len(given):,}")
    return given.removeprefix("?")
