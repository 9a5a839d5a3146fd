"""HTTP connections that an attempt can end at any moment: a read that waits for the other side fails at once."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import disable_warnings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import InsecureRequestWarning

from engine.worker.control import JobControl

REDIRECTS = 10
_MOMENT = 0.5  # seconds
disable_warnings(InsecureRequestWarning)  # whoever takes any certificate has said so in the flow


class Guard:
    """Shuts the connections of one request when its attempt is to stop, or when ``seconds`` are over.

    A context manager: its thread lives as long as the block. ``late`` says that the time was over.
    """

    def __init__(self, control: JobControl, seconds: float) -> None:
        self.late = False
        self.seconds = seconds
        self._control = control
        self._end = time.monotonic() + seconds
        self._over = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._reading, self._writing = os.pipe()
        self._thread = threading.Thread(target=self._watch, name="http-guard", daemon=True)

    def __enter__(self) -> Guard:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._writing, b"!")
        self._thread.join()
        os.close(self._reading)
        os.close(self._writing)

    @property
    def over(self) -> bool:
        """Whether the connections were shut."""
        return self._over

    def took(self, sock: Any) -> None:
        """A connection was made."""
        with self._lock:
            self._sockets.append(sock)
            if self._over:
                _shut(sock)

    def left(self, seconds: float) -> float:
        """``seconds``, or a moment past the request's end if that comes before: it is the guard that ends it then."""
        return max(0.001, min(seconds, self._end - time.monotonic() + _MOMENT))

    def _watch(self) -> None:
        while True:
            deadline = self._control.deadline
            wait = min(self._end, deadline if deadline is not None else self._end) - time.monotonic()
            readable, _, _ = select.select([self._reading, self._control], [], [], max(0.0, wait))
            if self._reading in readable:
                return
            self.late = time.monotonic() >= self._end
            if self._control.check() is not None or self.late:
                self._shut_all()
                return

    def _shut_all(self) -> None:
        with self._lock:
            self._over = True
            for sock in self._sockets:
                _shut(sock)


def _shut(sock: Any) -> None:
    with contextlib.suppress(OSError):  # it may be closed by now; TLS is left out, its state belongs to the reader
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def session(guard: Guard) -> Session:
    """A session whose connections ``guard`` knows. It reads nothing from the environment: no proxy, no netrc."""
    made = Session()
    made.trust_env = False
    made.max_redirects = REDIRECTS
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Adapter(guard))
    return made


class _Adapter(HTTPAdapter):
    def __init__(self, guard: Guard) -> None:
        self._pools = _pools(guard)
        super().__init__(max_retries=0, pool_connections=2, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(guard: Guard) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            guard.took(self.sock)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            guard.took(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
