"""A trigger's turn: an event that is about it, or the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from engine.flow import Schedule
from engine.model import evolve
from engine.states import BAD_ENDS
from engine.trigger_state import Backfill, TriggerAction, TriggerState
from engine.triggers import schedule
from engine.triggers.known import Known, Turn
from engine.triggers.upstream import upstream_changed
from streaming.messages import TriggerCalled, TriggerEnded, TriggerEvent, TriggerRequested, UpstreamChanged


def refreshed(known: Known, state: TriggerState, now: datetime) -> TriggerState:
    """The state under the newest revision of the flow."""
    return schedule.dated(known, state, now)


def tick(known: Known, state: TriggerState, now: datetime) -> Turn:
    """What the clock makes of it: dates that are due, and what is made up for."""
    return schedule.due(known, state, now)


def take_turn(known: Known | None, state: TriggerState, event: TriggerEvent) -> Turn:
    """What an event makes of it. ``known`` is ``None`` when no flow has such a trigger (any more)."""
    match event:
        case TriggerEnded():
            turn = _ended(known, state, event)
        case TriggerRequested():
            turn = _requested(known, state, event)
        case TriggerCalled():
            turn = _called(known, state, event)
        case UpstreamChanged():
            turn = upstream_changed(known, state, event) if known is not None else Turn(state)
    return turn if turn.state is state else evolve(turn, state=evolve(turn.state, updated_at=event.at))


def _called(known: Known | None, state: TriggerState, event: TriggerCalled) -> Turn:
    if known is None or not known.enabled or state.disabled:
        return Turn(state)
    started = event.created.execution_id
    return Turn(evolve(state, last_at=event.at, execution_id=started, error=None), given=(event.created,))


def _ended(known: Known | None, state: TriggerState, event: TriggerEnded) -> Turn:
    """An execution of it is over: its place among the running ones is free."""
    for name in ("missed", "backfill"):
        job: Backfill | None = getattr(state, name)
        if job is not None and event.child_id in job.running:
            job = evolve(
                job,
                running=tuple(i for i in job.running if i != event.child_id),
                ended=job.ended + 1,
                failed=job.failed + (event.state in BAD_ENDS),
            )
            state = evolve(state, **{name: job})
    if known is None:
        return Turn(state)
    if event.state in known.trigger.stopAfter and not state.disabled:
        why = f"execution {event.child_id} ended {event.state}, and stopAfter says so"
        state = schedule.dated(known, evolve(state, disabled=True, why=why), event.at)
    return schedule.pumped(known, state, event.at, [])


# -- requests


def _requested(known: Known | None, state: TriggerState, event: TriggerRequested) -> Turn:
    if known is None:
        return Turn(state, refused=f"There is no trigger {state.trigger_id} in {state.namespace}.{state.flow_id}.")
    return _REQUESTS[event.action](known, state, event)


def _disable(known: Known, state: TriggerState, event: TriggerRequested) -> Turn:
    off = evolve(state, disabled=True, why=f"switched off by {event.actor}")
    return Turn(schedule.dated(known, off, event.at))


def _enable(known: Known, state: TriggerState, event: TriggerRequested) -> Turn:
    on = evolve(state, disabled=False, why=None, error=None)
    return schedule.pumped(known, schedule.dated(known, on, event.at), event.at, [])


def _restart(known: Known, state: TriggerState, event: TriggerRequested) -> Turn:
    """Anew from now: the next date, and nothing seen in a window yet."""
    anew = evolve(state, next_at=None, error=None, met={}, missed=None)
    return Turn(schedule.dated(known, anew, event.at))


def _unlock(known: Known, state: TriggerState, event: TriggerRequested) -> Turn:
    return Turn(state, refused="It is not locked: a trigger here never waits for the execution before.")


def _delete(known: Known, state: TriggerState, event: TriggerRequested) -> Turn:
    """Forget all that is known of it; it is in the flow's file, so it begins anew."""
    fresh = TriggerState(state.namespace, state.flow_id, state.trigger_id)
    return Turn(schedule.dated(known, fresh, event.at))


def _create_backfill(known: Known, state: TriggerState, event: TriggerRequested) -> Turn:
    refused = _no_backfill(known, state, event)
    if refused is not None:
        return Turn(state, refused=refused)
    assert event.backfill is not None
    job = schedule.asked_backfill(event.event_id, known, event.backfill)
    if job.next_at is None:
        return Turn(state, refused=f"The schedule has no date from {job.start.isoformat()} to {job.end.isoformat()}.")
    return schedule.pumped(known, evolve(state, backfill=job), event.at, [])


def _no_backfill(known: Known, state: TriggerState, event: TriggerRequested) -> str | None:
    if not isinstance(known.trigger, Schedule):
        return "Only a Schedule has dates to make up for."
    if not known.enabled or state.disabled:
        return "The trigger is disabled: enable it first."
    if state.backfill is not None:
        return "A backfill of this trigger is going on: wait for its end, or delete it."
    if event.backfill is None or event.backfill.start > event.backfill.end or event.backfill.end > event.at:
        return "Expected a start before the end, and an end that is not in the future."
    return None


def _change_backfill(change: Callable[[Backfill], Backfill | None]) -> Callable[[Known, TriggerState, object], Turn]:
    def request(known: Known, state: TriggerState, event: TriggerRequested) -> Turn:
        if state.backfill is None:
            return Turn(state, refused="No backfill of this trigger is going on.")
        changed = evolve(state, backfill=change(state.backfill))
        return schedule.pumped(known, changed, event.at, [])

    return request  # type: ignore[return-value]


_REQUESTS: dict[TriggerAction, Callable[[Known, TriggerState, TriggerRequested], Turn]] = {
    TriggerAction.DISABLE: _disable,
    TriggerAction.ENABLE: _enable,
    TriggerAction.RESTART: _restart,
    TriggerAction.UNLOCK: _unlock,
    TriggerAction.DELETE: _delete,
    TriggerAction.BACKFILL_CREATE: _create_backfill,
    TriggerAction.BACKFILL_PAUSE: _change_backfill(lambda job: evolve(job, paused=True)),
    TriggerAction.BACKFILL_CONTINUE: _change_backfill(lambda job: evolve(job, paused=False)),
    TriggerAction.BACKFILL_DELETE: _change_backfill(lambda job: None),
}
