"""What triggers know of themselves."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from data import blobs
from data.database import Database
from data.tables import trigger_state
from data.times import from_us_or_none, to_us_or_none
from data.upserts import run_many, upsert
from engine.trigger_state import TriggerState

_decode = msgspec.msgpack.Decoder(TriggerState).decode


class Triggers(Database):
    """Written with each commit of the trigger's executor, read when it starts, by pages and by the API."""

    def trigger_states(
        self, namespace: str | None = None, flow_id: str | None = None, *, gone: bool = False
    ) -> list[TriggerState]:
        """The state of each trigger, of one namespace or flow when given, by name; with those that are ``gone``."""
        c = trigger_state.c
        query = sa.select(trigger_state).order_by(c.namespace, c.flow_id, c.trigger_id)
        if namespace is not None:
            query = query.where(c.namespace == namespace)
        if flow_id is not None:
            query = query.where(c.flow_id == flow_id)
        with self._read() as connection:
            rows = connection.execute(query).all()
        states = map(_state, rows)
        return [state for state in states if gone or not state.gone]


def _state(row: sa.Row) -> TriggerState:
    if row.body is not None:
        return _decode(row.body)
    dates = from_us_or_none(row.next_at), from_us_or_none(row.last_at)
    return TriggerState(row.namespace, row.flow_id, row.trigger_id, *dates)


def write_triggers(connection: sa.Connection, dialect: str, states: Sequence[TriggerState]) -> None:
    """Write the states of triggers."""
    rows = [
        {
            "namespace": state.namespace,
            "flow_id": state.flow_id,
            "trigger_id": state.trigger_id,
            "next_at": to_us_or_none(state.next_at),
            "last_at": to_us_or_none(state.last_at),
            "body": blobs.encode(state),
        }
        for state in states
    ]
    run_many(connection, upsert(dialect, trigger_state), rows)
