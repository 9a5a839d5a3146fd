"""gzip for what is worth it. Dash's bundles are packed once and kept on disk: a second start packs nothing."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import flask
from gevent import get_hub, monkey

T = TypeVar("T")

KINDS = ("text/", "application/json", "application/javascript", "image/svg+xml")
MIN_BYTES = 1_024
MAX_BYTES = 16 * 1_048_576
BUNDLES = "/_dash-component-suites/"
FILES_KEPT = 128  # older ones are removed when the process starts
_LARGE = 65_536


class Compression:
    """Compresses answers; packed bundles are kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = sorted(self._folder.glob("*.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[FILES_KEPT:]:
            path.unlink(missing_ok=True)

    def apply(self, answer: flask.Response) -> flask.Response:
        """The answer, compressed when the browser takes it and it pays."""
        request = flask.request
        if not _worth(answer) or "gzip" not in request.headers.get("Accept-Encoding", ""):
            return answer
        answer.direct_passthrough = False
        body = answer.get_data()
        if not MIN_BYTES <= len(body) <= MAX_BYTES:
            return answer
        answer.set_data(self._bundle(body) if request.path.startswith(BUNDLES) else _pack(body, 5))
        answer.headers["Content-Encoding"] = "gzip"
        answer.vary.add("Accept-Encoding")
        etag, _ = answer.get_etag()
        if etag:
            answer.set_etag(etag, weak=True)
        return answer

    def _bundle(self, body: bytes) -> bytes:
        path = self._folder / f"{hashlib.blake2b(body, digest_size=16).hexdigest()}.gz"
        try:
            return path.read_bytes()
        except FileNotFoundError:
            packed = _pack(body, 6)
            draft = path.with_suffix(f".{os.getpid()}")
            draft.write_bytes(packed)
            draft.replace(path)
            return packed


def _pack(body: bytes, level: int) -> bytes:
    def work() -> bytes:
        return gzip.compress(body, level, mtime=0)

    return _aside(work) if len(body) > _LARGE else work()


def _aside(work: Callable[[], T]) -> T:
    """In a real thread where greenlets share this one: packing megabytes would keep all browsers waiting."""
    return get_hub().threadpool.apply(work) if monkey.is_module_patched("threading") else work()


def _worth(answer: flask.Response) -> bool:
    return (
        answer.status_code == 200
        and "Content-Encoding" not in answer.headers
        and "Content-Disposition" not in answer.headers
        and (answer.mimetype or "").startswith(KINDS)
        and (answer.direct_passthrough or not answer.is_streamed)
    )


def register(server: flask.Flask, folder: Path) -> None:
    """Compress the answers of ``server``; ``folder`` keeps packed bundles."""
    server.after_request(Compression(folder).apply)
