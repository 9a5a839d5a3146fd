"""What expressions of a worker read beyond their context: files of this installation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import fsspec

from engine.expressions import ExpressionError
from engine.expressions.limits import running


class FileSources:
    """Files below ``files_url``, and nothing else. Implements ``engine.expressions.Sources``."""

    def __init__(self, files_url: str) -> None:
        self._root = files_url.rstrip("/")

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
        """Address of a namespace file."""
        uri = f"{self._root}/_files/{namespace}/{path.lstrip('/')}"
        self._inside(uri)
        return uri

    def kv(self, namespace: str, key: str) -> Any:
        """There is no key-value store yet."""
        raise ExpressionError("kv() can't be used yet: there is no key-value store")

    def error_logs(self, context: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What made the execution fail, as far as the context says it."""
        error = context.get("error")
        return [{"level": "ERROR", **error}] if error else []

    def _inside(self, uri: str) -> None:
        parts = unquote(uri).replace("\\", "/").split("/")
        if not uri.startswith(f"{self._root}/") or ".." in parts:
            raise ExpressionError(f"{uri!r} is no file of this installation: its files are below {self._root}")
