"""The kept counts: what one commit adds to and takes from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any

import sqlalchemy as sa

from data import tables
from data.texts import label_pairs
from data.times import DAY, HOUR, to_us
from data.upserts import add_to, run_many
from streaming.messages import ExecutionRow


class Grain(IntEnum):
    """What a bucket of ``flow_count`` is: everything, or a day or hour of the start or the end."""

    ALL = 0
    DAY = 1
    HOUR = 2
    END_DAY = 3
    END_HOUR = 4


WIDTH = {Grain.DAY: DAY, Grain.HOUR: HOUR, Grain.END_DAY: DAY, Grain.END_HOUR: HOUR}
_BY_START = (Grain.DAY, Grain.HOUR)
_BY_END = (Grain.END_DAY, Grain.END_HOUR)
NO_TASK = ""  # where those are counted that have had no task yet
_TEXT = ("text_key", "day", "state")
_TASK = ("namespace", "flow_id", "task_id", "state")
_FLOW = ("grain", "bucket", "namespace", "flow_id", "kind", "child", "state")


def _counts_as(before: ExecutionRow, after: ExecutionRow) -> bool:
    """Whether two rows of one signature are counted alike."""
    return (
        before.state is after.state
        and before.last_task == after.last_task
        and before.end_date == after.end_date
        and before.start_date == after.start_date
        and before.labels == after.labels
    )


def _flow_key(row: ExecutionRow) -> tuple[Any, ...]:
    end = -1 if row.end_date is None else to_us(row.end_date) // HOUR
    rest = (row.namespace, row.flow_id, row.kind.value, int(row.triggered_by is not None), row.state.value)
    return (to_us(row.start_date) // HOUR, end, *rest)


def _buckets(start: int, end: int) -> Iterator[tuple[int, int]]:
    """(grain, bucket) that an execution with these hours of start and end (-1: none) is counted in."""
    yield int(Grain.ALL), 0
    for hour, grains in ((start, _BY_START), (end, _BY_END)):
        if hour >= 0:
            for grain in grains:
                yield int(grain), hour * HOUR // WIDTH[grain] * WIDTH[grain]


class Tally:
    """Differences to the kept counts, summed up over a batch."""

    def __init__(self) -> None:
        self._flows: Counter[tuple[object, ...]] = Counter()
        self._labels: Counter[tuple[object, ...]] = Counter()
        self._texts: Counter[tuple[object, ...]] = Counter()
        self._tasks: Counter[tuple[object, ...]] = Counter()

    def move(self, before: ExecutionRow | None, after: ExecutionRow, before_text: int, after_text: int) -> None:
        """An execution went from ``before`` (``None``: it is new) to ``after``."""
        if before is not None and before_text == after_text and _counts_as(before, after):
            return
        if before is not None:
            self._add(before, before_text, -1)
        self._add(after, after_text, 1)

    def leave(self, row: ExecutionRow, text: int) -> None:
        """An execution is no more."""
        self._add(row, text, -1)

    def _add(self, row: ExecutionRow, text: int, n: int) -> None:
        key = _flow_key(row)
        state = row.state.value
        self._flows[key] += n
        for label in label_pairs(row.labels):
            self._labels[(*label, state)] += n
        self._texts[(text, key[0] * HOUR // DAY * DAY, state)] += n
        self._tasks[(row.namespace, row.flow_id, row.last_task or NO_TASK, state)] += n

    def _by_bucket(self) -> Counter[tuple[object, ...]]:
        counter: Counter[tuple[object, ...]] = Counter()
        for (start, end, *rest), n in self._flows.items():
            for grain, bucket in _buckets(start, end):
                counter[(grain, bucket, *rest)] += n
        return counter

    def write(self, connection: sa.Connection) -> None:
        """Add the differences to the tables. Rows in key order, so that two writers can't lock each other out."""
        dialect = connection.dialect.name
        for table, columns, counter in (
            (tables.flow_count, _FLOW, self._by_bucket()),
            (tables.label_count, ("key", "value", "state"), self._labels),
            (tables.text_count, _TEXT, self._texts),
            (tables.task_count, _TASK, self._tasks),
        ):
            run_many(connection, add_to(dialect, table), _changed(columns, counter))


def zero_keys(gone: Iterable[tuple[ExecutionRow, int]]) -> dict[sa.Table, list[dict[str, object]]]:
    """Where executions that are no more (row, key of its text) were counted: what may be at zero now, in key order."""
    flows: set[tuple[object, ...]] = set()
    labels: set[tuple[object, ...]] = set()
    texts: set[tuple[object, ...]] = set()
    tasks: set[tuple[object, ...]] = set()
    for row, text in gone:
        start, end, namespace, flow_id, *_ = _flow_key(row)
        flows.update((*bucket, namespace, flow_id) for bucket in _buckets(start, end))
        tasks.add((namespace, flow_id))
        labels.update(label_pairs(row.labels))
        texts.add((text,))
    found = (
        (tables.flow_count, _FLOW, flows),
        (tables.label_count, ("key", "value"), labels),
        (tables.text_count, ("text_key",), texts),
        (tables.task_count, _TASK[:2], tasks),
    )
    return {table: [dict(zip(columns, key, strict=False)) for key in sorted(keys)] for table, columns, keys in found}


def _changed(columns: Iterable[str], counter: Counter[tuple[object, ...]]) -> list[dict[str, object]]:
    return [dict(zip((*columns, "n"), (*key, n), strict=True)) for key, n in sorted(counter.items()) if n]
