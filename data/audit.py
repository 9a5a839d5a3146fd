"""The audit: who did what to what. Rows are only ever added; the database refuses anything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from data.blobs import from_json, json_text
from data.database import Database
from data.operators import position_of
from data.records import Audited, AuditRow
from data.tables import audit
from data.times import from_us, now_us, to_us
from data.upserts import insert, run_many

ADDRESS: ContextVar[str | None] = ContextVar("audit_address", default=None)
"""From where the request came that is being answered; goes into each row."""
TOKEN: ContextVar[str | None] = ContextVar("audit_token", default=None)
"""The API token that asks in the actor's name; likewise."""
_STEP = 1_000


class By(msgspec.Struct, frozen=True):
    """In whose name something is done, from where (``ui``, ``api``, ``cli``, ``trigger``), and why."""

    actor: str
    origin: str = "ui"
    reason: str | None = None


class AuditQuery(msgspec.Struct, frozen=True):
    """Which rows. ``actor`` and ``action`` are whole, ``target`` begins so; ``text`` is anywhere, letter case aside.

    ``since`` and ``until`` are half-open; ``before`` is the ``seq`` that a page begins under.
    """

    actor: str | None = None
    action: str | None = None
    target: str | None = None
    origin: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


def add(connection: sa.Connection, by: By, action: str, target: str, before: Any = None, after: Any = None) -> int:
    """Add a row in a transaction that does what it tells of; its number."""
    row = _values(Audited(by.actor, action, target, by.origin, by.reason, before, after), now_us())
    return connection.execute(sa.insert(audit), row).inserted_primary_key[0]


def add_all(connection: sa.Connection, rows: Sequence[Audited]) -> None:
    """Add rows in a transaction that does what they tell of, at the driver's speed."""
    at = now_us()
    run_many(connection, insert(audit), [_values(one, at) for one in rows])


def _values(one: Audited, at: int) -> dict[str, Any]:
    return {
        "at": at,
        "actor": one.actor,
        "action": one.action,
        "target": one.target,
        "reason": one.reason,
        "before": None if one.before is None else json_text(one.before),
        "after": None if one.after is None else json_text(one.after),
        "origin": one.origin,
        "address": ADDRESS.get(),
        "token": TOKEN.get(),
    }


class Audit(Database):
    """There is no method that changes or removes a row."""

    def audit(
        self,
        actor: str,
        action: str,
        target: str,
        reason: str | None = None,
        before: Any = None,
        after: Any = None,
        origin: str = "ui",
    ) -> int:
        """Add a row; its number. ``before`` and ``after`` are anything JSON can hold."""
        with self._write() as connection:
            return add(connection, By(actor, origin, reason), action, target, before, after)

    def audits(
        self, target: str | None = None, *, query: AuditQuery | None = None, limit: int = 100,
        before_seq: int | None = None,
    ) -> list[AuditRow]:  # fmt: skip
        """The newest rows first, of one target when it is given, older than ``before_seq`` when that is given."""
        clauses = _clauses(query or AuditQuery())
        if target is not None:
            clauses.append(audit.c.target == target)
        if before_seq is not None:
            clauses.append(audit.c.seq < before_seq)
        with self._read() as connection:
            found = connection.execute(sa.select(audit).where(*clauses).order_by(audit.c.seq.desc()).limit(limit))
            return [_row(row) for row in found]

    def audit_total(self, query: AuditQuery, most: int) -> int:
        """How many rows match, counted up to ``most``."""
        some = sa.select(audit.c.seq).where(*_clauses(query)).limit(most).subquery()
        with self._read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0

    def audit_choices(self) -> dict[str, list[str]]:
        """All actors and all actions there are."""
        with self._read() as connection:
            return {column.name: list(_values_of(connection, column)) for column in (audit.c.actor, audit.c.action)}

    def iter_audits(self, query: AuditQuery) -> Iterator[list[AuditRow]]:
        """All rows that match, the newest first, a thousand at a time: each step is a transaction of its own."""
        before = query.before
        while rows := self.audits(query=query, limit=_STEP, before_seq=before):
            yield rows
            before = rows[-1].seq


def _values_of(connection: sa.Connection, column: sa.Column[str]) -> Iterator[str]:
    """Each value of an indexed column once, in order, by a look into the index for each: rows may be millions."""
    first = sa.select(sa.func.min(column))
    value = connection.scalar(first)
    while value is not None:
        yield value
        value = connection.scalar(first.where(column > value))


def _clauses(query: AuditQuery) -> list[sa.ColumnElement[bool]]:
    c = audit.c
    same = {c.actor: query.actor, c.action: query.action, c.origin: query.origin}
    clauses = [column == value for column, value in same.items() if value]
    if query.target:
        clauses.append(sa.and_(c.target >= query.target, c.target < query.target + "\U0010ffff"))
    if query.text:
        clauses.append(_contains(query.text))
    if query.since is not None:
        clauses.append(c.at >= to_us(query.since))
    if query.until is not None:
        clauses.append(c.at < to_us(query.until))
    if query.before is not None:
        clauses.append(c.seq < query.before)
    return clauses


def _contains(text: str) -> sa.ColumnElement[bool]:
    c = audit.c
    columns = (c.actor, c.action, c.target, c.reason, c.before, c.after, c.token)
    return sa.or_(*(position_of(sa.func.lower(sa.func.coalesce(one, "")), text.lower()) > 0 for one in columns))


def _row(row: Any) -> AuditRow:
    before, after = (None if text is None else from_json(text) for text in (row.before, row.after))
    at = from_us(row.at)
    where = row.address, row.token
    return AuditRow(row.seq, at, row.actor, row.action, row.target, row.origin, row.reason, before, after, *where)
