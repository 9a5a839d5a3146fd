"""The store's kept counts against a count of the executions, one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from data import tables
from data.counters import NO_TASK, WIDTH, Grain
from data.times import DAY

_KEYS: dict[sa.Table, tuple[str, ...]] = {
    tables.flow_count: ("grain", "bucket", "namespace", "flow_id", "kind", "child", "state"),
    tables.text_count: ("text_key", "day", "state"),
    tables.task_count: ("namespace", "flow_id", "task_id", "state"),
    tables.label_count: ("key", "value", "state"),
}
_ENDS = {Grain.END_DAY, Grain.END_HOUR}
_LABELED = sa.select(tables.execution_label.c.key, tables.execution_label.c.value, tables.execution.c.state).join_from(
    tables.execution, tables.execution_label, tables.execution_label.c.seq == tables.execution.c.seq
)


def miscounted(database_url: str) -> list[str]:
    """In words, which kept counts are not what there is."""
    engine = sa.create_engine(database_url)
    try:
        with engine.connect() as connection:
            counted = _counted(connection.execute(sa.select(tables.execution)).all())
            counted[tables.label_count] = Counter(tuple(row) for row in connection.execute(_LABELED))
            return [words for table in _KEYS for words in _differ(connection, table, counted[table])]
    finally:
        engine.dispose()


def _counted(rows: Iterable[Any]) -> dict[sa.Table, Counter[tuple[Any, ...]]]:
    found: dict[sa.Table, Counter[tuple[Any, ...]]] = {table: Counter() for table in _KEYS}
    for row in rows:
        for grain, bucket in _buckets(row):
            found[tables.flow_count][grain, bucket, row.namespace, row.flow_id, row.kind, row.child, row.state] += 1
        found[tables.text_count][row.text_key, row.start_at // DAY * DAY, row.state] += 1
        found[tables.task_count][row.namespace, row.flow_id, row.last_task or NO_TASK, row.state] += 1
    return found


def _buckets(row: Any) -> Iterator[tuple[int, int]]:
    yield int(Grain.ALL), 0
    for grain, width in WIDTH.items():
        at = row.end_at if grain in _ENDS else row.start_at
        if at is not None:
            yield int(grain), at // width * width


def _differ(connection: sa.Connection, table: sa.Table, counted: Counter[tuple[Any, ...]]) -> Iterator[str]:
    query = sa.select(*(table.c[key] for key in (*_KEYS[table], "n"))).where(table.c.n != 0)
    kept = {tuple(key): n for *key, n in connection.execute(query)}
    for key in sorted(kept.keys() | counted.keys(), key=repr):
        if kept.get(key, 0) != counted[key]:
            yield f"{table.name} of {key} is {kept.get(key, 0)}, there are {counted[key]}"
