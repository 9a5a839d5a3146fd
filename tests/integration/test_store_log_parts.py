"""A part of a log is removed: what is left is a log as any other."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data import Store
from data.records import LogQuery
from streaming.messages import LEVELS, LogBatch, LogEntry, LogLine

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fill(store: Store, execution_id: str, seed: int, count: int = 3_500) -> list[LogEntry]:
    """Lines of three tasks with two attempts each, mixed, over several thousands."""
    dice, numbers, batches = random.Random(seed), {}, []
    for _ in range(count):
        task, attempt = dice.choice("abc"), dice.choice((1, 2))
        numbers[task, attempt] = number = numbers.get((task, attempt), 0) + 1
        line = LogLine(
            number, NOW + timedelta(seconds=number), dice.choice(LEVELS), f"{task}{number} {dice.choice('xy')}"
        )
        batches.append(LogBatch(execution_id, "company.team", "hello", task, f"tr-{task}", attempt, (line,)))
    return store.append_logs(f"{seed}-1", batches)


@pytest.mark.parametrize(
    ("query", "goes"),
    [
        ({"min_level": "WARN"}, lambda one: one.level in ("WARN", "ERROR")),
        ({"max_level": "DEBUG"}, lambda one: one.level in ("TRACE", "DEBUG")),
        ({"task_id": "b"}, lambda one: one.task_id == "b"),
        ({"task_run_id": "tr-a", "attempt": 2}, lambda one: (one.task_id, one.attempt) == ("a", 2)),
        ({"q": "X"}, lambda one: one.message.endswith("x")),
        ({"task_id": "nobody"}, lambda one: False),
    ],
)
def test_what_is_left_is_a_log(store: Store, query: dict[str, Any], goes: Any) -> None:
    entries, others = fill(store, "e", 1), fill(store, "other", 2, 50)
    left = [one for one in entries if not goes(one)]
    assert store.log_window(LogQuery("e", q="x")).total > 0  # a search that is kept
    assert store.drop_log_part(LogQuery("e", **query)) == len(entries) - len(left)
    looks: list[dict[str, Any]] = [
        {}, {"task_id": "a"}, {"attempt": 2}, {"min_level": "INFO"}, {"task_run_id": "tr-c"}, {"q": "x"},
        {"min_level": "DEBUG", "task_id": "c", "attempt": 1},
    ]  # fmt: skip
    for look in looks:
        wanted = [one for one in left if shown(one, look)]
        for offset in (0, 700, 1_900):
            assert store.log_window(LogQuery("e", **look), offset, 40) == (len(wanted), wanted[offset : offset + 40]), (
                look
            )
        by_task = store.log_window(LogQuery("e", order="task", **look), 0, 5_000)
        assert (by_task.total, {one.seq for one in by_task.entries}) == (len(wanted), {one.seq for one in wanted})
    assert [one.seq for one in store.logs_after("e", left[1_000].seq, 3)] == [one.seq for one in left[1_001:1_004]]
    assert store.log_place(LogQuery("e"), left[1_234].seq) == 1_234
    assert list(store.iter_logs(LogQuery("e"))) == left
    assert store.log_window(LogQuery("other"), 0, 100).entries == others


def shown(one: LogEntry, look: dict[str, Any]) -> bool:
    """Whether a line is in a window."""
    same = all(getattr(one, name) == look[name] for name in ("task_id", "attempt", "task_run_id") if name in look)
    level = LEVELS.index(one.level) >= LEVELS.index(look.get("min_level", "TRACE"))
    return same and level and look.get("q", "") in one.message


def test_lines_that_come_later_follow_and_all_may_go(store: Store) -> None:
    entries = fill(store, "e", 1, 1_500)
    store.drop_log_part(LogQuery("e", min_level="DEBUG"))
    left = [one for one in entries if one.level == "TRACE"]
    late = store.append_logs(
        "9-1", [LogBatch("e", "company.team", "hello", "d", "tr-d", 1, (LogLine(1, NOW, "INFO", "late"),))]
    )
    assert late[0].seq > entries[-1].seq
    assert store.log_window(LogQuery("e"), 0, 2_000) == (len(left) + 1, [*left, *late])
    assert store.drop_log_part(LogQuery("e")) == len(left) + 1
    assert store.log_window(LogQuery("e")) == (0, [])
    assert store.drop_log_part(LogQuery("e")) == 0
