"""Feeds the executor with the executions of bulk operations, at the pace that others' events can bear.

Bound: ``Pace``, so that live events never wait long behind an operation. What was told is known by its answers alone,
which the executor writes with its commits: a runner that begins (the one before was killed) first lets the executor
come to the end of what is in the streams; what has no answer then was never told. Event ids are derived from operation
and execution, so that one told twice all the same is done once.
"""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event as Stop
from typing import Any

import msgspec
import structlog
from redis.exceptions import RedisError

from data import Store, StoreUnavailable
from data.operation_records import Answered, Operation, OperationState, Result
from engine.ids import derived_id
from engine.states import Action
from streaming import keys
from streaming.bus import Bus
from streaming.details import NEWEST
from streaming.lease import LOOK, RENEW, Lease, this_process
from streaming.messages import ActionDetails, ActionRequested, OperationsChanged
from streaming.operations.asked import made_id, makes_another
from streaming.operations.pace import Pace
from streaming.outage import Outage

log = structlog.get_logger()

LEASE = "operations"
NO_ANSWER = "The executor gave no answer, though it was told three times."
_POLL = 0.01  # seconds between two looks at the answers of what runs
_IDLE = 1.0  # and at whether something is to be run, when nobody says so
_AT_ONCE = 8  # operations that go on side by side; later ones wait
_AHEAD = 1_000  # executions of an operation read at once
_SENT_EVERY = 1.0  # seconds between two notes of how far it is
_STALLED = 5.0  # seconds without an answer, then it is looked whether what was told got lost
_TRIES = 3
_ABANDONED = timedelta(minutes=10)  # PREPARING so long: who wrote it down has died
_TIDY = 60.0  # seconds between two looks for old operations
_BACKOFF_MAX = 2.0


class Running:
    """One operation that goes on: what of it is next, and how much of what was told has no answer."""

    def __init__(self, operation: Operation, barrier: dict[str, str]) -> None:
        self.operation = operation
        self.details = msgspec.convert(operation.details, ActionDetails)
        self.position = 0
        self.noted_at = 0.0
        self.tries = 1
        self.newest: dict[tuple[str, str], int] = {}
        self.begin(operation, barrier, 0.0)

    def begin(self, operation: Operation, barrier: dict[str, str], at: float) -> None:
        """From the first one on, once the streams are read up to ``barrier``."""
        self.operation = operation
        self.barrier = barrier
        self.doubt: dict[str, str] | None = None
        self.next: deque[tuple[int, str]] = deque()
        self.read_up_to = 0
        self.exhausted = False
        self.told = 0
        self.answered_before = operation.answered
        self.moved_at = at

    @property
    def outstanding(self) -> int:
        """How many have been told of and not answered."""
        return max(0, self.told - (self.operation.answered - self.answered_before))


