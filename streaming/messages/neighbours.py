"""Events of what is not an execution: the gates of flows with a limit, and triggers (``wf:events``)."""

from __future__ import annotations

from typing import Literal

from engine.states import State
from engine.trigger_state import Backfill, TriggerAction
from engine.upstream import Upstream
from streaming.messages.events import Accepted, ExecutionCreated

Decision = Literal["GRANTED", "QUEUED", "CANCEL", "FAIL"]


class SlotAsked(Accepted, frozen=True, omit_defaults=True, tag="slot_asked"):
    """An execution wants one of its flow's slots. ``execution_id`` is the gate's (``engine.slots.gate_id``).

    ``forced``: it runs already, whatever the limit says.
    """

    asker: str
    attempt: int
    revision: int
    limit: int
    behavior: Literal["QUEUE", "CANCEL", "FAIL"] = "QUEUE"
    forced: bool = False


class SlotFreed(Accepted, frozen=True, omit_defaults=True, tag="slot_freed"):
    """An execution wants its slot, or its place in the queue, no more. ``execution_id`` is the gate's."""

    holder: str


class SlotLimited(Accepted, frozen=True, omit_defaults=True, tag="slot_limited"):
    """A newer revision of the flow has another limit (``None``: no limit). ``execution_id`` is the gate's."""

    revision: int
    limit: int | None = None


class SlotDecided(Accepted, frozen=True, omit_defaults=True, tag="slot_decided"):
    """What the gate says to the execution's ``attempt``: GRANTED, QUEUED, or what its flow wants when all is taken."""

    gate: str
    attempt: int
    decision: Decision
    limit: int = 0


SlotEvent = SlotAsked | SlotFreed | SlotLimited


class TriggerRequested(Accepted, frozen=True, omit_defaults=True, tag="trigger_requested"):
    """Somebody's action on a trigger. ``execution_id`` is the trigger's (``engine.triggers.trigger_key``).

    ``backfill`` is what is asked for by ``BACKFILL_CREATE``.
    """

    action: TriggerAction
    actor: str
    backfill: Backfill | None = None


class TriggerCalled(Accepted, frozen=True, omit_defaults=True, tag="trigger_called"):
    """A Webhook was called; ``created`` is what it starts. ``execution_id`` is the trigger's."""

    created: ExecutionCreated


class TriggerEnded(Accepted, frozen=True, omit_defaults=True, tag="trigger_ended"):
    """An execution ended that the trigger wants to hear of. ``execution_id`` is the trigger's."""

    child_id: str
    state: State


class UpstreamChanged(Accepted, frozen=True, omit_defaults=True, tag="upstream_changed"):
    """An execution came to a state that fulfils ``met`` of what a Flow trigger waits for. ``execution_id`` is its."""

    upstream: Upstream
    met: tuple[str, ...]


TriggerEvent = TriggerRequested | TriggerCalled | TriggerEnded | UpstreamChanged
