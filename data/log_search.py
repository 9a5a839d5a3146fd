"""Log lines over all executions: the newest that match, a page at a time.

One search looks at ``SCAN_MAX`` lines at the most, from the newest (or from its cursor) backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from data.database import Database
from data.log_append import RANK
from data.log_select import contains, entry_of
from data.operators import OPERATORS, Op
from data.tables import log_line, log_run, log_source
from data.times import to_us
from streaming.messages import LEVELS, Level, LogEntry

SCAN_MAX = 500_000
COUNT_MAX = 10_000
_FEW = 200  # attempts that are rather looked up one by one
WHERE = {
    "namespace": log_source.c.namespace,
    "flowId": log_source.c.flow_id,
    "taskId": log_source.c.task_id,
    "taskRunId": log_source.c.task_run_id,
    "attempt": log_source.c.attempt,
    "executionId": log_run.c.execution_id,
}


class Where(NamedTuple):
    """A condition on the attempt that said a line: ``field`` is one of ``WHERE``."""

    field: str
    op: Op
    values: tuple[Any, ...]


class LogSearchQuery(msgspec.Struct, frozen=True):
    """Which lines: those for which all of ``where`` holds. ``before`` is the ``seq`` a page begins under.

    ``within``: only these namespaces and those under them.
    """

    min_level: Level = LEVELS[0]
    max_level: Level = LEVELS[-1]
    where: tuple[Where, ...] = ()
    q: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    oldest_first: bool = False
    within: tuple[str, ...] | None = None


class LogPage(NamedTuple):
    """``total`` is how many match among the lines looked at, counted up to ``COUNT_MAX``."""

    total: int
    entries: list[LogEntry]


class LogSearch(Database):
    """Searching logs of many executions."""

    def search_logs(self, query: LogSearchQuery, offset: int = 0, limit: int = 25) -> LogPage:
        """``limit`` of the lines that match, after the first ``offset`` of them."""
        with self._read_logs() as connection:
            clauses = _clauses(connection, query)
            if clauses is None:
                return LogPage(0, [])
            order = log_line.c.seq.asc() if query.oldest_first else log_line.c.seq.desc()
            counted = sa.select(log_line.c.seq).where(*clauses).limit(COUNT_MAX).subquery()
            total = connection.scalar(sa.select(sa.func.count()).select_from(counted)) or 0
            found = connection.execute(sa.select(log_line).where(*clauses).order_by(order).offset(offset).limit(limit))
            return LogPage(total, _entries(connection, found.all()))


def _clauses(connection: sa.Connection, query: LogSearchQuery) -> list[sa.ColumnElement[bool]] | None:
    """Conditions on ``log_line``; ``None`` when nothing can match."""
    newest = connection.scalar(sa.select(sa.func.max(log_line.c.seq))) or 0
    top = min(newest + 1, query.before or newest + 1)
    c = log_line.c
    clauses = [c.seq < top]
    sources = _sources(connection, query)
    if sources is not None:
        if not sources:
            return None
        clauses.append(c.source.in_(sources) if len(sources) <= _FEW else _unindexed(c.source).in_(sources))
    if sources is None or len(sources) > _FEW:
        clauses.append(c.seq >= top - SCAN_MAX)
    if query.min_level != LEVELS[0]:
        clauses.append(_unindexed(c.level) >= RANK[query.min_level])
    if query.max_level != LEVELS[-1]:
        clauses.append(_unindexed(c.level) <= RANK[query.max_level])
    if query.since:
        clauses.append(c.date >= to_us(query.since))
    if query.until:
        clauses.append(c.date <= to_us(query.until))
    return [*clauses, *contains(connection, query.q)]


def _unindexed(column: Any) -> Any:
    """The column, so written that no index on it is taken: the order of ``seq`` is wanted."""
    return column + 0


def _sources(connection: sa.Connection, query: LogSearchQuery) -> Sequence[int] | None:
    """Keys of the attempts that match; ``None``: all."""
    c = log_source.c
    wanted = [_clause(one) for one in query.where]
    if query.within is not None:
        wanted.append(sa.or_(sa.false(), *map(_under, query.within)))
    if not wanted:
        return None
    return connection.scalars(sa.select(c.key).where(*wanted).order_by(c.key.desc()).limit(20_000)).all()


def _clause(one: Where) -> sa.ColumnElement[bool]:
    clause = OPERATORS[one.op].clause(WHERE[one.field], one.values)
    if one.field != "executionId":
        return clause
    return log_source.c.run.in_(sa.select(log_run.c.key).where(clause))


def _under(namespace: str) -> sa.ColumnElement[bool]:
    """Of a namespace or one under it."""
    column = log_source.c.namespace
    return sa.or_(column == namespace, column.startswith(f"{namespace}.", autoescape=True))


def _entries(connection: sa.Connection, rows: Sequence[Any]) -> list[LogEntry]:
    keys = {row.source for row in rows}
    joined = sa.select(log_source, log_run.c.execution_id).join(log_run, log_run.c.key == log_source.c.run)
    sources = {row.key: row for row in connection.execute(joined.where(log_source.c.key.in_(list(keys))))}
    return [entry_of(sources[row.source].execution_id, row, sources[row.source]) for row in rows]
