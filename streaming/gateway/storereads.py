"""``Reads`` over the real store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from data import Store
from data.errors import StoreUnavailable
from data.filters import parse
from data.matching import matches
from data.namespaces import in_namespaces
from data.operation_records import Operation
from data.records import ExecutionQuery, LogQuery
from engine.model import Execution
from streaming.gateway.reads import Matcher, OperationPage, Page, Tail, Unavailable
from streaming.gateway.topics import ExecutionsTopic, LogsTopic
from streaming.messages import ExecutionRow, LogEntry
from streaming.operations.asked import shown

F = TypeVar("F", bound=Callable[..., Any])


def _told(work: F) -> F:
    @wraps(work)
    def tell(*args: Any, **kwargs: Any) -> Any:
        try:
            return work(*args, **kwargs)
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from error

    return tell  # type: ignore[return-value]


def _filters(text: str) -> Any:
    return parse(parse_qsl(text.removeprefix("?"), keep_blank_values=True))


class StoreReads:
    """What the gateway reads from a ``Store``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def matcher(self, filters: str, within: tuple[str, ...] | None = None) -> Matcher:
        parsed = in_namespaces(_filters(filters), within)
        return lambda row, now: matches(parsed, row, now)

    @_told
    def page(self, topic: ExecutionsTopic, rows: int) -> Page:
        found = self._store.search(
            ExecutionQuery(
                filters=in_namespaces(_filters(topic.filters), topic.within),
                sort=topic.sort,
                page=topic.page,
                size=topic.size,
            ),
            rows,
        )
        return Page(tuple(found.rows), found.total, dict(found.counts), found.positions)

    @_told
    def execution(self, execution_id: str) -> Execution | None:
        return self._store.execution(execution_id)

    @_told
    def rows(self, ids: Sequence[str]) -> dict[str, ExecutionRow]:
        return self._store.rows(list(ids))

    @_told
    def operation(self, operation_id: str) -> Operation | None:
        found = self._store.operation(operation_id)
        return None if found is None else shown(found)

    @_told
    def operations(self, page: int, size: int, actor: str | None = None) -> OperationPage:
        total, found = self._store.operations(page, size, actor)
        return OperationPage(tuple(map(shown, found)), total)

    @_told
    def tail(self, topic: LogsTopic) -> Tail:
        total, last_seq = self._store.log_tail(_log_query(topic))
        return Tail(total, last_seq)

    @_told
    def lines_after(self, topic: LogsTopic, seq: int, limit: int) -> list[LogEntry]:
        return self._store.logs_after(_log_query(topic), seq, limit)

    @_told
    def ping(self) -> None:
        self._store.ping()


def _log_query(topic: LogsTopic) -> LogQuery:
    return LogQuery(topic.execution_id, topic.min_level, topic.task_id, topic.task_run_id, topic.attempt)
