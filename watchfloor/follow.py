"""One execution, followed in a terminal: its states and its log lines as they come."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime

import redis
from rich.console import Console
from rich.text import Text

from data import Store, StoreUnavailable
from engine.ids import successor_id
from engine.model import TaskRun
from engine.states import STATES, TERMINAL, State
from streaming import codec, keys
from streaming.bus import Bus, Subscription, split_live
from streaming.messages import Deltas, ExecutionDelta, ExecutionRow, LogEntry

_COLOURS = {
    "waiting": "bright_black",
    "running": "blue",
    "retrying": "yellow",
    "paused": "magenta",
    "killed": "red",
    "success": "green",
    "warning": "bright_yellow",
    "failed": "bold red",
    "skipped": "bright_black",
}
_LEVELS = {"ERROR": "red", "WARN": "yellow", "DEBUG": "bright_black", "TRACE": "bright_black"}
_LOOK_EVERY = 2.0  # seconds between looks into the store, in case a message was missed
_LAST_LINES_WAIT = 5.0


class Follower:
    """Prints what ``subscription`` (live changes and log lines) says about one execution.

    Where that is RETRIED by a new one, the new one is followed from then on: ``execution_id`` is always the last.
    """

    def __init__(self, execution_id: str, subscription: Subscription, store: Store, bus: Bus, console: Console) -> None:
        self.execution_id = execution_id
        self.state: State | None = None
        self.version = -1
        self._subscription = subscription
        self._store = store
        self._bus = bus
        self._console = console
        self._followed = [execution_id]
        self._task_states: dict[str, State] = {}
        self._last_seq = 0
        self._gap = False
        self._looked_at = time.monotonic()

    def step(self) -> State | None:
        """Take what came, or wait a moment for it; the state of the execution as far as known."""
        try:
            heard = self._subscription.get(0.2)
        except redis.RedisError:  # it comes back by itself; what was said meanwhile is in the store
            self._gap, heard = True, None
            time.sleep(0.5)
        if heard is not None:
            channel, payload = heard
            if channel == keys.LIVE_LOGS:
                if self._gap:
                    self._catch_up()
                self._print_entries(codec.decode_logs_committed(payload).entries)
            else:
                self._take_live(payload)
        elif time.monotonic() - self._looked_at > _LOOK_EVERY:
            with suppress(StoreUnavailable):
                self._look()
        return self.state

    def finish(self) -> None:
        """Print the lines that are still on their way."""
        last = self._bus.last_id(keys.LOGS)
        end = time.monotonic() + _LAST_LINES_WAIT
        while _order(self._store.position(keys.LOGS)) < _order(last) and time.monotonic() < end:
            self.step()
        self._catch_up()

    def summary(self) -> None:
        """Print how it ended and how long it took."""
        row = self._store.row(self.execution_id)
        if row is not None and row.end_date is not None:
            seconds = (row.end_date - row.start_date).total_seconds()
            style = _COLOURS[STATES[row.state].token]
            self._console.print(Text.assemble((row.state.value, style), f" after {seconds:.1f} s"))

    def _catch_up(self) -> None:
        self._gap = False
        seen = newest = self._last_seq
        for execution_id in self._followed:
            self._last_seq = seen
            while entries := self._store.logs_after(execution_id, self._last_seq):
                self._print_entries(tuple(entries))
            newest = max(newest, self._last_seq)
        self._last_seq = newest

    def _take_live(self, payload: bytes) -> None:
        message = codec.decode_live(split_live(payload)[1])
        if isinstance(message, Deltas):
            for delta in message.items:
                if delta.row.id == self.execution_id:
                    self._take(delta)

    def _take(self, delta: ExecutionDelta) -> None:
        row = delta.row
        ends = row.state in TERMINAL
        if not ends:
            self._set(row)
        for run in delta.task_runs:
            if self._task_states.get(run.id) is not run.state:
                self._task_states[run.id] = run.state
                self._print_state(run.history[-1].date, run.state, _name(run), run.error)
        if ends:
            self._set(row)

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        row = self._store.row(self.execution_id)
        if row is not None:
            self._set(row)

    def _set(self, row: ExecutionRow) -> None:
        if row.version <= self.version:
            return
        changed, self.state, self.version = row.state is not self.state, row.state, row.version
        if changed:
            self._print_state(row.changed_at, row.state, "the execution", row.error)
        if row.state is State.RETRIED and row.end_date is not None:
            self._follow(successor_id(row.id, row.end_date))

    def _follow(self, execution_id: str) -> None:
        """Go on with the execution that took the place of the one followed so far."""
        self._console.print(f"Execution {execution_id}", markup=False)
        self.execution_id, self.state, self.version = execution_id, None, -1
        self._followed.append(execution_id)

    def _print_state(self, at: datetime, state: State, what: str, error: str | None) -> None:
        said = f"{what}: {error}" if error and state is State.FAILED else what
        self._line(at, state.value, _COLOURS[STATES[state].token], said)

    def _print_entries(self, entries: tuple[LogEntry, ...]) -> None:
        for entry in entries:
            if entry.execution_id in self._followed and entry.seq > self._last_seq:
                self._last_seq = entry.seq
                where = f"{entry.task_id}  " if entry.task_id else ""
                self._line(entry.date, entry.level, _LEVELS.get(entry.level, ""), f"{where}{entry.message}")

    def _line(self, at: datetime, word: str, style: str, text: str) -> None:
        moment = at.astimezone().strftime("%H:%M:%S.%f")[:-3]
        self._console.print(
            Text.assemble((moment, "bright_black"), "  ", (f"{word:<9}", style), "  ", text), soft_wrap=True
        )


def _name(run: TaskRun) -> str:
    if run.value is not None:
        return f"{run.task_id} [{run.value}]"
    return run.task_id if run.iteration is None else f"{run.task_id} [#{run.iteration + 1}]"


def _order(stream_id: str) -> tuple[int, int]:
    milliseconds, _, number = stream_id.partition("-")
    return int(milliseconds), int(number or 0)
