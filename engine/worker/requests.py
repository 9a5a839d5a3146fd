"""Celery's view of one job in the main process: it notices when the pool's process that had it died."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from billiard.exceptions import WorkerLostError
from celery import Task
from celery.worker.request import Request

LOST = (WorkerLostError, SystemExit, KeyboardInterrupt)


class JobRequest(Request):
    """A request that tells its task when its process was lost."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Called in the main process when a job did not end by itself."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, LOST):
            self.task.on_lost(*self.args)
        return super().on_failure(exc_info, send_failed_event, return_ok)


class JobTask(Task):
    """The one task of the worker's application."""

    Request = f"{__name__}:JobRequest"
    on_lost: Callable[..., None] = staticmethod(lambda *args: None)
