"""Giving jobs to the workers, on whatever machine they are."""

from __future__ import annotations

import base64
from typing import Any

import redis
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerAway

from engine.worker.app import TASK_NAME, build_app
from engine.worker.queues import QUEUE, expire, queue_of
from streaming import codec
from streaming.bus import Bus
from streaming.messages import Job
from watchfloor.settings import Settings

_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.05, "interval_max": 0.1}


class Dispatch:
    """The executor's way to the workers. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._app = build_app(settings)
        self._bus = Bus.of(settings)

    def submit(self, job: Job) -> None:
        """Give one attempt out; done twice, its claim lets one run.

        Raises ``redis.ConnectionError`` when Redis is away.
        """
        arguments: list[Any] = [base64.b64encode(codec.encode(job)).decode()]
        queue = queue_of(job)
        try:
            self._app.send_task(TASK_NAME, args=arguments, queue=queue, retry_policy=_RETRY)
        except (BrokerAway, KombuError) as error:
            raise redis.ConnectionError(f"the job could not be given to the workers: {error}") from error
        if queue != QUEUE:
            expire(self._bus, queue)

    def close(self) -> None:
        """Give the connections back."""
        self._app.close()
        self._bus.close()
