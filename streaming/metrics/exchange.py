"""Figures of processes without a web server: published in Redis, brought together where Prometheus asks."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from threading import Event as Stop

import msgspec
import structlog
from redis.exceptions import RedisError

from streaming.bus import Bus
from streaming.metrics.meter import Meter

log = structlog.get_logger()

METRICS_KEY = "wf:metrics"  # hash: "<process>/<node>" → Published
EVERY = 2.0
SILENT_AFTER = 10.0  # seconds; what was published longer ago is not shown any more
_FORGET_AFTER = 3600.0
_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? ", re.MULTILINE)


class Published(msgspec.Struct, frozen=True, array_like=True):
    """What one process said last: when (seconds since the epoch), and its text."""

    at: float
    process: str
    node: str
    text: str


_decode = msgspec.msgpack.Decoder(Published).decode


def node_name() -> str:
    """This process among all: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


def publish(bus: Bus, meter: Meter) -> None:
    """Put the process's figures where every web process finds them. Raises ``RedisError``."""
    said = Published(time.time(), meter.process, node_name(), meter.text())
    bus.redis.hset(METRICS_KEY, f"{said.process}/{said.node}", msgspec.msgpack.encode(said))


def publish_until(bus: Bus, meter: Meter, stop: Stop, every: float = EVERY) -> None:
    """Publish every two seconds until ``stop``, then take it back; what is away is tried again."""
    while True:
        try:
            publish(bus, meter)
        except (RedisError, OSError) as error:
            log.debug("metrics.not_published", error=str(error))
        if stop.wait(every):
            break
    withdraw(bus, meter)


def withdraw(bus: Bus, meter: Meter) -> None:
    """The process ends: its figures are nobody's any more."""
    with suppress(RedisError, OSError):
        bus.redis.hdel(METRICS_KEY, f"{meter.process}/{node_name()}")


def published(bus: Bus) -> list[Published]:
    """What each process said last, those silent for an hour forgotten. Raises ``RedisError``."""
    found: dict[bytes, bytes] = bus.redis.hgetall(METRICS_KEY)
    said = {field: _decode(value) for field, value in found.items()}
    old = [field for field, one in said.items() if time.time() - one.at > _FORGET_AFTER]
    if old:
        bus.redis.hdel(METRICS_KEY, *old)
    return sorted((one for field, one in said.items() if field not in old), key=lambda one: (one.process, one.node))


def fresh(said: Iterable[Published], silent_after: float = SILENT_AFTER) -> list[Published]:
    """Those that were published lately."""
    return [one for one in said if time.time() - one.at <= silent_after]


def merged(said: Iterable[Published]) -> str:
    """One text of all: every family once, each sample with the labels ``process`` and ``node``."""
    heads: dict[str, str] = {}
    samples: dict[str, list[str]] = {}
    for one in said:
        for block in one.text.split("# HELP ")[1:]:
            family = block.split(" ", 1)[0]
            head, lines = _split(block)
            heads.setdefault(family, head)
            samples.setdefault(family, []).append(_labelled(lines, one))
    return "".join(f"# HELP {heads[family]}{''.join(lines)}" for family, lines in samples.items())


def _split(block: str) -> tuple[str, str]:
    """(help and type lines, samples) of a family."""
    first, second, rest = block.split("\n", 2)
    return f"{first}\n{second}\n", rest


def _labelled(lines: str, one: Published) -> str:
    added = f'process="{one.process}",node="{one.node}"'
    return _SAMPLE.sub(lambda found: f"{found[1]}{{{added}{',' + found[3] if found[3] else ''}}} ", lines)
