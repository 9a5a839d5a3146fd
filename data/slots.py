"""Slots of flows that limit how many of their executions run at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from data.database import Database
from data.records import ConcurrencyUse
from data.tables import flow_gate, flow_slot
from data.upserts import run_many, upsert
from engine.slots import HELD, Gate, Slot, gate_of

_slot_delete = sa.delete(flow_slot).where(
    flow_slot.c.gate == sa.bindparam("of"), flow_slot.c.execution_id == sa.bindparam("which")
)


class Slots(Database):
    """Written with each commit of the gate's executor, read when it starts and by the API."""

    def gate(self, gate_id: str) -> Gate:
        """A gate with everybody who holds or waits; an unknown one is empty."""
        slots = sa.select(flow_slot.c.execution_id, flow_slot.c.attempt, flow_slot.c.place)
        with self._read() as connection:
            ruled = connection.execute(sa.select(flow_gate).where(flow_gate.c.id == gate_id)).first()
            rows = connection.execute(slots.where(flow_slot.c.gate == gate_id)).all()
        held = {row.execution_id: Slot(row.attempt, row.place) for row in rows}
        return gate_of(gate_id, held, revision=ruled.revision, limit=ruled.most) if ruled else gate_of(gate_id, held)

    def gate_ids(self) -> list[str]:
        """All gates there ever were."""
        with self._read() as connection:
            return list(connection.scalars(sa.select(flow_gate.c.id).order_by(flow_gate.c.id)))

    def concurrency(self) -> list[ConcurrencyUse]:
        """Of each flow with a limit: how many of its executions hold a slot, and how many wait."""
        c = flow_slot.c
        holds = sa.func.sum(sa.case((c.place == HELD, 1), else_=0)).label("holds")
        used = sa.select(c.gate, holds, sa.func.count().label("n")).group_by(c.gate)
        with self._read() as connection:
            gates = connection.execute(sa.select(flow_gate).order_by(flow_gate.c.id)).all()
            counts = {row.gate: (row.holds, row.n - row.holds) for row in connection.execute(used)}
        uses = ((gate_of(row.id, {}), row.most, counts.get(row.id, (0, 0))) for row in gates)
        return [ConcurrencyUse(gate.namespace, gate.flow_id, most, *count) for gate, most, count in uses]


def write_slots(connection: sa.Connection, dialect: str, gates: Sequence[Gate], changed: Mapping[str, Any]) -> None:
    """Write gates; ``changed`` has for each gate's id the executions whose slot is another now."""
    rulings = [{"id": gate.id, "revision": gate.revision, "most": gate.limit} for gate in gates]
    run_many(connection, upsert(dialect, flow_gate), rulings)
    rows, gone = [], []
    for gate in gates:
        for execution_id in changed.get(gate.id, ()):
            slot = gate.slots.get(execution_id)
            if slot is None:
                gone.append({"of": gate.id, "which": execution_id})
            else:
                rows.append(
                    {"gate": gate.id, "execution_id": execution_id, "attempt": slot.attempt, "place": slot.place}
                )
    run_many(connection, _slot_delete, gone)
    run_many(connection, upsert(dialect, flow_slot), rows)
