"""What an HTTP task's properties ask for: method, address, body and options, checked."""

from __future__ import annotations

import base64
import json
import math
import os
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import msgspec

from engine.durations import parse_duration
from engine.truth import truth
from engine.worker.tasks import files
from engine.worker.tasks.base import Running, TaskFailed
from engine.worker.tasks.core import text_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")
_CONNECT_SECONDS = 10.0
_MULTIPART = "multipart/form-data"
_JSON = "application/json"
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"})


class Call(msgspec.Struct, frozen=True):
    """One request, ready to be sent. ``allowed`` are codes from 400 on that are no failure. Seconds and bytes."""

    method: str
    uri: str
    headers: dict[str, str]
    params: dict[str, Any]
    body: bytes | None
    form: dict[str, Any]
    parts: list[Any]
    auth: tuple[bytes, bytes] | None
    connect: float
    idle: float | None
    redirects: bool
    allow_failed: bool
    allowed: frozenset[int]
    charset: str
    verify: bool
    proxy: str | None
    max_bytes: int | None

    def __str__(self) -> str:
        return f"{self.method} {self.uri}"

    def send(self, web: Any, guard: Any) -> Any:
        """Send it; the response with its body still to be read."""
        idle = guard.left(math.inf if self.idle is None else self.idle)
        return web.request(
            self.method,
            self.uri,
            params=self.params,
            headers={"Accept-Encoding": "identity", "User-Agent": "watchfloor", **self.headers},
            data=self.body if self.body is not None else self.form or None,
            files=self.parts or None,
            auth=self.auth,
            timeout=(guard.left(self.connect), idle),
            allow_redirects=self.redirects,
            stream=True,
            verify=os.environ.get("SSL_CERT_FILE") or True if self.verify else False,
            proxies={"http": self.proxy, "https": self.proxy} if self.proxy else None,
        )

    def shown(self, uri: str) -> str:
        """``uri`` without a name and password in it."""
        return _without_user(uri)[0]


def call_of(running: Running) -> Call:
    """The request that the rendered properties describe. Raises ``TaskFailed`` naming the property that is wrong."""
    given = running.properties
    options = _mapping(given.get("options"), "options")
    timeouts = _mapping(options.get("timeout"), "options.timeout")
    uri, user = _without_user(text_of(given.get("uri") or "").strip().replace(" ", "%20"))
    if urlsplit(uri).scheme not in ("http", "https") or not urlsplit(uri).hostname:
        raise TaskFailed(f"uri: expected an address such as https://example.org/data, came {running.hider(uri)!r}")
    headers = {str(name): text_of(value) for name, value in _mapping(given.get("headers"), "headers").items()}
    auth, bearer = _auth(options, user)
    if bearer is not None:
        headers["Authorization"] = f"Bearer {bearer}"
    body, form, parts = _content(running, headers)
    _hide(running, headers, auth)
    return Call(
        method=_method(given.get("method") or "GET"),
        uri=uri,
        headers=headers,
        params=_mapping(given.get("params"), "params"),
        body=body,
        form=form,
        parts=parts,
        auth=auth,
        connect=_seconds(timeouts.get("connectTimeout", options.get("connectTimeout"))) or _CONNECT_SECONDS,
        idle=_seconds(timeouts.get("readIdleTimeout", options.get("readTimeout", options.get("readIdleTimeout")))),
        redirects=truth(options.get("followRedirects", True)),
        allow_failed=truth(options.get("allowFailed", given.get("allowFailed", False))),
        allowed=_codes(options.get("allowedResponseCodes")),
        charset=text_of(options.get("defaultCharset") or "utf-8"),
        verify=not truth(_mapping(options.get("ssl"), "options.ssl").get("insecureTrustAllCertificates", False)),
        proxy=_proxy(running, _mapping(options.get("proxy"), "options.proxy")),
        max_bytes=_whole(options.get("maxContentLength")),
    )


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except ValueError as error:
            raise TaskFailed(f"{name}: expected a map, or JSON of one: {error}") from error
    if value in (None, ""):
        return {}
    if not isinstance(value, dict):
        raise TaskFailed(f"{name}: expected a map, got {type(value).__name__}")
    return value


def _method(given: Any) -> str:
    method = text_of(given).upper()
    if method not in METHODS:
        raise TaskFailed(f"method: expected one of {', '.join(METHODS)}, came {method!r}")
    return method


