"""Schedule triggers: knows when each is due next and asks for its executions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog

from data.records import TriggerState
from engine.flow import Flow
from engine.ids import dated_id, derived_id
from engine.inputs import InputError, validate_inputs
from engine.model import Trigger
from engine.triggers import last_date, next_date
from streaming.messages import ExecutionCreated

log = structlog.get_logger()


class Scheduled:
    """One Schedule trigger of the newest revision of a flow."""

    def __init__(self, flow: Flow, revision: int, trigger: Any, next_at: datetime, last_at: datetime | None) -> None:
        self.flow = flow
        self.revision = revision
        self.trigger = trigger
        self.next_at = next_at
        self.last_at = last_at

    def state(self) -> TriggerState:
        """What the store keeps of it."""
        return TriggerState(self.flow.namespace, self.flow.id, self.trigger.id, self.next_at, self.last_at)


class Schedules:
    """All Schedule triggers of all enabled flows."""

    def __init__(self) -> None:
        self._scheduled: list[Scheduled] = []

    def replace(self, flows: Iterable[tuple[Flow, int]], known: Iterable[TriggerState], now: datetime) -> None:
        """Take the triggers of ``flows`` (with their revisions); a known trigger goes on from where it was.

        Of the dates missed while nothing ran, one execution is made: for the last of them.
        """
        states = {(state.namespace, state.flow_id, state.trigger_id): state for state in known}
        scheduled = []
        for flow, revision in flows:
            for trigger in flow.schedules():
                state = states.get((flow.namespace, flow.id, trigger.id))
                missed = state is not None and state.next_at is not None and state.next_at <= now
                next_at = last_date(trigger, now) if missed else next_date(trigger, now)
                if next_at is not None:
                    scheduled.append(Scheduled(flow, revision, trigger, next_at, state.last_at if state else None))
        self._scheduled = scheduled

    def next_due(self) -> datetime | None:
        """When the earliest one is due."""
        return min((item.next_at for item in self._scheduled), default=None)

    def take_due(self, now: datetime) -> list[ExecutionCreated]:
        """Executions due at ``now``; each trigger moves on to its next date after ``now``."""
        due = [item for item in self._scheduled if item.next_at <= now]
        events = [event for item in due if (event := self._event(item, now)) is not None]
        for item in due:
            item.last_at = item.next_at
            item.next_at = next_date(item.trigger, now) or datetime.max.replace(tzinfo=now.tzinfo)
        return events

    def states(self) -> list[TriggerState]:
        """What the store keeps, for the pages and the next start."""
        return [item.state() for item in self._scheduled]

    def _event(self, item: Scheduled, now: datetime) -> ExecutionCreated | None:
        flow, date = item.flow, item.next_at
        key = (flow.namespace, flow.id, item.trigger.id, date.isoformat())
        try:
            inputs = validate_inputs(flow, dict(item.trigger.inputs or {}))
        except InputError as error:
            log.error("schedule.refused", flow=f"{flow.namespace}.{flow.id}", errors=error.errors)
            return None
        upcoming = next_date(item.trigger, date)
        return ExecutionCreated(
            event_id=derived_id("schedule", *key),
            execution_id=dated_id(int(date.timestamp() * 1000), *key),
            at=now,
            namespace=flow.namespace,
            flow_id=flow.id,
            revision=item.revision,
            inputs=inputs,
            labels=dict(item.trigger.labels),
            trigger=Trigger(
                id=item.trigger.id,
                type=item.trigger.type,
                variables={"date": date.isoformat(), "next": upcoming.isoformat() if upcoming else None},
            ),
        )
