"""Files of an execution: what its tasks left, and what it was given. No path leads to any other file."""

from __future__ import annotations

import csv
import mimetypes
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import chain
from posixpath import basename, normpath
from typing import IO, Any
from urllib.parse import unquote

import flask
import fsspec
import msgspec

from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.spec import Endpoint, Parameter
from data.jsonlines import json_lines
from data.previews import PreviewError, preview
from engine.model import Execution

ROWS_MAX = 5_000
_PIECE = 262_144


class Stored(msgspec.Struct, frozen=True):
    """A file that is there: fsspec's file system, the path in it, its size."""

    system: Any
    path: str
    size: int

    @property
    def name(self) -> str:
        """Its name without the folder."""
        return basename(self.path)


def _stored(api: Api, execution_id: str) -> Stored:
    """The file that ``path`` names: an address as inputs and outputs have it, or a path in the execution's folder."""
    given = api.text("path")
    if given is None:
        raise ApiError(400, "path: expected the address of a file.", [("expected the address of a file", "path")])
    item = api.execution(execution_id)
    uri = _address(api, item, given)
    system, path = fsspec.url_to_fs(uri)
    if not _reachable(api, system, path):
        raise _unknown(item, given)
    try:
        info = api.read(lambda: system.info(path))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise ApiError(404, f"There is no file {given} (any more).") from None
    if info["type"] != "file":
        raise ApiError(404, f"{given} is a folder, not a file.")
    return Stored(system, path, int(info["size"]))


def _address(api: Api, item: Execution, given: str) -> str:
    root = api.settings.resolved_files_url.rstrip("/")
    folder = f"{root}/{item.namespace}/{item.flow_id}/{item.id}"
    uri = given if "://" in given else f"{folder}/{given.lstrip('/')}"
    tail = unquote(uri.removeprefix(folder + "/"))
    inside = uri.startswith(folder + "/") and normpath(tail) == tail and not tail.startswith(("..", "/"))
    if "\0" in uri or not (inside or _is_given(uri, root, item)):
        raise _unknown(item, given)
    return uri


def _is_given(uri: str, root: str, item: Execution) -> bool:
    """Whether it is an uploaded file that an input names."""
    uploaded = uri.startswith(f"{root}/inputs/") and ".." not in unquote(uri).replace("\\", "/").split("/")
    return uploaded and uri in set(_texts(item.inputs))


def _unknown(item: Execution, given: str) -> ApiError:
    message = f"{given!r} is no file of execution {item.id}"
    return ApiError(404, f"{message}.", [(f"expected a file of this execution, got {given!r}", "path")])


def _reachable(api: Api, system: Any, path: str) -> bool:
    """Whether a link in a local folder leads out of the file storage."""
    if "file" not in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)):
        return True
    _, root = fsspec.url_to_fs(api.settings.resolved_files_url)
    return os.path.realpath(path).startswith(os.path.realpath(root) + os.sep)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)


def file(api: Api, executionId: str) -> flask.Response:
    """The file itself, or the rows of a table as JSON Lines; a browser saves it and never shows it."""
    form = api.text("format")
    if form not in (None, "JSONL"):
        message = f"expected JSONL, or none for the file as it is, got {form!r}"
        raise ApiError(400, f"format: {message}", [(message, "format")])
    stored = _stored(api, executionId)
    if form is None:
        return _sent(_pieces(api, stored), stored.name, "application/octet-stream")
    return _sent(_begun(_rows(api, stored), stored), f"{stored.name.rpartition('.')[0]}.jsonl", "application/x-ndjson")


def _sent(pieces: Iterable[bytes], name: str, kind: str) -> flask.Response:
    name = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_. ") else "_" for sign in name)
    return flask.Response(
        pieces,
        mimetype=kind,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
            "X-Accel-Buffering": "no",
        },
    )


def _pieces(api: Api, stored: Stored) -> Iterator[bytes]:
    opened: IO[bytes] = api.read(lambda: stored.system.open(stored.path, "rb"))
    with opened:
        while piece := api.read(lambda: opened.read(_PIECE)):
            yield piece


def _rows(api: Api, stored: Stored) -> Iterator[bytes]:
    opened: IO[bytes] = api.read(lambda: stored.system.open(stored.path, "rb"))
    with opened, closing(json_lines(opened, stored.name)) as pieces:
        while (piece := api.read(lambda: next(pieces, None))) is not None:
            yield piece


def _begun(pieces: Iterator[bytes], stored: Stored) -> Iterator[bytes]:
    """The same, its first piece made already: what is no table is refused before anything is sent."""
    from polars.exceptions import PolarsError

    try:
        first = next(pieces, b"")
    except (PreviewError, PolarsError, csv.Error) as error:
        why = str(error).partition("\n")[0]
        raise ApiError(422, f"{stored.name}: {why}", [(why, "format")]) from error
    return chain([first], pieces)


def metas(api: Api, executionId: str) -> flask.Response:
    """Size and kind of a file."""
    stored = _stored(api, executionId)
    kind = mimetypes.guess_type(stored.name)[0] or "application/octet-stream"
    return answer({"size": stored.size, "fileName": stored.name, "contentType": kind})


def look(api: Api, executionId: str) -> flask.Response:
    """The beginning of a file: rows of a table, lines of a text, a picture."""
    rows = api.integer("maxRows", 100, 1, ROWS_MAX)
    encoding = api.text("encoding") or "utf-8"
    stored = _stored(api, executionId)

    def work() -> Any:
        with stored.system.open(stored.path, "rb") as opened:
            return preview(opened, stored.name, stored.size, rows, encoding)

    try:
        return answer(api.read(work))
    except PreviewError as error:
        raise ApiError(422, f"{stored.name}: {error}", [(str(error), "path")]) from error
    except LookupError as error:
        message = f"expected the name of an encoding such as UTF-8, got {encoding!r}"
        raise ApiError(400, f"encoding: {message}", [(message, "encoding")]) from error


_FILE = Parameter("path", "string", "The file's address, or its path below the execution's folder.", required=True)
_PATH = "/executions/{executionId}/file"
ENDPOINTS = (
    Endpoint(
        "GET", _PATH, file, "A file of an execution.", "application/octet-stream or application/x-ndjson",
        (_FILE, Parameter("format", "string", "JSONL: a table's rows as JSON Lines.")),
    ),
    Endpoint("GET", f"{_PATH}/metas", metas, "Size and kind of a file.", "FileMetas", (_FILE,)),
    Endpoint(
        "GET", f"{_PATH}/preview", look, "The beginning of a file.", "FilePreview",
        (
            _FILE,
            Parameter("maxRows", "integer", f"Rows or lines, {ROWS_MAX:,} at the most.", "100"),
            Parameter("encoding", "string", "Of a text.", "UTF-8"),
        ),
    ),
)  # fmt: skip
