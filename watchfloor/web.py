"""The web process: the Dash app, the live gateway and the REST API in one gevent worker under gunicorn.

Start it as ``python -m watchfloor.web``: the standard library must be patched before anything else is imported.
"""

from __future__ import annotations

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dashboard.services import Services
    from watchfloor.settings import Settings

GRACEFUL_SECONDS = 3
CONNECTIONS = 2_000


def main(settings: Settings | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    if not monkey.is_module_patched("socket"):
        os.execv(sys.executable, [sys.executable, "-m", "watchfloor.web"])
    from watchfloor.settings import Settings

    application(settings or Settings()).run()


def application(settings: Settings) -> Any:
    """The gunicorn application. Each worker makes its own services after the fork: no socket is shared."""
    from gunicorn.app.base import BaseApplication

    class Web(BaseApplication):
        def load_config(self) -> None:
            for name, value in options(settings).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return wire(settings)

    return Web()


def options(settings: Settings) -> dict[str, Any]:
    """Gunicorn's settings: one gevent worker (a browser's socket stays with it), no access log, a short goodbye."""
    return {
        "bind": f"{settings.host}:{settings.port}",
        "workers": 1,
        "worker_class": "gevent",
        "worker_connections": CONNECTIONS,
        "graceful_timeout": GRACEFUL_SECONDS,
        "timeout": 60,
        "keepalive": 30,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "proc_name": "watchfloor-web",
        "worker_exit": _worker_exit,
    }


_closers: list[Any] = []


def _worker_exit(_server: Any, _worker: Any) -> None:
    while _closers:
        _closers.pop()()


def wire(settings: Settings) -> Any:
    """The WSGI application with everything behind it; its parts are closed when the worker ends."""
    services = services_of(settings)
    server = flask_app(settings, services)
    _closers.extend([services.bus.close, services.store.close, services.gateway.stop])
    return server


def services_of(settings: Settings) -> Services:
    """Store, bus, gateway and commands from the settings."""
    from dashboard.services import Services
    from data import Store
    from streaming.bus import Bus
    from streaming.commands import Commands
    from streaming.gateway import Gateway

    store = Store(settings.resolved_database_url)
    bus = Bus(settings.resolved_redis_url, deltas_cap=settings.deltas_cap)
    gateway = Gateway(settings, store, bus)
    return Services(settings, store, bus, Commands(store, bus, gateway.answers), gateway)


def flask_app(settings: Settings, services: Services) -> Any:
    """The Flask app with dashboard, REST API and live namespace."""
    from flask_socketio import SocketIO

    from dashboard.app import create_app

    app = create_app(settings, services)
    if find_spec("dashboard.api"):
        import_module("dashboard.api").register(app.server, services)
    socketio = SocketIO(app.server, async_mode="gevent", cors_allowed_origins=settings.public_url, path="socket.io")
    services.gateway.attach(socketio)
    services.gateway.start()
    return app.server


if __name__ == "__main__":
    main()
