"""One run: what is planned is asked for, faults happen, operators act, until all has ended."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime

import redis

from benchmarks.chaos.mix import Planned
from benchmarks.chaos.outcome import Outcome, outcome_of
from benchmarks.chaos.recount import miscounted
from benchmarks.chaos.rest import unrest
from benchmarks.chaos.world import World
from data.errors import StoreUnavailable
from engine.states import TERMINAL, Action, State
from streaming import keys
from streaming.messages import ActionRequested, Event

_ACTIONS = {"paused": Action.RESUME, "killed": Action.KILL}
_AGAIN = 2.0  # seconds after which an action is said again, or a fault tried again that had nothing to hit
_SEEN = 15.0  # seconds after the end within which the watcher must know what the store says


class NotEnded(RuntimeError):
    """Something had not ended when the time was over; the message names it."""


def schedule(seed: int, faults: list[str], seconds: float, more: int) -> list[tuple[float, str]]:
    """When what goes wrong: each fault once, and ``more`` of them again."""
    luck = random.Random(f"faults {seed}")
    drawn = [*faults, *luck.choices(faults, k=more)]
    return sorted((luck.uniform(0.5, seconds), fault) for fault in drawn)


class Run:
    """Drives one world. ``limit`` is how many seconds it may take; ``happened`` counts the faults by kind."""

    def __init__(self, world: World, plan: list[Planned], faults: list[tuple[float, str]], limit: float) -> None:
        self.happened: Counter[str] = Counter()
        self._world = world
        self._plan = plan
        self._to_ask = list(plan)
        self._faults = list(faults)
        self._limit = limit
        self._told: dict[str, float] = {}
        self._open = {planned.id: planned for planned in plan}

    def outcome(self) -> Outcome:
        """Go through with it; what is left. Raises ``NotEnded``."""
        began = time.monotonic()
        while left := self._left():
            now = time.monotonic() - began
            if now > self._limit:
                raise NotEnded(f"after {self._limit:.0f} s: {', '.join(left)}")
            self._world.tidy()
            with suppress(StoreUnavailable):
                self._ask(now)
                self._fail(now)
                self._look()
            time.sleep(0.05)
        ids = {f"{planned.number}-{planned.flow}": planned.id for planned in self._plan}
        return outcome_of(self._world.store, ids, self._world.side, self._wrong())

    def _wrong(self) -> list[str]:
        """What must not be at the end of any run."""
        buried = self._world.bus.redis.xlen(keys.DEAD_LETTERS)
        said = [f"{buried} events put aside"] if buried else []
        return said + miscounted(self._world.database_url) + self._unseen()

    def _unseen(self) -> list[str]:
        """What the watcher doesn't know, though it had time enough."""
        deadline = time.monotonic() + _SEEN
        while (said := self._world.watcher.differences(self._world.store)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return said

    def _ask(self, now: float) -> None:
        while self._to_ask and self._to_ask[0].at <= now:
            if not self._send(self._to_ask[0].event()):
                return
            self._to_ask.pop(0)

    def _fail(self, now: float) -> None:
        while self._faults and self._faults[0][0] <= now:
            _, fault = self._faults.pop(0)
            if self._world.do(fault):
                self.happened[fault] += 1
                print(f"  {now:5.1f} s  {fault}", file=sys.stderr)
            else:
                self._faults.append((now + _AGAIN, fault))

    def _send(self, event: Event) -> bool:
        try:
            self._world.bus.append(event)
        except redis.RedisError:
            return False
        return True

    def _look(self) -> None:
        """Forget what has ended, and act where somebody would."""
        rows = self._world.store.rows(list(self._open))
        for id, row in rows.items():
            if row.state in TERMINAL:
                del self._open[id]
            elif self._wants(self._open[id], row.state, row.last_task):
                self._act(self._open[id])

    def _wants(self, planned: Planned, state: State, task: str | None) -> bool:
        if time.monotonic() - self._told.get(planned.id, -_AGAIN) < _AGAIN:
            return False
        return (planned.flow == "paused" and state is State.PAUSED) or (
            planned.flow == "killed" and task == "long" and state is State.RUNNING
        )

    def _act(self, planned: Planned) -> None:
        action = _ACTIONS[planned.flow]
        event = ActionRequested(f"{action}-{planned.id}", planned.id, datetime.now(UTC), action, "operator")
        if self._send(event):
            self._told[planned.id] = time.monotonic()

    def _left(self) -> list[str]:
        """In words, what is still to come before this run is over."""
        if self._to_ask or self._faults:
            return [f"{len(self._to_ask)} executions to ask for", f"faults to come: {[f for _, f in self._faults]}"]
        try:
            return self._not_ended() or unrest(self._world.store, self._world.bus)
        except (StoreUnavailable, redis.RedisError) as error:
            return [str(error)]

    def _not_ended(self) -> list[str]:
        rows = self._world.store.rows(list(self._open))
        left = [
            f"{p.number}-{p.flow} {id}: {rows[id].state if id in rows else 'unknown'}" for id, p in self._open.items()
        ]
        return [f"{len(left)} executions have not ended: {', '.join(left[:10])}"] if left else []
