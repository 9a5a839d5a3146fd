"""Files that people and scripts send: streamed into the file storage, known from then on by their address.

``PUT /uploads/<name>`` takes one from a form of a page; the REST API takes them as parts of its forms.
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import flask
import fsspec
import structlog
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from dashboard.accounts import person
from dashboard.permissions import Verb, may_somewhere, refusal
from dashboard.services import Services
from engine.ids import new_id
from watchfloor.settings import Settings

log = structlog.get_logger()

_CHUNK = 1024 * 1024
_UNSAFE = re.compile(r"[^\w.-]+")


def keep(settings: Settings, name: str | None, stream: BinaryIO) -> str:
    """Keep what ``stream`` holds as a file; its URI. When reading or writing fails nothing is left of it."""
    safe = _UNSAFE.sub("_", name or "file").strip("._")[-120:] or "file"
    uri = f"{settings.resolved_files_url.rstrip('/')}/inputs/{new_id()}/{safe}"
    system, path = fsspec.url_to_fs(uri)
    try:
        with fsspec.open(uri, "wb", auto_mkdir=True) as target:
            while chunk := stream.read(_CHUNK):
                target.write(chunk)
    except BaseException:
        if system.exists(path):
            system.rm(path)
        raise
    return uri


def register(server: flask.Flask, services: Services) -> None:
    """The route of pages. Answers ``{uri}``, or ``{message}`` that says what to do."""
    settings = services.settings

    @server.put("/uploads/<path:name>", endpoint="uploads")
    def upload(name: str) -> Any:
        if not may_somewhere(who := person(), Verb.EXECUTE):
            return _refused(str(refusal(who, Verb.EXECUTE)), 403)
        flask.request.max_content_length = settings.upload_max_bytes
        try:
            uri = keep(settings, name, flask.request.stream)
        except RequestEntityTooLarge:
            return _refused(too_large(settings), 413)
        except HTTPException as error:
            return _refused(str(error.description), error.code or 400)
        except OSError as error:
            log.error("upload.failed", error=str(error))
            return _refused(f"The file storage did not take it: {error.strerror or error}. Try again later.", 507)
        return {"uri": uri}


def too_large(settings: Settings) -> str:
    """What is said to somebody whose file is too large."""
    return f"Files of at most {settings.upload_max_bytes:,} bytes are taken (WATCHFLOOR_UPLOAD_MAX_BYTES)."


def _refused(message: str, status: int) -> Any:
    answer = flask.jsonify(message=message)
    answer.status_code = status
    return answer
