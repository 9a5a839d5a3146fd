"""The folder a process runs in: empty, or what the tasks before it in the same WorkingDirectory left.

Between two tasks the folder is an archive in the file storage: it outlives the worker, an attempt that is tried again
finds it as its first try did, and a restart goes on in the middle.
"""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

import fsspec

from engine.model import Folder
from engine.worker.control import Stop
from engine.worker.tasks import files
from engine.worker.tasks.base import Result, Running, TaskFailed
from streaming.messages import Job

ARCHIVE = ".folder.tar"
_UNFINISHED = (Stop.KILL, Stop.SHUTDOWN)


@contextmanager
def folder_of(running: Running) -> Iterator[Path]:
    """The folder for one process. In a WorkingDirectory it is kept afterwards, also when the task failed."""
    common = running.job.folder
    with _empty() as home:
        if common is None:
            yield home
            return
        if common.left is not None:
            _unpack(common.left, home, running.files_url)
        else:
            files.put_inputs(home, common.files, running.files_url)
        try:
            yield home
        except TaskFailed:
            with suppress(TaskFailed):  # what made the task fail is what counts
                _keep(running, home)
            raise
        _keep(running, home)


def hand_over(running: Running) -> Result:
    """``flow.WorkingDirectory``, when its tasks are through: keeps what ``outputFiles`` match, and removes the archives
    that the tasks left to each other."""
    common, patterns = running.job.folder, running.properties.get("outputFiles") or []
    if common is None or common.left is None:
        return Result()
    outputs = {}
    if patterns:
        with _empty() as home:
            _unpack(common.left, home, running.files_url)
            outputs["outputFiles"] = files.keep_outputs(home, patterns, running)
        if not outputs["outputFiles"]:
            running.lines.add("WARN", f"no file in the folder matches outputFiles: {', '.join(map(str, patterns))}")
    _remove(running.job, common.clear, running.files_url)
    return Result(outputs)


@contextmanager
def _empty() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wf-task-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _keep(running: Running, home: Path) -> None:
    if running.control.reason not in _UNFINISHED:
        uri = f"{files.folder_of(running.files_url, running.job)}/{ARCHIVE}"
        files.keep(running, uri, partial(_pack, home, running.limits.folder_max_bytes))
        running.left.append(Folder(uri, running.worker))


def _pack(home: Path, most: int, file: IO[bytes]) -> None:
    """Write everything in ``home`` but sockets and devices as an archive."""
    size = 0

    def counted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        nonlocal size
        size += member.size
        if size > most:
            raise TaskFailed(
                f"the folder of the WorkingDirectory has more than {most:,} bytes (WATCHFLOOR_FOLDER_MAX_BYTES); "
                "keep large files in outputFiles, and remove what later tasks don't need"
            )
        return member if member.isreg() or member.isdir() or member.issym() or member.islnk() else None

    with tarfile.open(fileobj=file, mode="w|") as archive:
        archive.add(home, arcname=".", filter=counted)


def _unpack(left: Folder, home: Path, files_url: str) -> None:
    if not files.is_stored(left.uri, files_url):
        raise TaskFailed(f"expected the folder among this installation's files below {files_url}, came {left.uri}")
    try:
        with fsspec.open(left.uri, "rb") as file, tarfile.open(fileobj=file, mode="r|") as archive:
            archive.extractall(home, filter="tar")
    except FileNotFoundError as error:
        raise TaskFailed(f"what the tasks before left in the folder is gone: {left.uri}") from error
    except (tarfile.TarError, EOFError) as error:
        raise TaskFailed(f"what the tasks before left in the folder can't be read: {error} ({left.uri})") from error


def _remove(job: Job, task_runs: tuple[str, ...], files_url: str) -> None:
    """Remove the archives of all attempts of these task runs. One that stays costs room, not more."""
    for task_run in task_runs:
        system, base = fsspec.url_to_fs(files.folder_of(files_url, job, task_run))
        with suppress(OSError):
            for path in system.glob(f"{base}/*/{ARCHIVE}"):
                system.rm(path)
