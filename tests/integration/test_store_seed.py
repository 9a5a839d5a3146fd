"""The synthetic past, and what is computed over executions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from data import Store, metrics
from data.filters import parse_query_string
from data.records import ExecutionQuery, Usual
from data.seed import LABEL, seed
from engine.model import Kind
from engine.states import TERMINAL

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_seed_is_labelled_terminal_and_the_same_again(store: Store) -> None:
    told: list[int] = []
    assert seed(store, 2_500, seed=4, now=NOW, progress=told.append) == 2_500
    assert told == [2_000, 2_500]
    page = store.search(ExecutionQuery(parse_query_string(f"filters[labels][EQUALS][{LABEL}]=true"), size=500, now=NOW))
    assert page.total == 2_500
    assert {row.kind for row in page.rows} == {Kind.SYNTHETIC}
    assert all(row.namespace.startswith("synthetic.") for row in page.rows)
    assert all(row.end_date is not None and row.end_date <= NOW for row in page.rows)
    assert set(page.counts) <= TERMINAL
    assert len(page.counts) == 5
    assert store.unfinished() == []
    assert seed(store, 2_500, seed=4, now=NOW) == 0
    assert store.search(ExecutionQuery(now=NOW)).counts == page.counts


def test_the_newest_of_a_seed_have_task_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.seed.WITH_TASKS", 10)
    seed(store, 20, now=NOW)
    rows = store.search(ExecutionQuery(now=NOW)).rows
    newest, oldest = store.load(rows[0].id), store.load(rows[-1].id)
    assert newest is not None
    assert oldest is not None
    assert len(newest.task_runs) == 5
    assert max(run.history[-1].date for run in newest.task_runs.values()) == newest.end_date
    assert not oldest.task_runs


def test_usual_durations_are_those_of_good_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(store, 2_000, now=NOW)
    row = store.search(ExecutionQuery(now=NOW)).rows[0]
    taken = sorted(
        (other.end_date - other.start_date).total_seconds()
        for other in store.last_of_flow(row.namespace, row.flow_id, 500)
        if other.state.value in metrics.GOOD and other.end_date
    )
    usual = store.durations(row.namespace, row.flow_id, 500)
    assert usual.execution is not None
    assert usual.execution.n == len(taken)
    assert taken[0] < usual.execution.p50 < usual.execution.p95 <= taken[-1]
    assert usual.execution.p50 == pytest.approx((taken[(len(taken) - 1) // 2] + taken[len(taken) // 2]) / 2)
    assert set(usual.tasks) == {"fetch", "check", "transform", "load", "notify"}
    assert isinstance(usual.tasks["fetch"], Usual)
    assert store.durations("nobody", "nothing").execution is None
