"""What a person or a script may ask of a trigger, and calls of webhooks.

As with executions: checked, written to the audit, appended as an event; the answer comes back as a delta.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Protocol

import msgspec
import structlog

from data import Store
from engine.flow import Flow, FlowError, Schedule, Trigger, Webhook, is_template, parse_stored
from engine.ids import new_id
from engine.trigger_state import Backfill, TriggerAction, TriggerState, trigger_key
from engine.triggers import Known, Start, created, dates
from engine.triggers.known import Evaluate
from streaming.bus import Bus
from streaming.commands import CommandError, FlowDisabled
from streaming.messages import TriggerAnswer, TriggerCalled, TriggerRequested

log = structlog.get_logger()

_COUNTED = 1_000  # dates of a backfill that are counted one by one


class TriggerNotFound(CommandError):
    """There is no such trigger."""


class BackfillRefused(CommandError):
    """A backfill that can't be made."""


class WebhookNotFound(CommandError):
    """There is no webhook with that key."""

    def __init__(self) -> None:
        super().__init__("There is no webhook at this address.")


class WebhookRefused(CommandError):
    """A call that doesn't fit what the flow asks for."""


class Call(msgspec.Struct, frozen=True):
    """A call of a webhook. ``body`` is JSON as values, else text; ``parameters`` are lists by name."""

    body: Any
    headers: dict[str, list[str]]
    parameters: dict[str, list[str]]
    path: str | None = None


class TriggerAnswers(Protocol):
    """Where the answers arrive (the gateway)."""

    def wait_trigger(self, event_id: str, timeout: float) -> TriggerAnswer | None:
        """The answer to the event; ``None`` after ``timeout`` seconds."""
        ...


