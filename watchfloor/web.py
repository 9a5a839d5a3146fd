"""The web process: the Dash app, the live gateway and the REST API in one gevent worker under gunicorn.

Start it as ``python -m watchfloor.web``: the standard library must be patched before anything else is imported.
"""

from __future__ import annotations

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from watchfloor.loading import loading

if TYPE_CHECKING:
    from dashboard.services import Services
    from watchfloor.settings import Settings

GRACEFUL_SECONDS = 3
CONNECTIONS = 2_000


def main(settings: Settings | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    if not monkey.is_module_patched("socket"):
        os.execv(sys.executable, [sys.executable, "-m", "watchfloor.web"])
    import structlog

    from watchfloor import __version__
    from watchfloor.logs import configure_process
    from watchfloor.settings import Settings

    given = settings or Settings()
    configure_process(given, "web")
    structlog.get_logger().info("process.started", version=__version__)
    application(given).run()


def application(settings: Settings) -> Any:
    """The gunicorn application. Each worker makes its own services after the fork: no socket is shared."""
    from gunicorn.app.base import BaseApplication

    class Web(BaseApplication):
        def load_config(self) -> None:
            for name, value in options(settings).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            with loading():
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
        "control_socket_disable": True,
        "when_ready": _when_ready,
        "worker_exit": _worker_exit,
    }


def _when_ready(arbiter: Any) -> None:
    """Port 0 took a free one: the log says which."""
    import structlog

    structlog.get_logger().info("web.listens", address=[str(listener) for listener in arbiter.LISTENERS])


_closers: list[Any] = []


def _worker_exit(_server: Any, _worker: Any) -> None:
    while _closers:
        _closers.pop()()


def wire(settings: Settings) -> Any:
    """The WSGI application with everything behind it; its parts are closed when the worker ends."""
    from flask_socketio import SocketIO
    from werkzeug.middleware.proxy_fix import ProxyFix

    from dashboard.app import create_app
    from dashboard.origins import LiveOrigins
    from dashboard.refusals import Refusals
    from streaming.process import settle_memory

    socketio = SocketIO()
    services = services_of(settings, socketio)
    app = create_app(settings, services)
    if find_spec("dashboard.api"):
        import_module("dashboard.api").register(app.server, services)
    origins = LiveOrigins(settings, Refusals(settings.refusal_rate, services.bus, services.meter))
    socketio.init_app(app.server, async_mode="gevent", cors_allowed_origins=origins, manage_session=False)
    if settings.proxies:  # around everything, so that limits and logs see the user's address
        app.server.wsgi_app = ProxyFix(app.server.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)
    services.gateway.start()
    settle_memory()
    _closers.extend([services.bus.close, services.store.close, services.gateway.stop])
    return app.server


def services_of(settings: Settings, socketio: Any) -> Services:
    """Store, bus, gateway and commands from the settings."""
    from dashboard.live_rights import LiveRights
    from dashboard.refusals import Refusals
    from dashboard.services import Services
    from data import Store
    from streaming.bus import Bus
    from streaming.commands import Commands
    from streaming.gateway import Gateway
    from streaming.metrics import Meter

    store = Store(settings.resolved_database_url, **settings.database_pool, offload=offload)
    bus = Bus.of(settings)
    # PostgreSQL's driver lets other greenlets run while it waits; SQLite's works in C, in one go.
    threads = {"offload": offload} if store.dialect == "sqlite" else {}
    meter = Meter("web")
    rights = LiveRights(store, Refusals(settings.refusal_rate, bus, meter))
    gateway = Gateway(settings, store, bus, socketio, rights=rights, meter=meter, **threads)
    return Services(settings, store, bus, Commands(store, bus, gateway.answers), gateway, meter=meter)


def offload(work: Callable[[], Any]) -> Any:
    """Run ``work`` in a real thread: a database driver written in C, or a hash, would stop every greenlet meanwhile."""
    import gevent

    return gevent.get_hub().threadpool.apply(work)


if __name__ == "__main__":
    main()
