"""Gates of flows with a concurrency limit, as the executor keeps them: in memory as they are in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from data import Store
from engine.flow import Flow
from engine.ids import derived_id
from engine.slots import Gate, gate_id, take_turn
from streaming.executor.batch import Batch
from streaming.messages import Event, SlotEvent, SlotLimited


class Gates:
    """Read once, then kept, for there are as many as flows with a limit. A batch changes them at its commit.

    Each gate has one home, the executor that ``owns`` its id.
    """

    def __init__(self, store: Store, owns: Callable[[str], bool] = lambda gate_id: True) -> None:
        self._store = store
        self._owns = owns
        self._gates: dict[str, Gate] = {}

    def forget(self) -> None:
        """Read them again."""
        self._gates = {}

    def apply(self, batch: Batch, event: SlotEvent) -> None:
        """Apply an event to its gate, within ``batch``."""
        batch.add_turn(take_turn(batch.gates.get(event.execution_id) or self._gate(event.execution_id), event))

    def keep(self, gates: Mapping[str, Gate]) -> None:
        """Take over what was committed."""
        self._gates.update(gates)

    def new_limits(self, flows: Iterable[tuple[Flow, int]], now: datetime) -> list[Event]:
        """What gates are to know of ``flows`` (the newest, with revisions): limits that are others now.

        A flow that is deleted keeps the limit it had, for those that wait.
        """
        newest = {gate_id(flow.namespace, flow.id): (revision, flow.concurrency) for flow, revision in flows}
        events: list[Event] = []
        for gate in map(self._gate, filter(self._owns, self._store.gate_ids())):
            if gate.id not in newest:
                continue
            revision, concurrency = newest[gate.id]
            limit = concurrency.limit if concurrency else None
            if gate.limit != limit and revision >= gate.revision:
                events.append(SlotLimited(derived_id("slot-limit", gate.id, revision), gate.id, now, revision, limit))
        return events

    def _gate(self, gate_id: str) -> Gate:
        if gate_id not in self._gates:
            self._gates[gate_id] = self._store.gate(gate_id)
        return self._gates[gate_id]
