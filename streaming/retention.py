"""Retention at work: choosing what is too old, and clearing away what is left of it.

``Chooser`` tells the executor by events which executions go, a few at a time, and never more before those are gone:
an executor that is behind is not given more to do. ``Sweeper`` removes what is left of them, in short transactions
with rests in between. Both run in the process of the log writer, which is not on the way from an event to a page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from threading import Event as Stop
from typing import get_args

import msgspec
import structlog
from redis.exceptions import RedisError

from data import Store, StoreUnavailable
from data.files import Files
from data.retention import Remains
from engine.ids import new_id
from engine.model import Kind
from engine.retention import Rule, Rules, rule_of
from streaming import keys
from streaming.bus import Bus
from streaming.messages import ExecutionExpired, Removable

log = structlog.get_logger()

SETTLED = timedelta(seconds=60)  # ended at least so long ago: what it had to say has arrived
_ROWS = 500  # in one transaction
_SWEEP = 50  # executions whose counts and texts are tidied in one transaction
_LOOK = 0.05  # seconds between looks whether the executor is done
_LOOK_MAX = 1.0
_GIVE_UP = 60.0  # seconds without an answer to anything, then the round ends
_REFUSED = 3.0  # seconds after the others of its step went, then an execution is taken to be kept
_ASK_AGAIN = 3600.0
_REST = 4  # times as long as a step took
_REST_MAX = 2.0
_CLAIMS_AFTER = timedelta(hours=1)  # a claim that may still be needed goes by its own expiry
_BACKOFF = 5.0
_PARTS = get_args(Removable)


class Due(msgspec.Struct, frozen=True):
    """What retention finds in one namespace: its rule, how many have ended, how many of them are to go."""

    namespace: str
    rule: Rule
    ended: int
    expired: int


def _now() -> datetime:
    return datetime.now(UTC)


class Chooser:
    """Finds what the rules don't keep, and has it removed."""

    def __init__(self, store: Store, bus: Bus, rules: Rules, step: int, clock: Callable[[], datetime] = _now) -> None:
        self._store = store
        self._bus = bus
        self._rules = rules
        self._step = step
        self._clock = clock
        self._unanswered: tuple[list[str], float] = ([], 0.0)

    def due(self) -> list[Due]:
        """What a round would remove; nothing is changed."""
        found = []
        for namespace, ended in self._store.ended_by_namespace().items():
            rule = rule_of(self._rules, namespace)
            expired = 0
            if rule.days is not None:
                expired = self._store.count_ended(namespace, self._before(rule))
            if rule.count is not None:
                expired = max(expired, min(ended - rule.count, self._store.count_ended(namespace, self._settled())))
            found.append(Due(namespace, rule, ended, max(0, expired)))
        return found

    def round(self, stop: Stop, between: Callable[[], object] = lambda: None) -> int:
        """Remove everything the rules don't keep; how many went. ``between`` is called after each step.

        Ends early when the executor answers nothing: what it was told is still on its way then.
        """
        if self._is_waiting():
            return 0
        gone = 0
        kept: set[str] = set()  # refused by the executor: not asked for again in this round
        for ids, before in self._steps(kept):
            began = time.monotonic()
            self._bus.append_all([ExecutionExpired(new_id(), i, self._clock(), before) for i in ids])
            left = self._wait(ids, stop)
            if len(left) == len(ids):
                self._unanswered = (ids, time.monotonic())
                break
            kept |= left
            gone += len(ids) - len(left)
            took = time.monotonic() - began
            log.debug("retention.step", removed=len(ids) - len(left), refused=len(left), took_ms=round(took * 1000))
            between()
            if stop.wait(min(took * _REST, _REST_MAX)):
                break
        return gone

    def _is_waiting(self) -> bool:
        """Whether what was told last is not answered yet."""
        ids, asked_at = self._unanswered
        if len(self._store.existing(ids)) < len(ids) or time.monotonic() - asked_at > _ASK_AGAIN:
            self._unanswered = ([], 0.0)
        return bool(self._unanswered[0])

    def _steps(self, kept: set[str]) -> Iterator[tuple[list[str], datetime]]:
        """(a few ids, before when they ended) again and again, until nothing is left but ``kept``."""
        for namespace in self._store.ended_by_namespace():
            rule = rule_of(self._rules, namespace)
            while rule.days is not None and (ids := self._oldest(namespace, self._before(rule), self._step, kept)):
                yield ids, self._before(rule)
            while rule.count is not None and (over := self._over(namespace, rule.count)) > 0:
                ids = self._oldest(namespace, self._settled(), min(over, self._step), kept)
                if not ids:
                    break
                yield ids, self._settled()

    def _oldest(self, namespace: str, before: datetime, limit: int, kept: set[str]) -> list[str]:
        ids = self._store.oldest_ended(namespace, before, limit + len(kept))
        return [i for i in ids if i not in kept][:limit]

    def _over(self, namespace: str, count: int) -> int:
        return self._store.ended_by_namespace().get(namespace, 0) - count

    def _before(self, rule: Rule) -> datetime:
        return self._settled() if rule.age is None else min(self._clock() - rule.age, self._settled())

    def _settled(self) -> datetime:
        return self._clock() - SETTLED

    def _wait(self, ids: list[str], stop: Stop) -> set[str]:
        """Wait until the executor has come to the end of what it was told; those that are still there."""
        left, look, moved_at = set(ids), _LOOK, time.monotonic()
        while left and not stop.wait(look):
            before, left = left, self._store.existing(list(left))
            if len(left) < len(before):
                look, moved_at = _LOOK, time.monotonic()
            look = min(look * 2, _LOOK_MAX)
            if time.monotonic() - moved_at > (_GIVE_UP if len(left) == len(ids) else _REFUSED):
                break
        return left


