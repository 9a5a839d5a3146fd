"""The log writer: log lines into the store, in order, apart from states, then announced with their ``seq``."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from threading import Event as Stop
from threading import Lock

import structlog
from redis.exceptions import RedisError

from data import Store, StoreUnavailable
from streaming import codec, keys
from streaming.bus import Bus, Read
from streaming.lease import LOOK, RENEW, Lease, this_process
from streaming.messages import LogBatch, LogsCommitted
from streaming.metrics import Meter
from streaming.metrics.exchange import publish_until
from streaming.operations.runner import Runner
from streaming.outage import Outage
from streaming.process import background, retry_store, settle_memory, stop_on_signals
from streaming.retention import Chooser, Sweeper, keep_tidy
from watchfloor.settings import Settings

log = structlog.get_logger()

_BATCH = 500  # stream entries in one commit
_IDLE_BLOCK_MS = 500
_TRIM_EVERY = 50  # commits
_BACKOFF_MAX = 2.0


class LogWriter:
    """The one writer of the log store; a second one waits until it has gone.

    One commit holds the lines and the stream position after them.
    """

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        name = f"{socket.gethostname()}-{os.getpid()}"
        self._lease = Lease(bus, keys.LOGS, this_process(name, bus.partitions.count))
        self._renew_at: float | None = None  # None: the lease isn't ours
        self._waits = False
        self._position: str | None = None  # None: not known yet, or not ours
        self._unsure = False  # whether a commit ended in an error: it may be there
        self._last_seq = 0
        self._commits = 0
        self.writing = Lock()  # around every change of the logs
        self.caught_up = False  # whether nothing waited at the last look
        self.meter = Meter("logs")
        self.meter.look(self._look)

    def run(self, stop: Stop) -> None:
        """Write until ``stop``; what is away is waited for."""
        wait, outage = 0.05, Outage()
        while not stop.is_set():
            try:
                if self._leads():
                    self.step()
                else:
                    stop.wait(LOOK)
                wait = 0.05
                outage.over()
            except (RedisError, StoreUnavailable, OSError) as error:
                outage.away("database" if isinstance(error, StoreUnavailable) else "redis", error)
                self._unsure = True
                stop.wait(wait)
                wait = min(wait * 2, _BACKOFF_MAX)
        with suppress(RedisError, OSError):
            self._lease.give_back()

    def _leads(self) -> bool:
        """Whether nobody else writes; asked once a second."""
        now = time.monotonic()
        if self._renew_at is not None and now < self._renew_at:
            return True
        self._renew_at = None
        other = self._lease.take()
        if other is None:
            self._renew_at, self._waits = now + RENEW, False
            return True
        if not self._waits:
            log.info("logs.waits", works=other.name)
        self._waits, self._position, self.caught_up = True, None, False
        return False

    def step(self) -> int:
        """Take what came, write it, announce it; how many lines were new."""
        if self._position is None or self._unsure:
            position = self._store.position(keys.LOGS)
            self._last_seq = self._store.last_log_seq()
            # What was stored before it could be announced: readers that lack it fetch it.
            self._bus.publish_logs(LogsCommitted((), after_seq=self._last_seq))
            self._position, self._unsure = position, False
        read = self._bus.read(keys.LOGS, self._position, count=_BATCH, block_ms=_IDLE_BLOCK_MS)
        self.caught_up = len(read) < _BATCH
        if not read:
            return 0
        batches = [batch for entry in read if (batch := self._decode(entry)) is not None]
        begun = time.perf_counter()
        with self.writing:
            entries = self._store.append_logs(read[-1].id, batches)
        self.meter["watchfloor_log_commit_seconds"].observe(time.perf_counter() - begun)
        self.meter["watchfloor_log_lines_total"].inc(len(entries))
        self._position = read[-1].id
        if entries:
            self._bus.publish_logs(LogsCommitted(tuple(entries), after_seq=self._last_seq))
            self._last_seq = entries[-1].seq
        self._trim()
        return len(entries)

    def _decode(self, entry: Read) -> LogBatch | None:
        try:
            return codec.decode_log_batch(entry.payload)
        except codec.DecodeError as error:
            self._bus.bury(keys.LOGS, entry, error.reason)
            self.meter["watchfloor_log_batches_buried_total"].inc()
            log.warning("log_batch.buried", id=entry.id, reason=error.reason)
            return None

    def _look(self) -> None:
        """What the figures say of this moment."""
        waiting = self._bus.waiting(keys.LOGS, self._position) if self._position else 0
        self.meter["watchfloor_log_batches_waiting"].set(waiting)
        with suppress(StoreUnavailable):
            self.meter["watchfloor_retention_waiting"].set(self._store.pruned_waiting())

    def _trim(self) -> None:
        self._commits += 1
        if self._commits % _TRIM_EVERY == 0 and self._position is not None:
            self._bus.trim(keys.LOGS, self._position)


def main(settings: Settings, stop: Stop | None = None) -> None:
    """Run the log writer, and retention and bulk operations beside it, until SIGTERM or SIGINT."""
    stop = stop or stop_on_signals()
    store = Store(settings.resolved_database_url, **settings.database_pool)
    bus = Bus.of(settings)
    writer = LogWriter(store, bus)
    retry_store(store.migrate, stop)
    chooser = Chooser(store, bus, settings.retention, settings.retention_step)
    sweeper = Sweeper(store, bus, settings.resolved_files_url, writer.writing)
    every, ready = settings.retention_every, lambda: writer.caught_up
    operations = Runner(store, bus, most=settings.operation_ahead, keep_days=settings.operation_days)
    with (
        background("operations", operations.run, stop),
        background("retention", keep_tidy, chooser, sweeper, stop, every, ready),
        background("metrics", publish_until, bus, writer.meter, stop),
    ):
        settle_memory()
        log.info("logs.started")
        try:
            writer.run(stop)
        finally:
            stop.set()
    store.close()
    bus.close()
