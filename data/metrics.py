"""Metrics that tasks gave, and how long things usually take."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from data.blobs import from_json
from data.database import Database
from data.records import MetricRow, Usual, UsualDurations
from data.series import Series, SeriesQuery, series_of
from data.tables import execution, metric, task_run
from data.times import SECOND, from_us, to_us
from engine.states import State

GOOD = (State.SUCCESS.value, State.WARNING.value)
LAST = 1_000  # executions of a flow whose metrics are named
VALUES_CAP = 200_000  # values of one series
TASK_RUNS_CAP = 20_000  # task runs looked at, so that a huge fan-out costs no more
_KEEP_SECONDS = 10.0
_KEEP_FLOWS = 1_000


class Metrics(Database):
    """Figures of executions, computed with polars."""

    def __init__(self, database_url: str, **pool: Any) -> None:
        super().__init__(database_url, **pool)
        self._usual: dict[tuple[str, str, int], tuple[float, UsualDurations]] = {}

    def metrics(self, execution_id: str) -> list[MetricRow]:
        """Every metric of an execution, in the order they came."""
        query = sa.select(metric).where(metric.c.execution_id == execution_id).order_by(metric.c.seq)
        with self._read() as connection:
            return [_metric(row) for row in connection.execute(query)]

    def durations(self, namespace: str, flow_id: str, n: int = 50) -> UsualDurations:
        """How long the last ``n`` good executions of a flow took, and their tasks' good runs; kept for 10 s."""
        key = (namespace, flow_id, n)
        kept = self._usual.get(key)
        if kept is not None and time.monotonic() - kept[0] < _KEEP_SECONDS:
            return kept[1]
        with self._read() as connection:
            found = _durations(connection, namespace, flow_id, n)
        if len(self._usual) >= _KEEP_FLOWS:
            self._usual.clear()
        self._usual[key] = (time.monotonic(), found)
        return found

    def metric_names(self, namespace: str, flow_id: str, task_id: str | None = None) -> list[str]:
        """Names of the metrics that the last ``LAST`` executions of a flow gave, or one of its tasks."""
        query = _of_flow(sa.select(metric.c.name).distinct(), namespace, flow_id)
        if task_id is not None:
            query = query.where(metric.c.task_id == task_id)
        with self._read() as connection:
            return sorted(connection.scalars(query))

    def metric_tasks(self, namespace: str, flow_id: str) -> list[str]:
        """Ids of the tasks that gave metrics in the last ``LAST`` executions of a flow."""
        with self._read() as connection:
            return sorted(connection.scalars(_of_flow(sa.select(metric.c.task_id).distinct(), namespace, flow_id)))

    def metric_series(self, asked: SeriesQuery) -> Series:
        """A metric of a flow over time; at most ``VALUES_CAP`` values are looked at, the newest first."""
        m, e = metric.c, execution.c
        query = sa.select(m.date, m.value).join_from(execution, metric, m.execution_id == e.id)
        query = query.where(e.namespace == asked.namespace, e.flow_id == asked.flow_id, m.name == asked.name)
        query = query.where(e.start_at >= to_us(asked.since), e.start_at < to_us(asked.until))
        if asked.task_id is not None:
            query = query.where(m.task_id == asked.task_id)
        with self._read() as connection:
            rows = connection.execute(query.order_by(e.start_at.desc()).limit(VALUES_CAP)).all()
        return series_of([(row.date, row.value) for row in rows], asked)


def _of_flow(query: sa.Select[Any], namespace: str, flow_id: str) -> sa.Select[Any]:
    e = execution.c
    last = sa.select(e.id).where(e.flow_id == flow_id, e.namespace == namespace).order_by(e.start_at.desc()).limit(LAST)
    return query.where(metric.c.execution_id.in_(last))


def _metric(row: Any) -> MetricRow:
    return MetricRow(
        row.execution_id,
        row.task_run_id,
        row.task_id,
        row.attempt,
        row.name,
        row.type,
        row.value,
        from_json(row.tags),
        from_us(row.date),
    )


def _durations(connection: sa.Connection, namespace: str, flow_id: str, n: int) -> UsualDurations:
    e, t = execution.c, task_run.c
    last = sa.select(e.id, e.duration).where(e.flow_id == flow_id, e.namespace == namespace, e.state.in_(GOOD))
    executions = connection.execute(last.order_by(e.start_at.desc()).limit(n)).all()
    if not executions:
        return UsualDurations()
    taken = sa.select(t.task_id, t.end_at - t.start_at).where(
        t.execution_id.in_([row.id for row in executions]), t.state.in_(GOOD), t.end_at.is_not(None)
    )
    runs = connection.execute(taken.limit(TASK_RUNS_CAP)).all()
    whole = [("", row.duration) for row in executions]
    return UsualDurations(_usual(whole)[""], _usual([tuple(row) for row in runs]))


def _usual(taken: list[tuple[str, int]]) -> dict[str, Usual]:
    """Median and 95th percentile by name; durations are microseconds."""
    if not taken:
        return {}
    import polars as pl  # takes a while to load: only the web process asks for it

    frame = pl.DataFrame(taken, schema={"name": pl.String, "us": pl.Int64}, orient="row")
    seconds = pl.col("us") / SECOND
    summed = frame.group_by("name").agg(
        pl.len().alias("n"),
        seconds.quantile(0.5, "linear").alias("p50"),
        seconds.quantile(0.95, "linear").alias("p95"),
    )
    return {row["name"]: Usual(row["n"], row["p50"], row["p95"]) for row in summed.iter_rows(named=True)}
