"""What expressions of a worker read beyond their context: files, key-value stores and logs of this installation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote

import fsspec

from data import StoreUnavailable
from data.records import LogQuery
from engine.expressions import ExpressionError
from engine.expressions.limits import running
from engine.worker.records import Records

T = TypeVar("T")
ERROR_LOGS = 100
_LOG_WAIT = 0.4  # seconds that the lines of a failure may take into the store
_LOOK_EVERY = 0.02


class WorkerSources:
    """Implements ``engine.expressions.Sources``: files below ``files_url`` alone; ``records`` for the rest."""

    def __init__(self, files_url: str, records: Records) -> None:
        self._root = files_url.rstrip("/")
        self._records = records

    # -- files

    def read(self, uri: str) -> str:
        """Text of a file; one larger than a result may be is refused before it is read."""
        self._inside(uri)
        running().fits(self.file_size(uri), "the file")
        with fsspec.open(uri, "rb") as file:
            return file.read().decode("utf-8", "replace")

    def file_size(self, uri: str) -> int:
        """Bytes of a file."""
        self._inside(uri)
        system, path = fsspec.url_to_fs(uri)
        return int(system.info(path)["size"])

    def file_uri(self, namespace: str, path: str) -> str:
        """Address of a namespace file; ``OSError`` when there is none."""
        uri = f"{self._root}/_files/{namespace}/{path.lstrip('/')}"
        self._inside(uri)
        system, name = fsspec.url_to_fs(uri)
        if not system.exists(name):
            raise FileNotFoundError(f"the namespace {namespace!r} has no file {path!r}")
        return uri

    def _inside(self, uri: str) -> None:
        parts = unquote(uri).replace("\\", "/").split("/")
        if not uri.startswith(f"{self._root}/") or ".." in parts:
            raise ExpressionError(f"{uri!r} is no file of this installation: its files are below {self._root}")

    # -- the store

    def kv(self, namespace: str, key: str) -> Any:
        """Value of a key; ``KeyError`` when there is none."""
        found = self._ask(lambda: self._records.store.kv(namespace, key))
        if found is None:
            raise KeyError(key)
        return found.value

    def error_logs(self, context: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The first ERROR lines of the execution, of whatever task.

        Lines travel on their own way: those of the failure that the context knows are waited for a moment.
        """
        execution_id = (context.get("execution") or {}).get("id")
        error = context.get("error")
        found: list[dict[str, Any]] = []
        if execution_id:
            end = time.monotonic() + (_LOG_WAIT if error else 0)
            while not (found := self._error_lines(execution_id)) and time.monotonic() < end:
                time.sleep(_LOOK_EVERY)
        return found or ([{"level": "ERROR", **error}] if error else [])

    def _error_lines(self, execution_id: str) -> list[dict[str, Any]]:
        store = self._records.store
        lines = self._ask(lambda: store.logs_after(LogQuery(execution_id, "ERROR"), 0, ERROR_LOGS))
        return [
            {
                "timestamp": line.date.isoformat().replace("+00:00", "Z"),
                "level": line.level,
                "taskId": line.task_id,
                "taskRunId": line.task_run_id,
                "attemptNumber": line.attempt,
                "message": line.message,
            }
            for line in lines
        ]

    @staticmethod
    def _ask(work: Callable[[], T]) -> T:
        try:
            return work()
        except StoreUnavailable as error:
            raise ExpressionError(f"the database can't be reached: {error}") from error
