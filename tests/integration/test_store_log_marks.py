"""Groups of log lines, places of lines and levels: held against what ``log_window`` gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import Store
from data.log_append import RANK
from data.records import LogQuery
from streaming.messages import LEVELS, LogBatch, LogEntry, LogLine

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Iterator[Store]:
    """2,500 lines of one execution: tasks that take turns, a retry, lines of the execution itself."""
    store = Store(module_database_url)
    chance = random.Random(5)
    written = 0
    numbers: dict[tuple[str, int], int] = {}
    while written < 2_500:
        task, attempt = chance.choice(
            [("a", 1), ("a", 1), ("b", 1 + written // 1_300), (f"c{written // 700}", 1), ("", 1)]
        )
        first, count = numbers.get((task, attempt), 0) + 1, chance.choice([1, 4, 50])
        numbers[task, attempt] = first + count - 1
        lines = tuple(
            LogLine(n, NOW + timedelta(milliseconds=n), chance.choice(LEVELS), f"line {n}")
            for n in range(first, first + count)
        )
        run = f"tr-{task}" if task else None
        store.append_logs("1-1", [LogBatch("e1", "n", "f", task[:1] or None, run, attempt, lines)])
        written += count
    yield store
    store.close()


queries = st.builds(
    LogQuery,
    st.just("e1"),
    st.sampled_from(LEVELS),
    st.sampled_from([None, None, "a", "c", "nothing"]),
    st.sampled_from([None, None, "tr-a", "tr-b", "tr-c2"]),
    st.sampled_from([None, None, 1, 2]),
    st.none(),
    st.sampled_from(["time", "task"]),
)


def lines_of(store: Store, query: LogQuery) -> list[LogEntry]:
    return store.log_window(query, 0, 5_000).entries


@settings(max_examples=30, deadline=None)
@given(queries)
def test_groups_are_the_window_by_task_in_one_line_each(filled: Store, query: LogQuery) -> None:
    by_task = lines_of(filled, LogQuery(query.execution_id, query.min_level, query.task_id, query.task_run_id,
                                        query.attempt, None, "task"))  # fmt: skip
    want = []
    for run, some in groupby(by_task, key=lambda e: e.task_run_id):
        group = list(some)
        want.append((run, group[0].task_id, len(group), sum(e.level == "ERROR" for e in group)))
    found = filled.log_groups(query)
    assert [(g.task_run_id, g.task_id, g.total, g.errors) for g in found] == want


def test_a_group_knows_its_newest_line_of_any_level(filled: Store) -> None:
    newest: dict[str | None, int] = {}
    for entry in lines_of(filled, LogQuery("e1")):
        newest[entry.task_run_id] = entry.seq
    found = filled.log_groups(LogQuery("e1", min_level="ERROR"))
    assert {g.task_run_id: g.last_seq for g in found} == newest


@settings(max_examples=30, deadline=None)
@given(queries, st.integers(0, 2_499))
def test_a_line_stands_where_the_window_has_it(filled: Store, query: LogQuery, pick: int) -> None:
    seqs = [entry.seq for entry in lines_of(filled, query)]
    every = [entry.seq for entry in lines_of(filled, LogQuery("e1"))]
    seq = every[pick]
    want = seqs.index(seq) if seq in seqs else None
    assert filled.log_place(query, seq) == want


def test_a_line_that_never_was_has_no_place(filled: Store) -> None:
    assert filled.log_place(LogQuery("e1"), 1_000_000) is None
    assert filled.log_place(LogQuery("nobody"), 1) is None
    assert filled.log_groups(LogQuery("nobody")) == []


@settings(max_examples=30, deadline=None)
@given(queries, st.sampled_from(["WARN", "ERROR"]))
def test_level_hits_are_places_in_the_window(filled: Store, query: LogQuery, level: str) -> None:
    want = [n for n, e in enumerate(lines_of(filled, query)) if RANK[e.level] >= RANK[level]]
    found = filled.log_level_hits(query, level, limit=60)  # type: ignore[arg-type]
    assert found == (len(want), want[:60])
