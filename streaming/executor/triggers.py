"""Triggers of all flows, as the executor keeps them: when they are due, what they start, who listens to whom."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import structlog

from engine.flow import Flow, FlowTrigger
from engine.ids import derived_id
from engine.model import Execution, Kind, evolve
from engine.trigger_state import TriggerState, trigger_of
from engine.triggers import Known, Rules, Turn, created, refreshed, take_turn, tick
from engine.triggers.known import Evaluate
from engine.triggers.upstream import variables_of
from engine.upstream import Upstream
from streaming.executor.batch import Batch
from streaming.messages import Event, TriggerEvent, UpstreamChanged
from watchfloor.settings import Settings

log = structlog.get_logger()


def rules_of(settings: Settings) -> Rules:
    """What the settings say of triggers."""
    return Rules(
        schedules=settings.schedules,
        recover=settings.recover_missed_schedules,
        missed_after=settings.schedule_missed_after,
        backfill_running=settings.backfill_running,
        chain_max=settings.flow_trigger_max_chain,
    )


class Triggers:
    """Each trigger has one home, the executor that ``owns`` its key: only that one keeps its state and its dates.

    A batch changes states at its commit; what was not committed is due again.
    """

    def __init__(self, rules: Rules, evaluate: Evaluate, owns: Callable[[str], bool] = lambda key: True) -> None:
        self._rules = rules
        self._evaluate = evaluate
        self._owns = owns
        self._known: dict[str, Known] = {}
        self._states: dict[str, TriggerState] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._due: set[str] = set()
        self._listeners: dict[tuple[str, str] | None, list[Known]] = {}

    # -- what there is

    def recover(self, states: Iterable[TriggerState]) -> None:
        """Begin with the states of the store."""
        self._states = {state.key: state for state in states if self._owns(state.key)}
        self._heap, self._due = [], set()

    def replace(self, flows: Iterable[tuple[Flow, int]], now: datetime, batch: Batch) -> None:
        """Take the triggers of ``flows`` (the newest revisions); those that are gone have no next date any more."""
        everything = [
            Known(flow, revision, trigger, self._evaluate, self._rules)
            for flow, revision in flows
            for trigger in flow.triggers
        ]
        self._listeners = _listeners(everything)
        self._known = {known.key: known for known in everything if self._owns(known.key)}
        for key, known in self._known.items():
            before = self._state(key)
            after = refreshed(known, evolve(before, gone=False) if before.gone else before, now)
            if after is not before or key not in self._states:
                batch.triggers[key] = evolve(after, updated_at=now)
            self._due.add(key)  # a backfill may go on now
        for key, state in self._states.items():
            if key not in self._known and not state.gone:
                batch.triggers[key] = evolve(state, next_at=None, gone=True, updated_at=now)

    def _state(self, key: str) -> TriggerState:
        return self._states.get(key) or trigger_of(key)

    # -- the clock

    def next_due(self) -> datetime | None:
        """When the earliest date is; some are due already when ``due`` says so."""
        while self._heap and self._is_stale(*self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: datetime) -> bool:
        """Whether some trigger has to look at the clock."""
        while (at := self.next_due()) is not None and at <= now:
            self._due.add(heapq.heappop(self._heap)[1])
        return bool(self._due)

    def tick(self, batch: Batch, now: datetime) -> None:
        """Let those that are due look at the clock, within ``batch``."""
        for key in sorted(self._due):
            known = self._known.get(key)
            if known is not None:
                self._tick(batch, known, batch.triggers.get(key) or self._state(key), now)

    def _tick(self, batch: Batch, known: Known, state: TriggerState, now: datetime) -> None:
        try:
            self._take(batch, known.key, state, known, tick(known, state, now), now)
        except Exception as error:  # one that can't be computed must not stop the others
            log.exception("trigger.stopped", trigger=known.key)
            batch.triggers[known.key] = evolve(state, next_at=None, error=f"{type(error).__name__}: {error}")

    def _is_stale(self, at: datetime, key: str) -> bool:
        state = self._states.get(key)
        return state is None or state.next_at != at

    # -- events

    def apply(self, batch: Batch, event: TriggerEvent, now: datetime) -> None:
        """Apply an event to its trigger, within ``batch``."""
        key = event.execution_id
        known, state = self._known.get(key), batch.triggers.get(key) or self._state(key)
        turn = take_turn(known, state, event)
        batch.answer(event, turn.refused)
        self._take(batch, key, state, known, turn, now)

    def _take(
        self, batch: Batch, key: str, before: TriggerState, known: Known | None, turn: Turn, now: datetime
    ) -> None:
        if turn.state is not before:
            batch.triggers[key] = turn.state
        if turn.state.error is not None and turn.state.error != before.error:
            log.warning("trigger.did_not_start", trigger=key, error=turn.state.error)
        if turn.again:
            batch.again.add(key)
        for event in turn.given:
            batch.emit(event)
        if known is not None:
            for start in turn.starts:
                batch.emit(created(known, start, now))

    def keep(self, batch: Batch) -> None:
        """Take over what was committed."""
        self._due = set(batch.again)
        for key, state in batch.triggers.items():
            self._states[key] = state
            if state.next_at is not None:
                heapq.heappush(self._heap, (state.next_at, key))

    # -- Flow triggers

    def listen(self, batch: Batch, before: Execution | None, after: Execution | None) -> None:
        """Tell the Flow triggers that wait for a state which the execution came to, within ``batch``."""
        if not self._listeners or after is None or after is before or after.kind is not Kind.NORMAL:
            return
        for event in self._heard(before, after):
            batch.emit(event)

    def _heard(self, before: Execution | None, after: Execution) -> Iterator[Event]:
        seen = len(before.history) if before is not None else 1
        new = list(enumerate(after.history))[seen:]
        by_name = self._listeners.get((after.namespace, after.flow_id), [])
        for known in (*by_name, *self._listeners.get(None, [])) if new else ():
            for place, change in new:
                if change.state not in known.trigger.states:  # type: ignore[attr-defined]
                    continue
                upstream = Upstream(
                    execution_id=after.id,
                    namespace=after.namespace,
                    flow_id=after.flow_id,
                    revision=after.revision,
                    state=change.state,
                    start_date=after.start_date,
                    at=change.date,
                    labels=after.labels,
                    outputs=after.outputs,
                    chain=after.chain,
                )
                if met := _met(known, upstream):
                    event_id = derived_id("upstream", known.key, after.id, place)
                    yield UpstreamChanged(event_id, known.key, change.date, upstream, met)


def _listeners(everything: Iterable[Known]) -> dict[tuple[str, str] | None, list[Known]]:
    """Flow triggers by the flow they wait for, ``None`` for those that may wait for any."""
    found: dict[tuple[str, str] | None, list[Known]] = defaultdict(list)
    for known in everything:
        if isinstance(known.trigger, FlowTrigger) and known.enabled:
            for flow in known.trigger.flows or (None,):
                found[flow].append(known)
    return dict(found)


def _met(known: Known, upstream: Upstream) -> tuple[str, ...]:
    try:
        return known.met(upstream, variables_of(upstream))
    except ValueError as error:
        log.warning("trigger.condition_failed", trigger=known.key, execution=upstream.execution_id, error=str(error))
        return ()
