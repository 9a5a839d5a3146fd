"""Files of executions, in a folder or an object store: whatever ``fsspec`` can reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO

import fsspec
import msgspec

from data.errors import FileNotFound


class FileInfo(msgspec.Struct, frozen=True):
    """A stored file: its path below the storage's root, and its size in bytes."""

    path: str
    size: int


class Files:
    """A file storage at an fsspec URL. Paths are relative, with slashes, and never lead out of it."""

    def __init__(self, url: str) -> None:
        self._system, self._root = fsspec.url_to_fs(url)

    @contextmanager
    def open(self, path: str, mode: str = "rb") -> Iterator[IO[bytes]]:
        """A file to read (``rb``) or write (``wb``); folders are made. Raises ``FileNotFound``."""
        full = self._full(path)
        if "w" in mode:
            self._system.makedirs(self._system._parent(full), exist_ok=True)
        try:
            with self._system.open(full, mode) as file:
                yield file
        except FileNotFoundError:
            raise FileNotFound(f"There is no file {path}.") from None

    def write(self, path: str, data: bytes) -> None:
        """Store ``data``; a file of that path is replaced."""
        with self.open(path, "wb") as file:
            file.write(data)

    def read(self, path: str) -> bytes:
        """A file's bytes. Raises ``FileNotFound``."""
        with self.open(path) as file:
            return file.read()

    def info(self, path: str) -> FileInfo:
        """Path and size. Raises ``FileNotFound``."""
        try:
            return FileInfo(path, int(self._system.info(self._full(path))["size"]))
        except FileNotFoundError:
            raise FileNotFound(f"There is no file {path}.") from None

    def list(self, folder: str) -> list[FileInfo]:
        """All files below ``folder``, by path."""
        full = self._full(folder)
        if not self._system.exists(full):
            return []
        found = self._system.find(full, detail=True)
        return sorted(
            (FileInfo(name[len(self._root) :].lstrip("/"), int(info["size"])) for name, info in found.items()),
            key=lambda info: info.path,
        )

    def delete(self, folder: str) -> None:
        """Remove a file or a folder with all that is in it; nothing there is fine."""
        full = self._full(folder)
        if self._system.exists(full):
            self._system.rm(full, recursive=True)

    def _full(self, path: str) -> str:
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts or PurePosixPath(path).is_absolute():
            raise ValueError(f"expected a relative path below the file storage, got {path!r}")
        return "/".join((self._root.rstrip("/"), *parts))