def _seconds(given: Any) -> float | None:
    return (
        None if given is None else float(given) if isinstance(given, (int, float)) else parse_duration(text_of(given))
    )


def _whole(given: Any) -> int | None:
    try:
        return None if given is None else int(given)
    except (TypeError, ValueError) as error:
        raise TaskFailed(f"options.maxContentLength: expected a whole number, came {given!r}") from error


def _codes(given: Any) -> frozenset[int]:
    try:
        return frozenset(int(code) for code in (given if isinstance(given, list) else [given]) if code is not None)
    except (TypeError, ValueError) as error:
        raise TaskFailed(f"options.allowedResponseCodes: expected a list of numbers, came {given!r}") from error


# -- who asks


def _without_user(uri: str) -> tuple[str, tuple[str, str] | None]:
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise TaskFailed(f"uri: {error}") from error
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return uri, None
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=host)), (unquote(name), unquote(password))


def _auth(options: dict[str, Any], user: tuple[str, str] | None) -> tuple[tuple[bytes, bytes] | None, str | None]:
    """(name and password, or None; token, or None)."""
    given = _mapping(options.get("auth"), "options.auth")
    kind = text_of(given.get("type") or ("BASIC" if given else "")).upper()
    if kind == "BEARER":
        return None, text_of(given.get("token"))
    if kind not in ("", "BASIC"):
        raise TaskFailed(f"options.auth.type: expected BASIC or BEARER, came {kind!r}")
    name = given.get("username", options.get("basicAuthUser"))
    password = given.get("password", options.get("basicAuthPassword"))
    if name is None and password is None:
        return (user[0].encode(), user[1].encode()) if user else None, None
    return (text_of(name).encode(), text_of(password).encode()), None


def _hide(running: Running, headers: dict[str, str], auth: tuple[bytes, bytes] | None) -> None:
    """What proves who asks must not come back in outputs and lines, as an echo would bring it."""
    for name, value in headers.items():
        if name.lower() in _SECRET_HEADERS:
            scheme, _, rest = value.partition(" ")
            running.hider.add(rest if rest and not scheme.endswith(";") else value)
    if auth is not None:
        _hide_login(running, *auth)


def _hide_login(running: Running, name: bytes, password: bytes) -> None:
    """A password as it is, and as it travels."""
    running.hider.add(password.decode(), base64.b64encode(name + b":" + password).decode())


def _proxy(running: Running, given: dict[str, Any]) -> str | None:
    if not given or text_of(given.get("type") or "HTTP").upper() == "DIRECT":
        return None
    name, password = text_of(given.get("username")), text_of(given.get("password"))
    _hide_login(running, name.encode(), password.encode())
    user = f"{quote(name, safe='')}:{quote(password, safe='')}@" if name else ""
    return f"http://{user}{text_of(given.get('address'))}:{text_of(given.get('port') or 80)}"


# -- what is sent


def _content(running: Running, headers: dict[str, str]) -> tuple[bytes | None, dict[str, Any], list[Any]]:
    """(body, fields of a form, parts of a multipart one); sets the type of a body that has none."""
    given = running.properties
    kind = text_of(given.get("contentType") or _JSON)
    form = _mapping(given.get("formData"), "formData")
    if form and kind.startswith(_MULTIPART):
        return None, {}, [(name, _part(running, name, value)) for name, value in form.items()]
    if form:
        return None, {name: _field(value) for name, value in form.items()}, []
    if given.get("body") is None:
        return None, {}, []
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    return text_of(given["body"]).encode(), {}, []


def _field(value: Any) -> Any:
    return [text_of(one) for one in value] if isinstance(value, list) else text_of(value)


def _part(running: Running, name: str, value: Any) -> tuple[str | None, Any]:
    """A part: text, or a stored file (its URI, or ``name`` and ``content``)."""
    if isinstance(value, dict) and {"name", "content"} <= value.keys():
        content = value["content"]
        if files.is_stored(content, running.files_url):
            return text_of(value["name"]), files.read(content)
        return text_of(value["name"]), text_of(content).encode()
    if files.is_stored(value, running.files_url):
        return unquote(value.rpartition("/")[2]), files.read(value)
    return None, text_of(value)
