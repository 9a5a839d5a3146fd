"""The executor: reads events in order, applies them, commits, and only then announces and acts.

One commit holds the changed rows, the stream position after them and an outbox of what is left to do. Whenever
the process ends, the next one continues at the position and does the outbox again: nothing is lost, nothing is
applied twice.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from threading import Event as Stop
from typing import get_args

import structlog
from redis.exceptions import RedisError

from data import Store, StoreUnavailable
from data.commits import NOWHERE
from data.records import Commit
from engine.ids import derived_id
from engine.reducer import Env, apply
from streaming import codec
from streaming.bus import Bus, Read
from streaming.executor.batch import Batch, Outbox, decode_outbox
from streaming.executor.cache import ExecutionCache
from streaming.executor.families import Families
from streaming.executor.figures import Figures
from streaming.executor.flows import KnownFlows, parsed
from streaming.executor.gates import Gates
from streaming.executor.performer import Dispatch, Performer
from streaming.executor.post import Post
from streaming.executor.pulse import Pulse
from streaming.executor.timers import Due, Timers
from streaming.executor.triggers import Triggers, rules_of
from streaming.lease import LOOK, this_process
from streaming.messages import Event, SlotEvent, TimerFired, TriggerEvent
from streaming.outage import Outage
from watchfloor.settings import Settings

log = structlog.get_logger()

_IDLE_BLOCK_MS = 250
_TRIM_EVERY = 50  # commits
_BACKOFF_MAX = 2.0
_REST_MAX = 0.04  # seconds
_TIDY_AFTER = 1.0  # seconds
_OF_HOMES = (*get_args(SlotEvent), *get_args(TriggerEvent))  # about no execution


def _now() -> datetime:
    return datetime.now(UTC)


class Executor:
    """The one reducer of a partition's event stream."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        bus: Bus,
        dispatch: Dispatch,
        env: Env,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.id = f"{socket.gethostname()}-{os.getpid()}"
        self._settings = settings
        self._store = store
        self._bus = bus
        self._env = env
        self._clock = clock
        self._performer = Performer(bus, dispatch)
        holder = this_process(self.id, bus.partitions.count)
        self._post = Post(settings.partition, bus.partitions, store, bus, self._performer, holder)
        self._stream = self._post.stream
        cap, cap_task_runs = settings.live_cache_executions, settings.live_cache_task_runs
        self._cache = ExecutionCache(store.load_many, cap, cap_task_runs)
        self._flows = KnownFlows(store.flow)
        self._families = Families(store.descendants, env.subflow_max_executions)
        self._timers = Timers()
        self._gates = Gates(store, self._post.owns)
        self._triggers = Triggers(rules_of(settings), env.evaluate, self._post.owns)
        self._flows_asked, self._flows_seen = 1, 0
        self._position = NOWHERE
        self._unsure = False  # whether a commit ended in an error: it may be there, or somebody else's
        self._at_work = False
        self._commits = 0
        self._done: list[int] = []
        self._performed_at = 0.0
        self._stop = Stop()
        self.figures = Figures()
        self.figures.meter.look(self._look)
        self.pulse = Pulse(self.id, bus, store, self._post, lambda: self._position, self.figures.lag)

    # -- life

    def run(self, stop: Stop) -> None:
        """Work until ``stop``; a server that goes away is waited for, never given up."""
        self._stop = stop
        while not stop.is_set():
            self._persist(self._turn)
        with suppress(RedisError, OSError):
            self._post.leave()
        log.info("executor.stopped", executor=self.id, position=self._position)

    def _turn(self) -> None:
        """A step, unless another executor works on this partition: then wait until it has gone."""
        if not self._post.held(doubt=self._unsure):
            self._at_work = False
            self._stop.wait(LOOK)
            return
        if not self._at_work:
            self._recover()
            self._at_work = True
            said = {"partition": self._post.partition, "position": self._position, "timers": len(self._timers)}
            log.info("executor.started", executor=self.id, **said)
        self.step()

    @property
    def works(self) -> bool:
        """Whether it is at work, not waiting as a standby."""
        return self._at_work

    def flows_changed(self) -> None:
        """Said from another thread: look at the flows again before the next step."""
        self._flows_asked += 1

    def _persist(self, work: Callable[[], object]) -> None:
        """Do ``work``, again and again while Redis or the database is away."""
        wait, outage = 0.05, Outage()
        while not self._stop.is_set():
            try:
                work()
            except StoreUnavailable as error:
                self.pulse.commit_problem = str(error)
                outage.away("database", error)
            except (RedisError, OSError) as error:
                outage.away("redis", error)
            else:
                outage.over()
                self.pulse.commit_problem = None
                return
            self._stop.wait(wait)
            wait = min(wait * 2, _BACKOFF_MAX)

    def _recover(self) -> None:
        """Take everything from the store: at the start, and when what is in memory may not be what is there."""
        self._cache.clear()
        self._store.forget()
        self._position = self._store.position(self._stream)
        mine = (timer for timer in self._store.timers() if self._post.owns(timer.execution_id))
        self._timers = Timers(Due(t.execution_id, t.key, t.due, t.task_run_id) for t in mine)
        self._gates.forget()
        self._families.forget()
        self._triggers.recover(self._store.trigger_states(gone=True))
        self._flows_seen = 0
        self._done = []
        for row in self._store.outbox(self._stream):
            self._performer.perform(decode_outbox(row.payload))
            self._done.append(row.id)
        self._unsure = False

    # -- one turn

    def step(self) -> int:
        """Fire what is due, then apply what came; how many events were applied."""
        if self._unsure:
            self._recover()
        self._fire_due()
        entries = self._bus.read(
            self._stream, self._position, count=self._settings.executor_batch, block_ms=self._block_ms()
        )
        if entries or self._is_due() or self._tidy():
            begun = time.monotonic()
            self._apply(entries)
            if len(entries) < self._settings.executor_batch:  # else more are waiting
                self._rest(time.monotonic() - begun)
        return len(entries)

    def _is_due(self) -> bool:
        """Whether flows changed, or a trigger has to look at the clock."""
        return self._flows_asked != self._flows_seen or self._triggers.due(self._clock())

    def _tidy(self) -> bool:
        """Whether an outbox that was carried out waits for a commit that doesn't come."""
        return bool(self._done) and time.monotonic() - self._performed_at > _TIDY_AFTER

    def _rest(self, took: float) -> None:
        """Leave half the time the commit took: larger commits cost less an event, and others get the processor."""
        self._stop.wait(min(took / 2, _REST_MAX))

    def _block_ms(self) -> int | None:
        if self._is_due():
            return None
        due = min(filter(None, (self._timers.next_due(), self._triggers.next_due())), default=None)
        if due is None:
            return _IDLE_BLOCK_MS
        until = int((due - self._clock()).total_seconds() * 1000) + 1
        return max(1, min(until, _IDLE_BLOCK_MS))

    def _fire_due(self) -> None:
        now = self._clock()
        events: list[Event] = [self._fired(timer, now) for timer in self._timers.take_due(now)]
        if events:
            self._persist(partial(self._bus.append_all, events))

    @staticmethod
    def _fired(timer: Due, now: datetime) -> TimerFired:
        event_id = derived_id("timer", timer.execution_id, timer.key, timer.due.isoformat())
        return TimerFired(event_id, timer.execution_id, now, timer.key, timer.task_run_id)

    def _refresh_flows(self, batch: Batch, now: datetime) -> None:
        """Look what the newest flows say of triggers and limits."""
        flows = [(flow, stored.revision) for stored in self._store.flows() if (flow := parsed(stored.source))]
        self._triggers.replace(flows, now, batch)
        for event in self._gates.new_limits(flows, now):
            batch.emit(event)

    def _look(self) -> None:
        """What the figures say of this moment; a standby has none."""
        if self._post.waits:
            return
        meter = self.figures.meter
        meter["watchfloor_events_waiting"].set(self._bus.waiting(self._stream, self._position))
        meter["watchfloor_timers"].set(len(self._timers))
        meter["watchfloor_executions_cached"].set(len(self._cache))
        meter["watchfloor_task_runs_cached"].set(self._cache.task_runs)

    # -- a batch

    def _apply(self, entries: list[Read]) -> None:
        events = [decoded for entry in entries if (decoded := self._decode(entry)) is not None]
        owns = self._post.owns
        wanted = {e.execution_id for _, e in events if not isinstance(e, _OF_HOMES) and owns(e.execution_id)}
        batch = Batch(self._cache.fetch(wanted))
        self._flows.look_again()
        begun = time.perf_counter()
        asked = self._flows_asked
        self._apply_all(batch, events, refresh=asked != self._flows_seen)
        self.figures.applied((event for _, event in events), time.perf_counter() - begun)
        position = entries[-1].id if entries else self._position
        outbox = batch.outbox(self.id, self._clock(), position, self._stream)
        begun = time.perf_counter()
        done = self._commit(batch, position, outbox)
        self.figures.committed(len(entries), len(batch.removed), time.perf_counter() - begun)
        self._position = position
        for execution in batch.executions:
            self.figures.moved(batch.before(execution.id), execution)
        self._cache.forget(batch.removed)
        self._cache.keep(batch.executions)
        self._gates.keep(batch.gates)
        self._triggers.keep(batch)
        self._flows_seen = asked
        self._take_timers(batch)
        if outbox is not None and done is not None:
            begun = time.perf_counter()
            self._persist(partial(self._performer.perform, outbox))
            self.figures.emitted(time.perf_counter() - begun)
            self._done = [done]
            self._performed_at = time.monotonic()
        self._trim()

    def _apply_all(self, batch: Batch, events: list[tuple[Read, Event]], refresh: bool) -> None:
        now = self._clock()
        if refresh:
            self._refresh_flows(batch, now)
        self._triggers.tick(batch, now)
        for entry, event in events:
            self._apply_one(batch, entry, event)

    def _decode(self, entry: Read) -> tuple[Read, Event] | None:
        try:
            return entry, codec.decode_event(entry.payload)
        except codec.DecodeError as error:
            self._bus.bury(self._stream, entry, error.reason)
            self.figures.buried()
            log.warning("event.buried", id=entry.id, reason=error.reason)
            return None

    def _apply_one(self, batch: Batch, entry: Read, event: Event) -> None:
        if not self._post.owns(event.execution_id):  # sent by who takes there to be another number of partitions
            batch.emit(event)
            return
        execution = batch.current(event.execution_id)
        try:
            if isinstance(event, SlotEvent):
                self._gates.apply(batch, event)
            elif isinstance(event, TriggerEvent):
                self._triggers.apply(batch, event, self._clock())
            else:
                event = self._flows.with_revision(event)
                if execution is None:
                    event = self._families.admit(event)
                batch.add(event, apply(execution, event, self._flows.of(execution, event), self._env))
                self._triggers.listen(batch, execution, batch.current(event.execution_id))
        except (StoreUnavailable, RedisError):
            raise
        except Exception as error:
            self._bus.bury(self._stream, entry, f"{type(error).__name__}: {error}")
            self.figures.buried()
            batch.failed(event, f"The executor failed at it and put it aside: {type(error).__name__}: {error}")
            log.exception("event.not_applied", id=entry.id, execution=event.execution_id)

    def _commit(self, batch: Batch, position: str, outbox: Outbox | None) -> int | None:
        commit = Commit(
            stream=self._stream,
            position=position,
            after=self._position,
            executions=batch.executions,
            removed=batch.removed,
            keeps=batch.keeps,
            task_runs=[(i, batch.current(i).task_runs[run]) for i, run in batch.task_runs],
            dropped=batch.dropped,
            metrics=batch.metrics,
            timers_set=batch.timers_set,
            timers_cancelled=batch.timers_cancelled,
            triggers=tuple(batch.triggers.values()),
            outbox=codec.encode(outbox) if outbox is not None else None,
            outbox_done=self._done,
            gates=tuple(batch.gates.values()),
            slots=batch.slots,
            partitions=self._post.partitions.count,
            answered=batch.answered,
            audited=batch.audited,
        )
        self._unsure = True
        with self.pulse.commit():
            outbox_id = self._store.commit(commit)
        self._unsure = False
        self._done = []
        return outbox_id

    def _take_timers(self, batch: Batch) -> None:
        for execution_id, key in batch.timers_cancelled:
            self._timers.cancel(execution_id, key)
        for timer in batch.timers_set:
            self._timers.set(timer)

    def _trim(self) -> None:
        self._commits += 1
        if self._commits % _TRIM_EVERY == 0:
            self._bus.trim(self._stream, self._position)
            self._bus.bound_deltas()
