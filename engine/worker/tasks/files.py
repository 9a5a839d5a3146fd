"""Files of a script task: what it is given, and what it leaves to later tasks.

A stored file is named by its URI: the address of the file storage (``files_url``) and a path below it.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

import fsspec
import structlog

from engine.worker.tasks.base import Running, TaskFailed
from streaming.messages import Job

log = structlog.get_logger()

_COPY_BYTES = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}
_LOOK_SECONDS = 0.5  # between two looks whether there is room again


def is_stored(uri: Any, files_url: str) -> bool:
    """True for the URI of a file of this installation's storage."""
    return isinstance(uri, str) and uri.startswith(files_url.rstrip("/") + "/") and ".." not in unquote(uri).split("/")


def put_inputs(home: Path, given: Any, files_url: str) -> None:
    """Write ``inputFiles`` (name → text, or name → URI of a file of this installation) into ``home``."""
    if isinstance(given, str) and given.strip():
        given = json.loads(given)
    if given in (None, "", {}):
        return
    if not isinstance(given, dict):
        raise TaskFailed(f"inputFiles: expected a map of names and contents, got {type(given).__name__}")
    for name, content in given.items():
        target = _inside(home, str(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_stored(content, files_url):
            with target.open("wb") as writing:
                _copy(content, writing)
        else:
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
            target.write_text(text, encoding="utf-8")


def keep_outputs(home: Path, patterns: Any, running: Running) -> dict[str, str]:
    """Copy what matches ``outputFiles`` (globs) into the file storage; name → URI."""
    base = folder_of(running.files_url, running.job)
    kept = {}
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        for path in sorted(home.glob(str(pattern))):
            inside = path.resolve().is_relative_to(home.resolve())
            if path.is_file() and inside:
                name = path.relative_to(home).as_posix()
                kept[name] = keep(running, f"{base}/{name}", partial(_copy, path.as_uri()))
    return kept


def folder_of(files_url: str, job: Job, task_run_id: str | None = None) -> str:
    """Where the files of the attempt are kept; with a task run of its execution, where those of all its attempts."""
    base = "/".join((files_url.rstrip("/"), job.namespace, job.flow_id, job.execution_id))
    return f"{base}/{task_run_id}" if task_run_id else f"{base}/{job.task_run_id}/{job.attempt}"


def store(content: IO[bytes], name: str, running: Running) -> str:
    """Keep ``content``, read from where it stands, as a file of the attempt; its URI."""
    start = content.tell()

    def write(writing: IO[bytes]) -> None:
        content.seek(start)
        while chunk := content.read(_COPY_BYTES):
            writing.write(chunk)

    return keep(running, f"{folder_of(running.files_url, running.job)}/{name}", write)


def keep(running: Running, uri: str, write: Callable[[IO[bytes]], object]) -> str:
    """Store what ``write`` writes at ``uri``, which is given back.

    While the disk is full it is tried again, from the start. Raises ``TaskFailed`` when there is no room for too long,
    or when the attempt has to stop meanwhile.
    """
    begun, most = time.monotonic(), running.limits.files_wait
    while True:
        try:
            with fsspec.open(uri, "wb", auto_mkdir=True) as file:
                write(file)
            return uri
        except OSError as error:
            if error.errno not in _FULL:
                raise
            log.warning("files.full", task_run=running.job.task_run_id, waited_s=round(time.monotonic() - begun, 1))
            if time.monotonic() - begun >= most or running.control.wait(_LOOK_SECONDS) is not None:
                raise TaskFailed(
                    f"no room in the file storage, waited for up to {most:g} s (WATCHFLOOR_FILES_WAIT): {error}"
                ) from error


def read(uri: str) -> bytes:
    """Bytes of a stored file."""
    with fsspec.open(uri, "rb") as file:
        return bytes(file.read())


def _inside(home: Path, name: str) -> Path:
    target = (home / name).resolve()
    if not target.is_relative_to(home.resolve()):
        raise TaskFailed(f"inputFiles: {name!r} is outside the task's folder")
    return target


def _copy(source: str, writing: IO[bytes]) -> None:
    with fsspec.open(source, "rb") as reading:
        while chunk := reading.read(_COPY_BYTES):
            writing.write(chunk)