class Runner:
    """Runs what operations there are, unless another process does. ``most``: the most that are told ahead."""

    def __init__(
        self, store: Store, bus: Bus, *, most: int, keep_days: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._keep = timedelta(days=keep_days)
        self._lease = Lease(bus, LEASE, this_process(f"operations-{socket.gethostname()}-{os.getpid()}", 1))
        self._renew_at: float | None = None
        self._running: dict[str, Running] = {}
        self._tidy_at = 0.0
        self._most = most
        self.pace = Pace(most)

    # -- life

    def run(self, stop: Stop) -> None:
        """Work until ``stop``; what is away is waited for."""
        wait, outage = 0.05, Outage()
        while not stop.is_set():
            try:
                with self._bus.subscription(keys.CONTROL) as control:
                    self._work(stop, control)
            except (RedisError, StoreUnavailable, OSError) as error:
                outage.away("database" if isinstance(error, StoreUnavailable) else "redis", error)
                self._forget()
                stop.wait(wait)
                wait = min(wait * 2, _BACKOFF_MAX)
            except Exception:
                log.exception("operations.failed")
                self._forget()
                stop.wait(_BACKOFF_MAX)
            else:
                outage.over()
                wait = 0.05
        with suppress(RedisError, OSError):
            self._lease.give_back()

    def _work(self, stop: Stop, control: Any) -> None:
        while not stop.is_set():
            if not self._leads():
                stop.wait(LOOK)
            elif self.step():
                stop.wait(_POLL)
            else:
                self._tidy(stop)
                control.get(timeout=_IDLE)

    def _leads(self) -> bool:
        now = self._clock()
        if self._renew_at is not None and now < self._renew_at:
            return True
        led, self._renew_at = self._renew_at is not None, None
        if self._lease.take() is not None:
            if led:
                self._forget()
            return False
        self._renew_at = now + RENEW
        return True

    def _forget(self) -> None:
        """What was told is not known any more: begin by the answers."""
        self._renew_at = None
        self._running.clear()
        self.pace = Pace(self._most)

    # -- a turn

    def step(self) -> bool:
        """Look at the answers and tell of some more; whether anything is left to do."""
        unfinished = self._store.unfinished_operations()
        known = {one.id for one in unfinished}
        for gone in self._running.keys() - known:
            self.pace.forget(self._running.pop(gone).outstanding)
        for operation in unfinished[:_AT_ONCE]:
            self._look(operation)
        ready = [one for one in self._running.values() if self._is_ready(one)]
        for number, one in enumerate(ready):
            self._send(one, -(-self.pace.free // (len(ready) - number)))
        return any(one.state is not OperationState.PREPARING for one in unfinished)

    def _look(self, operation: Operation) -> None:
        if operation.state is OperationState.PREPARING:
            if operation.created_at < datetime.now(UTC) - _ABANDONED:
                self._end(operation, OperationState.STOPPED)
            return
        one = self._running.get(operation.id)
        if one is None:
            one = self._running[operation.id] = Running(operation, self._barrier())
            one.moved_at = self._clock()
        answered = operation.answered - one.operation.answered
        if answered:
            one.moved_at, one.doubt = self._clock(), None
            self.pace.answer(min(answered, one.outstanding), one.moved_at)
        one.operation = operation
        stopping = operation.state is OperationState.STOPPING
        if one.outstanding == 0 and not one.barrier and ((one.exhausted and not one.next) or stopping):
            self._end(operation, OperationState.STOPPED if stopping else OperationState.DONE)
        elif one.outstanding and self._clock() - one.moved_at > _STALLED:
            self._stalled(one)

    def _is_ready(self, one: Running) -> bool:
        """Whether more of it may be told."""
        if one.barrier and not self._passed(one.barrier):
            return False
        if one.barrier:
            self._begin_anew(one)
        return one.operation.state is OperationState.RUNNING and not (one.exhausted and not one.next)

    def _begin_anew(self, one: Running) -> None:
        """From the first one on. What was told before is answered: it counts for nothing that is told from now on."""
        one.begin(self._store.operation(one.operation.id) or one.operation, {}, self._clock())

    def _barrier(self) -> dict[str, str]:
        """How far each stream of events is filled."""
        return {stream: self._bus.last_id(stream) for stream in self._bus.partitions.streams}

    def _passed(self, barrier: dict[str, str]) -> bool:
        """Whether the executors have come so far."""
        return all(_number(self._store.position(stream)) >= _number(last) for stream, last in barrier.items())

    # -- telling

    def _send(self, one: Running, count: int) -> None:
        some = self._take(one, count)
        if not some:
            return
        now, ids = datetime.now(UTC), [execution_id for _, execution_id in some]
        revisions = self._revisions(one, ids)
        self._bus.append_all([self._event(one, i, revisions.get(i, one.details.revision), now) for i in ids])
        at = self._clock()
        one.told += len(some)
        one.position = some[-1][0]
        if one.outstanding == len(some):
            one.moved_at = at
        self.pace.tell(len(some), at)
        if at - one.noted_at > _SENT_EVERY:
            one.noted_at = at
            self._store.operation_sent(one.operation.id, one.position)

    def _take(self, one: Running, count: int) -> list[tuple[int, str]]:
        if count > 0 and not one.next and not one.exhausted:
            one.next.extend(self._store.unanswered_items(one.operation.id, one.read_up_to, _AHEAD))
            one.exhausted = len(one.next) < _AHEAD
            one.read_up_to = one.next[-1][0] if one.next else one.read_up_to
        return [one.next.popleft() for _ in range(min(count, len(one.next)))]

    def _event(self, one: Running, execution_id: str, revision: int | None, now: datetime) -> ActionRequested:
        operation = one.operation
        details = msgspec.structs.asdict(one.details) | {"operation": operation.id}
        if makes_another(operation):
            details |= {"new_id": made_id(operation, execution_id), "revision": revision}
        return ActionRequested(
            event_id=derived_id("operation", operation.id, execution_id),
            execution_id=execution_id,
            at=now,
            action=Action(operation.action),
            actor=operation.actor,
            reason=operation.reason,
            **details,
        )

    def _revisions(self, one: Running, ids: list[str]) -> dict[str, int]:
        """The newest revision of each one's flow, where that is asked for."""
        if one.details.revision != NEWEST:
            return {}
        rows = self._store.rows(ids).values()
        for flow in {(row.namespace, row.flow_id) for row in rows} - one.newest.keys():
            stored = self._store.flow(*flow)
            one.newest[flow] = stored.revision if stored is not None else 0
        return {row.id: one.newest[row.namespace, row.flow_id] or row.revision for row in rows}

    # -- ends

    def _end(self, operation: Operation, state: OperationState) -> None:
        one = self._running.pop(operation.id, None)
        if one is not None:
            self._store.operation_sent(operation.id, one.position)
        if self._store.end_operation(operation.id, state):
            said = {"done": operation.done, "refused": operation.refused, "unknown": operation.unknown}
            log.info("operation.ended", operation=operation.id, state=state.value, **said)
        self._bus.tell(OperationsChanged((operation.id,)))

    def _stalled(self, one: Running) -> None:
        """No answer for long. While the executor is behind that is why; else what was told got lost on the way."""
        if one.doubt is None:
            one.doubt = self._barrier()
        if not self._passed(one.doubt):
            return
        log.warning("operation.unanswered", operation=one.operation.id, executions=one.outstanding, tries=one.tries)
        self.pace.forget(one.outstanding)
        if one.tries < _TRIES:
            one.tries += 1
            self._begin_anew(one)
            return
        lost = self._store.unanswered_items(one.operation.id, 0, one.outstanding)
        self._store.answer_items(
            [Answered(one.operation.id, i, Result.REFUSED, NO_ANSWER) for at, i in lost if at <= one.position]
        )

    def _tidy(self, stop: Stop) -> None:
        """Forget what is too old, a part at a time."""
        if self._clock() < self._tidy_at:
            return
        self._tidy_at = self._clock() + _TIDY
        for operation_id in self._store.old_operations(datetime.now(UTC) - self._keep, _AT_ONCE):
            while not stop.is_set() and self._store.forget_operation_step(operation_id):
                stop.wait(LOOK)
            self._bus.tell(OperationsChanged((operation_id,)))


def _number(stream_id: str) -> tuple[int, int]:
    ms, _, number = stream_id.partition("-")
    return int(ms), int(number or 0)