def _has_settled(one: Remains) -> bool:
    """Whether it ended so long ago that nothing of it is on its way."""
    return one.row.end_date is not None and one.row.end_date < _now() - SETTLED


class Sweeper:
    """Clears away what is left of removed executions. ``writing`` is held around each change of the logs."""

    def __init__(
        self, store: Store, bus: Bus, files_url: str, writing: AbstractContextManager[object] | None = None
    ) -> None:
        self._store = store
        self._bus = bus
        self._files = Files(files_url)
        self._files_url = files_url.rstrip("/") + "/"
        self._writing = writing or nullcontext()

    def sweep(self, stop: Stop) -> int:
        """Clear away everything that is left; of how many executions."""
        swept = 0
        while not stop.is_set() and (some := self._store.pruned(_SWEEP)):
            back = self._store.existing([one.row.id for one in some])
            for one in some:
                if one.row.id not in back:  # else it was reported again, and its parts are in use
                    self._sweep_one(one, stop)
            if stop.is_set():
                break
            late = [one for one in some if not one.swept and not _has_settled(one)]
            done = [one for one in some if one not in late]
            self._store.put_off(late, _now() + SETTLED)
            if done:
                self._timed(lambda done=done: self._store.forget_pruned(done), stop)
            swept += len(some)
        return swept

    def _sweep_one(self, one: Remains, stop: Stop) -> None:
        execution_id = one.row.id
        while not stop.is_set() and (runs := self._store.task_runs_of(execution_id, _ROWS)):
            self._drop_claims(one, [(run.id, attempt.number) for run in runs for attempt in run.attempts])
            ids = [run.id for run in runs]
            self._timed(lambda ids=ids: self._store.drop_task_runs(execution_id, ids), stop)
        for part in _PARTS:
            if part not in one.keeps and not stop.is_set():
                getattr(self, f"_drop_{part}")(one, stop)

    def _drop_metrics(self, one: Remains, stop: Stop) -> None:
        while not stop.is_set() and self._store.drop_metrics(one.row.id, _ROWS) == _ROWS:
            self._rest(0.01, stop)

    def _drop_logs(self, one: Remains, stop: Stop) -> None:
        while not stop.is_set() and self._timed(lambda: self._drop_lines(one.row.id), stop) == _ROWS:
            pass

    def _drop_lines(self, execution_id: str) -> int:
        with self._writing:
            return self._store.drop_log_lines(execution_id, _ROWS)

    def _drop_claims(self, one: Remains, attempts: list[tuple[str, int]]) -> None:
        ended = one.row.end_date
        if attempts and ended is not None and ended < _now() - _CLAIMS_AFTER:
            self._bus.redis.unlink(keys.kill(one.row.id), *(keys.claim(*attempt) for attempt in attempts))

    def _drop_files(self, one: Remains, stop: Stop) -> None:
        row = one.row
        if row.kind is Kind.SYNTHETIC:
            return
        self._files.delete(f"{row.namespace}/{row.flow_id}/{row.id}")
        for uri in one.files:
            path = uri.removeprefix(self._files_url)
            if path != uri and path.startswith("inputs/") and ".." not in path:
                self._files.delete(path.rpartition("/")[0])

    def _timed(self, work: Callable[[], int | None], stop: Stop) -> int | None:
        began = time.monotonic()
        done = work()
        self._rest(time.monotonic() - began, stop)
        return done

    @staticmethod
    def _rest(took: float, stop: Stop) -> None:
        """Others get the database for longer than this had it."""
        stop.wait(min(took * _REST, _REST_MAX))


def keep_tidy(chooser: Chooser, sweeper: Sweeper, stop: Stop, seconds: float, ready: Callable[[], bool]) -> None:
    """Clear away what was deleted each second, and make a round every ``seconds``, until ``stop``, once ``ready``; what
    is away is tried again."""
    round_at = time.monotonic()
    while not stop.wait(_LOOK_MAX):
        if not ready():
            continue
        try:
            sweeper.sweep(stop)
            if (began := time.monotonic()) >= round_at:
                removed = chooser.round(stop, between=lambda: sweeper.sweep(stop))
                round_at = time.monotonic() + seconds
                if removed:
                    log.info("retention.round", removed=removed, took_ms=round((round_at - seconds - began) * 1000))
        except (StoreUnavailable, RedisError, OSError) as error:
            log.warning("retention.waits", error=str(error))
            stop.wait(_BACKOFF)
        except Exception:
            log.exception("retention.failed")
            stop.wait(seconds)
