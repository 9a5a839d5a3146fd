"""``/health``: the process answers. ``/ready``: so do its database and its bus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask

from dashboard.services import Services
from watchfloor import __version__


def register(server: flask.Flask, services: Services) -> None:
    """Both checks, open to everyone: they tell no more than up or down."""

    @server.get("/health", endpoint="health")
    def health() -> Any:
        return {"status": "ok", "version": __version__}

    @server.get("/ready", endpoint="ready")
    def ready() -> Any:
        found = problems(services)
        return {"status": "unready" if found else "ok", "problems": found}, 503 if found else 200


def problems(services: Services) -> dict[str, str]:
    """What does not answer, and why."""
    checks: dict[str, Callable[[], object]] = {"database": services.store.ping, "redis": services.bus.ping}
    return {name: reason for name, check in checks.items() if (reason := _failure(check))}


def _failure(check: Callable[[], object]) -> str | None:
    from redis.exceptions import RedisError

    from data import StoreUnavailable

    try:
        check()
    except (StoreUnavailable, RedisError, OSError) as error:
        return str(error) or type(error).__name__
    return None
