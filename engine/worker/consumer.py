"""Celery's consumer, which asks again within a second when Redis is away instead of after up to half a minute."""

from __future__ import annotations

from typing import Any

import structlog
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

log = structlog.get_logger("worker")


class PatientConsumer(Consumer):
    """Never gives up on its broker."""

    def ensure_connected(self, conn: Any) -> Any:
        """``conn`` once it is connected."""
        self.first_connection_attempt = False
        return conn.ensure_connection(
            lambda error, interval: log.warning("redis.away", error=str(error), retry_in=interval),
            None,
            interval_start=0.1,
            interval_step=0.2,
            interval_max=1,
            callback=maybe_shutdown,
        )
