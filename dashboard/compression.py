"""gzip for what is worth it, made once for files that never change (Dash's fingerprinted bundles)."""

from __future__ import annotations

import gzip
from collections import OrderedDict

import flask

KINDS = ("text/", "application/json", "application/javascript", "image/svg+xml")
MIN_BYTES = 1_024
MAX_BYTES = 16 * 1_048_576
CACHE_ENTRIES = 128


class Compression:
    """Compresses answers; keeps those of fingerprinted files, at most ``CACHE_ENTRIES`` of them, oldest out first."""

    def __init__(self) -> None:
        self._cache: OrderedDict[str, bytes] = OrderedDict()

    def apply(self, answer: flask.Response) -> flask.Response:
        """The answer, compressed when the browser takes it and it pays."""
        request = flask.request
        if not _worth(answer) or "gzip" not in request.headers.get("Accept-Encoding", ""):
            return answer
        answer.direct_passthrough = False
        body = answer.get_data()
        if not MIN_BYTES <= len(body) <= MAX_BYTES:
            return answer
        answer.set_data(self._packed(request.path, body))
        answer.headers["Content-Encoding"] = "gzip"
        answer.vary.add("Accept-Encoding")
        etag, _ = answer.get_etag()
        if etag:
            answer.set_etag(etag, weak=True)
        return answer

    def _packed(self, path: str, body: bytes) -> bytes:
        if not path.startswith("/_dash-component-suites/"):
            return gzip.compress(body, 5, mtime=0)
        key = f"{path}:{len(body)}"
        if key not in self._cache:
            self._cache[key] = gzip.compress(body, 6, mtime=0)
        self._cache.move_to_end(key)
        while len(self._cache) > CACHE_ENTRIES:
            self._cache.popitem(last=False)
        return self._cache[key]


def _worth(answer: flask.Response) -> bool:
    return (
        answer.status_code == 200
        and "Content-Encoding" not in answer.headers
        and "Content-Disposition" not in answer.headers
        and (answer.mimetype or "").startswith(KINDS)
        and (answer.direct_passthrough or not answer.is_streamed)
    )


def register(server: flask.Flask) -> None:
    """Compress the answers of ``server``."""
    server.after_request(Compression().apply)
