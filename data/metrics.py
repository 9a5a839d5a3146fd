"""Metrics that tasks gave, and usual durations."""

from __future__ import annotations

import sqlalchemy as sa

from data.blobs import from_json
from data.database import Database
from data.records import MetricRow
from data.tables import metric
from data.times import from_us


class Metrics(Database):
    """Figures of executions."""

    def metrics(self, execution_id: str) -> list[MetricRow]:
        """Every metric of an execution, in the order they came."""
        query = sa.select(metric).where(metric.c.execution_id == execution_id).order_by(metric.c.seq)
        with self._read() as connection:
            rows = connection.execute(query).all()
        return [
            MetricRow(
                r.execution_id,
                r.task_run_id,
                r.task_id,
                r.attempt,
                r.name,
                r.type,
                r.value,
                from_json(r.tags),
                from_us(r.date),
            )
            for r in rows
        ]
