"""Schedule triggers: which dates are due, what becomes of those that were missed, and backfills."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from engine.flow import Schedule
from engine.ids import dated_id, derived_id
from engine.model import evolve
from engine.trigger_state import Backfill, TriggerState
from engine.triggers.dates import dates, last_date, next_date
from engine.triggers.known import Known, Start, Turn

BACKFILL_LABEL = "system.backfill"
_LOOK = 500  # dates of a backfill looked at in one turn
_JOBS = ("missed", "backfill")
_ASKED = "asked:"  # how the id of a backfill begins that somebody asked for


def dated(known: Known, state: TriggerState, now: datetime) -> TriggerState:
    """The state with a next date: the one it has, or a new one when there is none or the cron is another."""
    if not _is_on(known, state):
        return evolve(state, next_at=None, rule=known.rule)
    if state.next_at is not None and state.rule in ("", known.rule):
        return evolve(state, rule=known.rule)
    return evolve(state, next_at=next_date(known.trigger, now), rule=known.rule)


def due(known: Known, state: TriggerState, now: datetime) -> Turn:
    """Give out the dates up to ``now``, and go on with what is made up for."""
    starts: list[Start] = []
    if state.next_at is not None and state.next_at <= now and _is_on(known, state):
        state = _give_out(known, state, now, starts)
    return pumped(known, evolve(state, evaluated_at=now), now, starts)


def pumped(known: Known, state: TriggerState, now: datetime, starts: list[Start]) -> Turn:
    """Start as many executions of the backfills as may run."""
    again = False
    for name in _JOBS:
        job: Backfill | None = getattr(state, name)
        if job is None:
            continue
        before = len(starts)
        if not job.paused and _is_on(known, state):
            job, more = _pump(known, job, starts)
            again = again or more
        if len(starts) > before:
            state = evolve(state, last_at=now, execution_id=starts[-1].execution_id)
        over = job.next_at is None and not job.running
        if over or job is not getattr(state, name):
            state = evolve(state, **{name: None if over else job})
    return Turn(state, tuple(starts), again=again)


def _is_on(known: Known, state: TriggerState) -> bool:
    return known.enabled and not state.disabled and isinstance(known.trigger, Schedule)


def _give_out(known: Known, state: TriggerState, now: datetime, starts: list[Start]) -> TriggerState:
    trigger: Any = known.trigger
    assert state.next_at is not None
    first, oldest = state.next_at, now - timedelta(seconds=known.rules.missed_after)
    if trigger.lateMaximumDelay is not None:
        first = max(first, now - timedelta(seconds=trigger.lateMaximumDelay))
    state = evolve(state, next_at=next_date(trigger, now))
    if state.next_at is not None and state.next_at <= now:
        raise ValueError(f"{known.key}: the date after {now} is {state.next_at}")
    if first >= oldest:
        chosen = _dates(trigger, first, now)
    else:
        policy = trigger.recoverMissedSchedules or known.rules.recover
        if policy == "ALL":
            return evolve(state, missed=_missed(known, state.missed, first, now))
        last = last_date(trigger, now)
        chosen = [last] if policy == "LAST" and last is not None and last >= first else []
        if policy == "NONE":
            chosen = _dates(trigger, max(first, oldest), now)
    for date in chosen:
        start = _start(known, date, ("schedule",), int(date.timestamp() * 1000))
        state = _taken(known, state, start, date, starts)
    return state


def _dates(trigger: Any, first: datetime, until: datetime) -> list[datetime]:
    just_before = first - timedelta(microseconds=1)
    return list(takewhile(lambda date: date <= until, dates(trigger, just_before)))


def _missed(known: Known, job: Backfill | None, first: datetime, now: datetime) -> Backfill:
    """What was missed, after what was missed before and is not made up for yet."""
    if job is not None:
        return evolve(job, end=now, next_at=job.next_at or first)
    return Backfill(derived_id("missed", known.key, first.isoformat()), first, now, first)


def _pump(known: Known, job: Backfill, starts: list[Start]) -> tuple[Backfill, bool]:
    """The backfill further on, and whether it has more to give out that nothing holds up."""
    looked = 0
    while job.next_at is not None and len(job.running) < known.rules.backfill_running:
        if looked >= _LOOK:
            return job, True
        looked += 1
        date, following = job.next_at, next_date(known.trigger, job.next_at)
        job = evolve(job, next_at=following if following is not None and following <= job.end else None)
        start = _made_up(known, job, date)
        if _fires(known, start, date):
            starts.append(start)
            job = evolve(job, started=job.started + 1, running=(*job.running, start.execution_id))
    return job, False


def _made_up(known: Known, job: Backfill, date: datetime) -> Start:
    """The execution of a backfill's date. What was missed has the ids it would have had in time."""
    start = _start(known, date, ("schedule",), int(date.timestamp() * 1000))
    if job.id.startswith(_ASKED):
        start = _start(known, date, ("backfill", job.id), _asked_ms(job) + job.started)
        start = evolve(start, labels={**job.labels, BACKFILL_LABEL: "true"}, inputs=job.inputs)
    return evolve(start, notify=True)


def _asked_ms(job: Backfill) -> int:
    """When it was asked for: its id is the event's, which begins with that."""
    return int(job.id.removeprefix(_ASKED).replace("-", "")[:12], 16)


def asked_backfill(id: str, known: Known, asked: Backfill) -> Backfill:
    """A backfill that somebody asks for, at its first date."""
    first = next_date(known.trigger, asked.start - timedelta(microseconds=1))
    return evolve(asked, id=f"{_ASKED}{id}", next_at=first if first is not None and first <= asked.end else None)


def _start(known: Known, date: datetime, words: tuple[str, ...], ms: int) -> Start:
    flow = known.flow
    kind, *rest = words
    key = (kind, *rest, flow.namespace, flow.id, known.trigger.id, date.isoformat())
    upcoming, previous = next_date(known.trigger, date), last_date(known.trigger, date - timedelta(microseconds=1))
    variables = {
        "date": date.isoformat(),
        "next": upcoming.isoformat() if upcoming else None,
        "previous": previous.isoformat() if previous else None,
    }
    return Start(key, date, variables, dated_id(ms, *key[1:]))


def _taken(known: Known, state: TriggerState, start: Start, date: datetime, starts: list[Start]) -> TriggerState:
    try:
        if not known.holds(start.variables, date, date):
            return state
    except ValueError as error:
        return evolve(state, error=f"{date.isoformat()}: conditions: {error}")
    starts.append(start)
    return evolve(state, last_at=date, execution_id=start.execution_id, error=None)


def _fires(known: Known, start: Start, date: datetime) -> bool:
    try:
        return known.holds(start.variables, date, date)
    except ValueError:
        return False
