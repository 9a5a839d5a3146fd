"""Log lines: appended once, found again by place, text and cursor."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import Store
from data.log_append import RANK
from data.log_search import LogSearchQuery
from data.records import LogQuery
from streaming import keys
from streaming.messages import LEVELS, LogBatch, LogEntry, LogLine

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("start", "Rows read", "50%_done", "retry", "résumé")


def batch(lines: list[LogLine], run: str | None = "tr-a", task: str | None = "a", attempt: int = 1) -> LogBatch:
    return LogBatch("e1", "company.team", "hello", task, run, attempt, tuple(lines))


def line(number: int, message: str = "hello", level: str = "INFO") -> LogLine:
    return LogLine(number, NOW + timedelta(milliseconds=number), level, message)  # type: ignore[arg-type]


def test_lines_get_rising_numbers_and_come_back(store: Store) -> None:
    first = store.append_logs("1-1", [batch([line(1), line(2, "näxt", "ERROR")]), batch([line(1)], None, None)])
    assert [entry.seq for entry in first] == [1, 2, 3]
    assert first[1] == LogEntry(2, "e1", "company.team", "hello", "a", "tr-a", 1, 2, line(2).date, "ERROR", "näxt")
    assert first[2].task_run_id is None
    assert store.log_window(LogQuery("e1")) == (3, first)
    assert store.last_log_seq() == 3
    assert store.position(keys.LOGS) == "1-1"


def test_a_line_that_is_there_already_is_dropped(store: Store) -> None:
    store.append_logs("1-1", [batch([line(1), line(2)])])
    again = store.append_logs("1-2", [batch([line(2), line(3)]), batch([line(3)]), batch([line(1)], attempt=2)])
    assert [(e.attempt, e.number) for e in again] == [(1, 3), (2, 1)]
    assert store.log_window(LogQuery("e1")).total == 4
    assert store.append_logs("1-3", []) == []
    assert store.position(keys.LOGS) == "1-3"


def test_what_is_not_there_is_empty(store: Store) -> None:
    query = LogQuery("nobody", min_level="WARN", q="x")
    assert store.log_window(query) == (0, [])
    assert store.log_tail(LogQuery("nobody")) == (0, 0)
    assert store.log_hits(LogQuery("nobody"), "x") == (0, [])
    assert store.logs_after("nobody", 0) == []
    assert list(store.iter_logs(LogQuery("nobody", order="task"))) == []


def test_attempts_stay_together_in_order_of_tasks(store: Store) -> None:
    store.append_logs("1-1", [batch([line(1, "a1")])])
    store.append_logs("1-2", [batch([line(1, "b1")], "tr-b", "b"), batch([line(2, "a2")])])
    store.append_logs("1-3", [batch([line(1, "again")], attempt=2), batch([line(2, "b2")], "tr-b", "b")])
    messages = [e.message for e in store.log_window(LogQuery("e1", order="task")).entries]
    assert messages == ["a1", "a2", "again", "b1", "b2"]


def test_new_lines_are_found_by_a_search_that_ran_before(store: Store) -> None:
    store.append_logs("1-1", [batch([line(1, "one Fish"), line(2, "two")])])
    query = LogQuery("e1", q="fish")
    assert store.log_window(query).total == 1
    store.append_logs("1-2", [batch([line(3, "red fish")])])
    assert [e.number for e in store.log_window(query).entries] == [1, 3]


@pytest.mark.parametrize(
    ("text", "found"),
    [("ünit", [2]), ("Ünit", [1]), ("NIT", [1, 2]), ("100%", [3]), ("_d", [3]), ("é", [4]), ("Æ/ø", [4])],
)
def test_letters_outside_of_a_to_z_are_found_as_they_are_written(store: Store, text: str, found: list[int]) -> None:
    messages = ["Ünit One", "ünit two", "100%_done", "résumé Æ/ø"]
    store.append_logs("1-1", [batch([line(number, message) for number, message in enumerate(messages, 1)])])
    assert [e.number for e in store.log_window(LogQuery("e1", q=text)).entries] == found
    assert [e.number for e in store.search_logs(LogSearchQuery(q=text, oldest_first=True)).entries] == found


# -- against a plain list

Filled = tuple[Store, list[LogEntry]]


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> Iterator[Filled]:
    """3,500 lines of one execution: tasks that take turns, retries, one chatty task; and lines of another one."""
    store = Store(module_database_url)
    chance = random.Random(3)
    numbers: dict[tuple[str, int], int] = {}
    entries: list[LogEntry] = []
    while len(entries) < 3_500:
        sources = [("a", 1)] * 5 + [("b", 1 + len(entries) // 1_200), (f"c{len(entries) // 500}", 1), ("", 1)]
        task, attempt = chance.choice(sources)
        first = numbers.get((task, attempt), 0) + 1
        count = chance.choice([1, 3, 60])
        numbers[task, attempt] = first + count - 1
        lines = [line(n, f"{chance.choice(WORDS)} {n}", chance.choice(LEVELS)) for n in range(first, first + count)]
        other = LogBatch("e2", "n", "f", "a", "tr-a", 1, (line(first),))
        given = LogBatch("e1", "n", "f", task[:1] or None, f"tr-{task}" if task else None, attempt, tuple(lines))
        entries += [e for e in store.append_logs("1-1", [given, other]) if e.execution_id == "e1"]
    yield store, entries
    store.close()


def expected(entries: list[LogEntry], query: LogQuery) -> list[LogEntry]:
    found = [
        e
        for e in entries
        if RANK[e.level] >= RANK[query.min_level]
        and query.task_id in (None, e.task_id)
        and query.task_run_id in (None, e.task_run_id)
        and query.attempt in (None, e.attempt)
        and (query.q is None or query.q.lower() in e.message.lower())
    ]
    if query.order == "time":
        return found
    first: dict[str | None, int] = {}
    for e in entries:
        first.setdefault(e.task_run_id, e.seq)
    return sorted(found, key=lambda e: (first[e.task_run_id], e.seq))


queries = st.builds(
    LogQuery,
    st.just("e1"),
    st.sampled_from(LEVELS),
    st.sampled_from([None, None, "a", "b", "c", "nothing"]),
    st.sampled_from([None, None, "tr-a", "tr-b", "tr-c3"]),
    st.sampled_from([None, None, 1, 2]),
    st.sampled_from([None, None, "ROWS", "50%_d", "résumé", "9"]),
    st.sampled_from(["time", "task"]),
)


@settings(max_examples=150, deadline=None)
@given(queries, st.integers(0, 3_600), st.integers(0, 600))
def test_a_window_is_a_slice_of_all_that_match(filled: Filled, query: LogQuery, offset: int, limit: int) -> None:
    store, entries = filled
    want = expected(entries, query)
    total, found = store.log_window(query, offset, limit)
    assert total == len(want)
    assert [e.seq for e in found] == [e.seq for e in want[offset : offset + limit]]


@settings(max_examples=50, deadline=None)
@given(queries)
def test_a_download_and_the_tail_agree_with_the_windows(filled: Filled, query: LogQuery) -> None:
    store, entries = filled
    want = expected(entries, query)
    assert [e.seq for e in store.iter_logs(query)] == [e.seq for e in want]
    assert store.log_tail(query) == (len(want), max((e.seq for e in want), default=0))


@settings(max_examples=50, deadline=None)
@given(queries, st.integers(0, 9_000), st.integers(1, 50))
def test_lines_after_a_cursor(filled: Filled, query: LogQuery, seq: int, limit: int) -> None:
    store, entries = filled
    want = [e for e in sorted(expected(entries, query), key=lambda e: e.seq) if e.seq > seq]
    assert store.logs_after(query, seq, limit) == want[:limit]


@settings(max_examples=50, deadline=None)
@given(queries, st.sampled_from(["rows", "9", "résumé", "nowhere"]))
def test_hits_are_places_in_the_window(filled: Filled, query: LogQuery, needle: str) -> None:
    store, entries = filled
    want = [n for n, e in enumerate(expected(entries, query)) if needle in e.message.lower()]
    hits = store.log_hits(query, needle, limit=40)
    assert hits == (len(want), want[:40])
