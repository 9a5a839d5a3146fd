"""http.Request and http.Download."""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import msgspec
from requests import RequestException
from urllib3.exceptions import HTTPError

from engine.truth import truth
from engine.worker.connections import Guard, session
from engine.worker.tasks import files
from engine.worker.tasks.base import Result, Running, TaskFailed
from engine.worker.tasks.core import text_of
from engine.worker.tasks.httprequest import Call, call_of
from streaming.messages import Metric

_CHUNK = 65_536
_SHOWN = 300  # characters of a bad answer's body in its error
_NAME = re.compile(r"filename\*?=(?:[\w-]+'[\w-]*')?\"?([^\";]+)")
_UNSAFE = re.compile(r"[^\w.-]+")


class Answer(msgspec.Struct, frozen=True):
    """What came back, all of it read. ``headers`` have a list for each name, in small letters."""

    code: int
    reason: str
    uri: str
    headers: dict[str, list[str]]
    charset: str
    length: int
    seconds: float


def request(running: Running) -> Result:
    """``http.Request``: outputs ``code``, ``headers``, ``body``, ``uri`` and ``duration``; a large body is a file."""
    call = call_of(running)
    limit = running.limits.http_inline_bytes
    with tempfile.SpooledTemporaryFile(max_size=limit) as body:
        answer = _answer(running, call, body)
        outputs = {**_told(answer), "uri": answer.uri, "body": None}
        if answer.length > limit:
            outputs["bodyUri"] = files.store(body, _name_of(answer), running)
        else:
            outputs["body"] = body.read().decode(answer.charset, "replace")
        body.seek(0)
        _check(call, answer, body, outputs)
    return Result(outputs, _metrics(answer))


def download(running: Running) -> Result:
    """``http.Download``: keeps the body as a file: outputs ``uri``, ``code``, ``length``, ``headers``, ``duration``."""
    call = call_of(running)
    name = running.properties.get("saveAs")
    with tempfile.TemporaryFile() as body:
        answer = _answer(running, call, body)
        outputs = {**_told(answer), "length": answer.length}
        _check(call, answer, body, outputs)
        if not answer.length and truth(running.properties.get("failOnEmptyResponse", True)):
            raise TaskFailed(f"{call} answered {answer.code} with nothing in it (failOnEmptyResponse)", outputs)
        body.seek(0)
        name = _safe(text_of(name)) if name else _name_of(answer)
        outputs["uri"] = files.store(body, name, running)
    return Result(outputs, _metrics(answer))


def _told(answer: Answer) -> dict[str, Any]:
    return {"code": answer.code, "headers": answer.headers, "duration": answer.seconds}


def _answer(running: Running, call: Call, body: IO[bytes]) -> Answer:
    """The answer, with its body in ``body``, rewound."""
    begun = time.monotonic()
    with Guard(running.control, running.limits.http_max_seconds) as guard:
        try:
            answer = _read(running, call, guard, body, begun)
        except (RequestException, HTTPError, OSError, ValueError) as error:
            _stopped(running, call, guard)
            raise TaskFailed(f"{call}: {_reason(error)}") from error
        _stopped(running, call, guard)
    told = f"{call} answered {answer.code} {answer.reason}".rstrip()
    running.lines.add("INFO", f"{told}: {answer.length:,} bytes in {answer.seconds * 1000:,.0f} ms")
    return answer


def _read(running: Running, call: Call, guard: Guard, body: IO[bytes], begun: float) -> Answer:
    with session(guard) as web, contextlib.closing(call.send(web, guard)) as response:
        length = 0
        for chunk in response.iter_content(_CHUNK):
            length += len(chunk)
            _fits(running, call, length)
            body.write(chunk)
        _whole(call, response, length)
        body.seek(0)
        headers: dict[str, list[str]] = {}
        for name, value in response.raw.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        return Answer(
            code=response.status_code,
            reason=response.reason or "",
            uri=call.shown(response.url),
            headers=headers,
            charset=_charset(response.headers.get("content-type", ""), call.charset),
            length=length,
            seconds=time.monotonic() - begun,
        )


def _fits(running: Running, call: Call, length: int) -> None:
    most = min(running.limits.http_max_bytes, call.max_bytes or running.limits.http_max_bytes)
    if length > most:
        named = "WATCHFLOOR_HTTP_MAX_BYTES" if most == running.limits.http_max_bytes else "options.maxContentLength"
        raise TaskFailed(f"{call}: the answer has more than {most:,} bytes ({named})")


def _whole(call: Call, response: Any, length: int) -> None:
    said = response.headers.get("content-length", "")
    if call.method == "HEAD" or response.headers.get("content-encoding") or not said.isdigit():
        return
    if int(said) != length:
        raise TaskFailed(f"{call}: expected {int(said):,} bytes, the answer ended after {length:,}")


def _stopped(running: Running, call: Call, guard: Guard) -> None:
    """A connection that we shut ourselves: the cause is ours, whatever the reader made of it."""
    if not guard.over:
        return
    if running.control.reason is None and guard.late:
        raise TaskFailed(f"{call}: took longer than {guard.seconds:g} s (WATCHFLOOR_HTTP_MAX_SECONDS)")
    raise TaskFailed(f"{call}: stopped")


def _check(call: Call, answer: Answer, body: IO[bytes], outputs: dict[str, Any]) -> None:
    if answer.code < 400 or call.allow_failed or answer.code in call.allowed:
        return
    said = " ".join(body.read(4 * _SHOWN).decode(answer.charset, "replace").split())[:_SHOWN]
    status = f"{answer.code} {answer.reason}".rstrip()
    raise TaskFailed(f"{call} answered {status}{': ' if said else ''}{said}", outputs, _metrics(answer))


def _metrics(answer: Answer) -> tuple[Metric, ...]:
    tags = {"code": str(answer.code)}
    return (
        Metric("response.length", "counter", float(answer.length), tags),
        Metric("response.duration", "timer", answer.seconds, tags),
    )


def _charset(content_type: str, default: str) -> str:
    found = re.search(r"charset=\"?([\w.:-]+)", content_type, re.IGNORECASE)
    try:
        "".encode(found[1] if found else default)
    except LookupError:
        return "utf-8"
    return found[1] if found else default


def _name_of(answer: Answer) -> str:
    """A name for the file of a body: what the server says, else the last part of the address."""
    said = _NAME.search(" ".join(answer.headers.get("content-disposition", [])))
    return _safe(unquote(said[1]) if said else urlsplit(answer.uri).path)


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", PurePosixPath(name.replace("\\", "/")).name).strip("._")[-120:] or "body"


def _reason(error: BaseException) -> str:
    """What is at the bottom of an error that libraries wrapped in theirs."""
    for inner in _causes(error):
        if isinstance(inner, OSError) and inner.strerror:
            return str(inner.strerror)
    text = str(error)
    found = re.search(r"\[Errno -?\d+\] ([^\"')]+)", text)
    return found[1] if found else text or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(10):
        if error is None:
            return
        yield error
        inner = getattr(error, "reason", None) or next(
            (one for one in error.args if isinstance(one, BaseException)), None
        )
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
