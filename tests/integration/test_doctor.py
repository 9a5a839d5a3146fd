"""``doctor`` on a machine where nothing runs: what the processes of other machines say in Redis."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from streaming import keys
from streaming.bus import Bus, Read
from streaming.metrics import Meter
from streaming.metrics.exchange import METRICS_KEY, Published
from watchfloor.findings import Finding, Verdict
from watchfloor.heard import CHECKS, JOBS_MANY
from watchfloor.product import free_port
from watchfloor.settings import Settings


class Elsewhere:
    """What other machines' processes say."""

    def __init__(self, bus: Bus, url: str) -> None:
        self.bus = bus
        self._settings = Settings(_env_file=None, redis_url=url)

    def says(self, process: str, node: str, seconds_ago: float = 0.0, **figures: float) -> None:
        """A process published its figures."""
        meter = Meter(process)
        for name, value in figures.items():
            meter[f"watchfloor_{name}"].set(value)
        said = Published(time.time() - seconds_ago, process, node, meter.text())
        self.bus.redis.hset(METRICS_KEY, f"{process}/{node}", msgspec.msgpack.encode(said))

    def found(self, check: str) -> Finding:
        return CHECKS[check](self._settings)


@pytest.fixture
def elsewhere(bus: Bus, valkey_url: str) -> Elsewhere:
    return Elsewhere(bus, valkey_url)


def test_where_nothing_runs_nothing_is_missing(elsewhere: Elsewhere) -> None:
    assert {name: elsewhere.found(name).verdict for name in CHECKS} == dict.fromkeys(CHECKS, Verdict.OK)
    assert elsewhere.found("Workers").what == "nothing runs"


@pytest.mark.parametrize(
    ("check", "process", "command"),
    [("Log writer", "logs", "`watchfloor logs`"), ("Workers", "worker", "`watchfloor worker`")],
)
def test_a_process_that_no_machine_has_is_missed(elsewhere: Elsewhere, check: str, process: str, command: str) -> None:
    elsewhere.says("executor", "one:1")
    missing = elsewhere.found(check)
    assert (missing.verdict, missing.what) == (Verdict.BAD, "none at work")
    assert command in missing.mend
    elsewhere.says(process, "two:2", seconds_ago=30)
    assert elsewhere.found(check).what == "none at work: two:2 is silent for 30 s"
    elsewhere.says(process, "three:3")
    assert elsewhere.found(check) == Finding(Verdict.OK, "1 at work: three:3")


@pytest.mark.parametrize(
    ("process", "figures", "said", "mend"),
    [
        ("executor", {"event_lag_seconds": 7.5, "events_waiting": 1200}, "1,200 events (7.5 s)", "executor is behind"),
        ("logs", {"log_batches_waiting": 5000}, "5,000 batches", "Log lines wait"),
    ],
)
def test_what_waits_for_long_is_told(
    elsewhere: Elsewhere, process: str, figures: dict[str, Any], said: str, mend: str
) -> None:
    elsewhere.says(process, "idle:1")
    assert elsewhere.found("Backlog").verdict is Verdict.OK
    elsewhere.says(process, "busy:2", **figures)
    found = elsewhere.found("Backlog")
    assert (found.verdict, said in found.what, mend in found.mend) == (Verdict.WARN, True, True), found
    elsewhere.says(process, "busy:2", seconds_ago=60, **figures)  # who is silent says nothing of now
    assert elsewhere.found("Backlog").verdict is Verdict.OK


def test_jobs_that_no_worker_takes_are_told(elsewhere: Elsewhere) -> None:
    elsewhere.bus.redis.rpush(keys.JOBS, *range(JOBS_MANY + 1))
    found = elsewhere.found("Backlog")
    assert (found.verdict, "101 jobs" in found.what, "start more" in found.mend) == (Verdict.WARN, True, True)


def test_dead_letters_are_told_with_their_reasons(elsewhere: Elsewhere) -> None:
    for number in range(5):
        elsewhere.bus.bury(keys.EVENTS, Read(f"{number}-0", b"\xc1"), f"not an event, {number}")
    found = elsewhere.found("Dead letters")
    assert found.verdict is Verdict.WARN
    assert found.what.startswith("5, the newest:")
    assert [number for number in range(5) if f"wf:events {number}-0: not an event, {number}" in found.what] == [2, 3, 4]
    assert "XRANGE wf:dead-letters" in found.mend


@pytest.mark.parametrize("check", CHECKS)
def test_without_redis_nothing_is_known(check: str) -> None:
    found = CHECKS[check](Settings(_env_file=None, redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    assert (found.verdict, found.what) == (Verdict.OK, "not known (ConnectionError)")
