"""A real HTTP server that behaves, and misbehaves, as its paths say."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Server(ThreadingHTTPServer):
    """``closing`` ends answers that would never end; ``waiting`` is set when somebody asked for one of those."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.closing = threading.Event()
        self.waiting = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests want."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def _any(self) -> None:
        name, _, rest = urlsplit(self.path).path.strip("/").partition("/")
        ROUTES[name](self, rest)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _any

    def reply(self, body: bytes, code: int = 200, **headers: str) -> None:
        """A whole answer."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def start(self) -> None:
        """The head of an answer that ends with its connection."""
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        self.server.waiting.set()


def _echo(one: Handler, _: str) -> None:
    body = one.rfile.read(int(one.headers.get("Content-Length") or 0))
    said = {
        "method": one.command,
        "query": parse_qs(urlsplit(one.path).query),
        "headers": {name.lower(): value for name, value in one.headers.items()},
        "body": body.decode("latin-1"),
    }
    one.reply(json.dumps(said).encode(), Content_Type="application/json")


def _endless(one: Handler, _: str) -> None:
    one.start()
    with contextlib.suppress(OSError):
        while not one.server.closing.is_set():
            one.wfile.write(b"x" * 65_536)


def _drip(one: Handler, _: str) -> None:
    one.start()
    with contextlib.suppress(OSError):
        while not one.server.closing.wait(0.01):
            one.wfile.write(b"x")


def _silent(one: Handler, _: str) -> None:
    one.close_connection = True
    one.server.waiting.set()
    one.server.closing.wait(30)


def _short(one: Handler, _: str) -> None:
    one.close_connection = True
    one.send_response(200)
    one.send_header("Content-Length", "1000")
    one.end_headers()
    one.wfile.write(b"only this")


ROUTES: dict[str, Callable[[Handler, str], None]] = {
    "ok": lambda one, _: one.reply(b'{"fine": true}', Content_Type="application/json", X_Twice="a"),
    "text": lambda one, rest: one.reply(rest.encode()),
    "latin": lambda one, _: one.reply("café".encode("latin-1"), Content_Type="text/plain; charset=ISO-8859-1"),
    "status": lambda one, rest: one.reply(b"the   reason\n why", int(rest)),
    "echo": _echo,
    "redirect": lambda one, rest: one.reply(b"", 302, Location=f"/{rest}"),
    "loop": lambda one, _: one.reply(b"", 302, Location="/loop"),
    "bytes": lambda one, rest: one.reply(b"b" * int(rest)),
    "named": lambda one, _: one.reply(b"a,b\n", Content_Disposition='attachment; filename="../re port.csv"'),
    "empty": lambda one, _: one.reply(b""),
    "endless": _endless,
    "drip": _drip,
    "silent": _silent,
    "short": _short,
}


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server for the time of a block, with ``tls`` one of https."""
    server = Server()
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.url = server.url.replace("http:", "https:")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
