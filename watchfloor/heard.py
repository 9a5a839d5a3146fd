"""Checks of ``watchfloor doctor`` that ask Redis what the processes of all machines say: who works, and what waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from watchfloor.findings import Check, Finding, Verdict
from watchfloor.settings import Settings

if TYPE_CHECKING:
    from streaming.bus import Bus
    from streaming.metrics.exchange import Published

LAG_BAD = 5.0  # seconds; the same as the alert in docs/operations.md
JOBS_MANY = 100
BATCHES_MANY = 1_000
_NEWEST = 3
_REASON_SHOWN = 200  # characters


class Heard(msgspec.Struct, frozen=True):
    """What is in Redis: what each process published last, and how much waits there."""

    said: tuple[Published, ...]
    jobs: int
    dead_letters: int
    newest: tuple[str, ...]

    def fresh(self, process: str) -> list[Published]:
        """Those of one kind that live."""
        from streaming.metrics.exchange import fresh

        return fresh(one for one in self.said if one.process == process)

    def most(self, process: str, figure: str) -> float:
        """The highest value of a figure without labels among the live processes of one kind; 0 without any."""
        from prometheus_client.parser import text_string_to_metric_families

        found = (
            sample.value
            for one in self.fresh(process)
            for family in text_string_to_metric_families(one.text)
            for sample in family.samples
            if sample.name == figure
        )
        return max(found, default=0.0)


def listening(judge: Callable[[Heard], Finding]) -> Check:
    """A check of what is heard; while Redis is away, which is told by its own check, nothing is known."""

    def check(settings: Settings) -> Finding:
        import redis

        from streaming.bus import Bus

        bus = Bus.of(settings)
        try:
            return judge(hear(bus))
        except redis.RedisError as error:
            return Finding(Verdict.OK, f"not known ({type(error).__name__})")
        finally:
            bus.close()

    return check


def hear(bus: Bus) -> Heard:
    """Ask Redis. Raises ``RedisError``."""
    from streaming import keys
    from streaming.metrics.exchange import published

    entries = bus.redis.xrevrange(keys.DEAD_LETTERS, count=_NEWEST)
    newest = tuple(_letter(entry_id, fields) for entry_id, fields in entries)
    jobs = int(bus.redis.llen(keys.JOBS))
    return Heard(tuple(published(bus)), jobs, bus.length(keys.DEAD_LETTERS), newest)


def _letter(entry_id: bytes, fields: dict[bytes, bytes]) -> str:
    put_aside = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(int(entry_id.partition(b"-")[0]) / 1000))
    reason = fields.get(b"reason", b"no reason").decode("utf-8", "replace")
    stream, number = (fields.get(name, b"?").decode("utf-8", "replace") for name in (b"stream", b"id"))
    return f"{put_aside}  {stream} {number}: {' '.join(reason.split())[:_REASON_SHOWN]}"


def log_writer(heard: Heard) -> Finding:
    """One stores log lines; others may wait."""
    return _at_work(heard, "logs", "Start one with `watchfloor logs`: log lines wait in Redis, nothing is lost.")


def workers(heard: Heard) -> Finding:
    """Somebody runs tasks."""
    return _at_work(heard, "worker", "Start one with `watchfloor worker`, on any machine: until then no task runs.")


def _at_work(heard: Heard, process: str, mend: str) -> Finding:
    if not heard.said:
        return Finding(Verdict.OK, "nothing runs")
    alive = heard.fresh(process)
    if alive:
        return Finding(Verdict.OK, f"{len(alive)} at work: {', '.join(one.node for one in alive)}")
    last = [one for one in heard.said if one.process == process]
    silent = "; ".join(f"{one.node} is silent for {time.time() - one.at:.0f} s" for one in last)
    return Finding(Verdict.BAD, f"none at work{f': {silent}' if silent else ''}", mend)


def backlog(heard: Heard) -> Finding:
    """Nothing waits for long."""
    lag = heard.most("executor", "watchfloor_event_lag_seconds")
    events = heard.most("executor", "watchfloor_events_waiting")
    batches = heard.most("logs", "watchfloor_log_batches_waiting")
    said = f"{events:,.0f} events ({lag:.1f} s), {heard.jobs:,} jobs, {batches:,.0f} batches of log lines wait"
    mends = [
        words
        for much, words in (
            (
                lag > LAG_BAD,
                "The executor is behind: are commits slow (disk, database)? Else add partitions.",
            ),
            (heard.jobs > JOBS_MANY, "Jobs wait for workers: start more with `watchfloor worker`."),
            (batches > BATCHES_MANY, "Log lines wait: see whether the disk or the database is slow."),
        )
        if much
    ]
    return Finding(Verdict.WARN if mends else Verdict.OK, said, " ".join(mends))


def dead_letters(heard: Heard) -> Finding:
    """Nothing was put aside."""
    if not heard.dead_letters:
        return Finding(Verdict.OK, "none")
    words = f"{heard.dead_letters:,}, the newest:\n" + "\n".join(f"                 {line}" for line in heard.newest)
    mend = "See who sends them: another version? `XRANGE wf:dead-letters - +` has their bytes, `DEL` forgets them."
    return Finding(Verdict.WARN, words, mend)


CHECKS: dict[str, Check] = {
    "Log writer": listening(log_writer),
    "Workers": listening(workers),
    "Backlog": listening(backlog),
    "Dead letters": listening(dead_letters),
}
