"""``/health``: the process lives. ``/ready``: what it shows is true, because every part behind it answers.

Both say what each part's state is, and 503 when that is not good enough.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import flask
import msgspec
from redis.exceptions import RedisError

from dashboard.services import Services
from streaming.gateway.health import Health
from streaming.metrics.exchange import SILENT_AFTER, Published, published
from watchfloor import __version__

_OPTIONAL = frozenset({"worker"})  # without one nothing new runs, yet what is shown is true


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part: ``problem`` is ``None`` while it does its work. ``age_s``: since it was last heard of."""

    name: str
    problem: str | None = None
    took_ms: float | None = None
    age_s: float | None = None
    lag_s: float | None = None
    count: int | None = None

    @property
    def ok(self) -> bool:
        """It does its work."""
        return self.problem is None

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        known = {key: value for key, value in msgspec.to_builtins(self).items() if key != "name"}
        return {"state": "ok" if self.ok else "away", **known}


def register(server: flask.Flask, services: Services) -> None:
    """Both checks, open to everyone: they tell no more than up or down, and since when."""

    @server.get("/health", endpoint="health")
    def health() -> Any:
        dead = services.gateway.dead_threads() if services.gateway is not None else []
        problems = dict.fromkeys(dead, "this part of the process has ended: restart it")
        return _answer({"status": "dead" if dead else "ok", "version": __version__, "problems": problems}, bool(dead))

    @server.get("/ready", endpoint="ready")
    def ready() -> Any:
        found = parts(services)
        problems = {part.name: part.problem for part in found if not part.ok and part.name not in _OPTIONAL}
        told = {part.name: part.told() for part in found}
        status = "unready" if problems else "ok"
        return _answer({"status": status, "problems": problems, "parts": told}, bool(problems))


def _answer(content: dict[str, Any], bad: bool) -> flask.Response:
    answer = flask.jsonify(content)
    answer.status_code = 503 if bad else 200
    answer.headers["Cache-Control"] = "no-store"
    return answer


def parts(services: Services) -> list[Part]:
    """Every part behind this process, asked or heard of now."""
    gateway = services.gateway
    if gateway is None:
        return [_asked("database", services.store.ping), _asked("redis", services.bus.ping)]
    away = gateway.health.redis  # one that is known to be silent keeps nobody waiting either
    redis = Part("redis", away) if away is not None else _asked("redis", services.bus.ping)
    return [_database(gateway.health), redis, _executor(services), *_heard(services, redis)]


def _asked(name: str, check: Callable[[], object]) -> Part:
    from data import StoreUnavailable

    began = time.perf_counter()
    try:
        check()
    except (StoreUnavailable, RedisError, OSError) as error:
        return Part(name, str(error) or type(error).__name__)
    return Part(name, took_ms=round((time.perf_counter() - began) * 1000, 1))


def _database(health: Health) -> Part:
    """As the gateway, which asks it each second, found it: a database that never answers keeps nobody waiting here."""
    known = health.database_ms is not None
    return Part("database", health.database_here() or (None if known else "not asked yet"), health.database_ms)


def _executor(services: Services) -> Part:
    """By its heartbeat: silent, or unable to write what it applies, means that nothing shown is confirmed."""
    health = services.gateway.health
    age, _ = health.oldest_beat()
    beats = [beat for _, beat in health.beats() if beat is not None]
    problem = health.executor() if beats else "never heard of"
    if problem is None and (stuck := next((beat.database for beat in beats if beat.database is not None), None)):
        problem = f"can't write: {stuck}"
    lag = max((beat.lag_ms for beat in beats), default=None)
    return Part("executor", problem, age_s=age, lag_s=round(lag / 1000, 3) if lag is not None else None)


def _heard(services: Services, redis: Part) -> list[Part]:
    """Log writer and workers, by what they published last."""
    if not redis.ok:
        return [Part(name, "not known while Redis is away") for name in ("logs", "worker")]
    try:
        said = published(services.bus)
    except RedisError as error:
        return [Part(name, f"not known while Redis is away: {error}") for name in ("logs", "worker")]
    return [_of("logs", said), _of("worker", said)]


def _of(process: str, said: list[Published]) -> Part:
    ages = sorted(max(0.0, time.time() - one.at) for one in said if one.process == process)
    alive = [age for age in ages if age <= SILENT_AFTER]
    age = round(ages[0], 1) if ages else None
    if not alive:
        return Part(process, "never heard of" if age is None else f"silent for {age:.0f} s", age_s=age, count=0)
    return Part(process, age_s=age, count=len(alive))