class TriggerCommands:
    """Acts on triggers in the name of an actor, and takes calls of webhooks."""

    def __init__(self, store: Store, bus: Bus, answers: TriggerAnswers | None = None) -> None:
        self._store = store
        self._bus = bus
        self._answers = answers

    def trigger(self, namespace: str, flow_id: str, trigger_id: str) -> Trigger:
        """A trigger of the newest revision of a flow. Raises TriggerNotFound."""
        flow = self._flow(namespace, flow_id)
        for trigger in flow[0].triggers if flow else ():
            if trigger.id == trigger_id:
                return trigger
        raise TriggerNotFound(f"There is no trigger {trigger_id} in {namespace}.{flow_id}.")

    def state(self, namespace: str, flow_id: str, trigger_id: str) -> TriggerState:
        """What a trigger knows of itself; of a new one nothing is known yet. Raises TriggerNotFound."""
        self.trigger(namespace, flow_id, trigger_id)
        known = self._store.trigger_states(namespace, flow_id)
        found = (state for state in known if state.trigger_id == trigger_id)
        return next(found, TriggerState(namespace, flow_id, trigger_id))

    def ask(
        self,
        action: TriggerAction,
        namespace: str,
        flow_id: str,
        trigger_id: str,
        *,
        actor: str,
        origin: str = "ui",
        backfill: Backfill | None = None,
    ) -> str:
        """Ask for an action on a trigger; the id of the event, for ``wait``. Raises TriggerNotFound."""
        self.trigger(namespace, flow_id, trigger_id)
        event_id, key = new_id(), trigger_key(namespace, flow_id, trigger_id)
        after = {"start": backfill.start, "end": backfill.end} if backfill else None
        self._store.audit(actor, f"trigger-{action}", key.removeprefix("triggers/"), None, after=after, origin=origin)
        self._bus.append(TriggerRequested(event_id, key, datetime.now(UTC), action, actor, backfill))
        log.info("trigger.requested", trigger=key, request=action.value, actor=actor, origin=origin)
        return event_id

    def wait(self, event_id: str, timeout: float) -> TriggerAnswer | None:
        """The answer to a request; ``None`` when none came within ``timeout`` seconds."""
        if self._answers is None:
            raise RuntimeError("These commands were made without a place where answers arrive.")
        return self._answers.wait_trigger(event_id, timeout)

    def backfill(self, namespace: str, flow_id: str, trigger_id: str, asked: Backfill, max_dates: int) -> int:
        """About how many dates a backfill has. Raises BackfillRefused when it makes no sense or has too many."""
        trigger = self.trigger(namespace, flow_id, trigger_id)
        if not isinstance(trigger, Schedule):
            raise BackfillRefused("Only a Schedule has dates to make up for.")
        if asked.start > asked.end:
            raise BackfillRefused(f"Expected a start before the end, came {asked.start} and {asked.end}.")
        count = date_count(trigger, asked.start, asked.end)
        if count > max_dates:
            raise BackfillRefused(
                f"Expected at most {max_dates:,} dates (WATCHFLOOR_BACKFILL_MAX_DATES), these are about {count:,}; "
                "choose a shorter time and make several backfills."
            )
        return count

    # -- webhooks

    def call(
        self, namespace: str, flow_id: str, key: str, call: Call, evaluate: Evaluate
    ) -> tuple[str, Webhook] | None:
        """Start what a webhook starts: the execution's id; ``None`` when its conditions don't hold.

        Raises WebhookNotFound, FlowDisabled and WebhookRefused.
        """
        known = self._webhook(namespace, flow_id, key, evaluate)
        now = datetime.now(UTC)
        variables = msgspec.structs.asdict(call)
        try:
            if not known.holds(variables, now):
                return None
        except ValueError as error:
            raise WebhookRefused(f"The conditions can't be evaluated: {error}") from error
        execution_id = new_id()
        event = created(known, Start(("webhook", execution_id), now, variables, execution_id), now)
        if event.problem is not None:
            raise WebhookRefused(f"Nothing was started: {event.problem}")
        after = {"flow": f"{namespace}.{flow_id}", "trigger": known.trigger.id}
        self._store.audit("webhook", "execute", execution_id, None, after=after, origin="trigger")
        self._bus.append(TriggerCalled(new_id(), known.key, now, event))
        log.info("webhook.called", trigger=known.key, execution=execution_id)
        assert isinstance(known.trigger, Webhook)
        return execution_id, known.trigger

    def _webhook(self, namespace: str, flow_id: str, key: str, evaluate: Evaluate) -> Known:
        flow, revision = self._flow(namespace, flow_id) or (None, 0)
        found: Known | None = None
        for trigger in flow.triggers if flow else ():
            if isinstance(trigger, Webhook):
                known = Known(flow, revision, trigger, evaluate)  # type: ignore[arg-type]
                if same_key(_key(known, trigger), key):
                    found = found or known
        if found is None:
            raise WebhookNotFound
        states = self._store.trigger_states(namespace, flow_id)
        off = any(state.disabled for state in states if state.trigger_id == found.trigger.id)
        if off or not found.enabled:
            raise FlowDisabled("This webhook is disabled.")
        return found

    def _flow(self, namespace: str, flow_id: str) -> tuple[Flow, int] | None:
        stored = self._store.flow(namespace, flow_id)
        if stored is None:
            return None
        try:
            return parse_stored(stored.source), stored.revision
        except FlowError:
            return None


def same_key(key: str, given: str) -> bool:
    """Whether a key is the one that was given, in a time that doesn't tell how much of it is right."""
    return bool(key) and hmac.compare_digest(key.encode(), given.encode())


def _key(known: Known, trigger: Webhook) -> str:
    if not is_template(trigger.key):
        return trigger.key
    try:
        return str(known.render(trigger.key, known.context({}), datetime.now(UTC)))
    except ValueError as error:
        log.warning("webhook.key_unreadable", trigger=known.key, error=str(error))
        return ""


def date_count(trigger: Trigger, start: datetime, end: datetime) -> int:
    """How many dates a schedule has from ``start`` to ``end``: exactly up to a thousand, above that about."""
    found = [date for date in islice(dates(trigger, start - timedelta(microseconds=1)), _COUNTED) if date <= end]
    if len(found) < _COUNTED:
        return len(found)
    return int(len(found) * (end - start) / max(found[-1] - found[0], timedelta(seconds=1)))
