"""Flow triggers: executions of other flows that together fulfil what is waited for."""

from __future__ import annotations

from typing import Any

from engine.flow import FlowTrigger
from engine.ids import dated_id
from engine.model import evolve
from engine.trigger_state import Met, TriggerState
from engine.triggers.known import Known, Start, Turn
from engine.upstream import Upstream
from streaming.messages import UpstreamChanged

_SEEN = 500  # events remembered, so that one delivered twice counts once


def variables_of(upstream: Upstream, outputs: dict[str, Any] | None = None) -> dict[str, Any]:
    """``trigger`` in expressions."""
    return {
        "executionId": upstream.execution_id,
        "namespace": upstream.namespace,
        "flowId": upstream.flow_id,
        "flowRevision": upstream.revision,
        "state": upstream.state.value,
        "startDate": upstream.start_date.isoformat(),
        "endDate": upstream.at.isoformat(),
        "labels": upstream.labels,
        "executionLabels": upstream.labels,
        "outputs": upstream.outputs if outputs is None else outputs,
    }


def upstream_changed(known: Known, state: TriggerState, event: UpstreamChanged) -> Turn:
    """Start when nothing is missing any more."""
    trigger, upstream = known.trigger, event.upstream
    if not isinstance(trigger, FlowTrigger) or not known.enabled or state.disabled or event.event_id in state.seen:
        return Turn(state)
    if trigger.waits is None:
        return _started(known, state, event, upstream.outputs, (upstream.execution_id,))
    span = trigger.waits.timeWindow.around(upstream.at)
    if span is None:
        return Turn(state)
    met = {name: one for name, one in state.met.items() if name in trigger.waits.names and one.at >= span[0]}
    met |= dict.fromkeys(event.met, Met(upstream.execution_id, upstream.at, upstream.outputs))
    state = evolve(state, met=met, seen=(*state.seen, event.event_id)[-_SEEN:], evaluated_at=event.at)
    if any(name not in met for name in trigger.waits.names):
        return Turn(state)
    outputs = {key: value for one in sorted(met.values(), key=_at) for key, value in one.outputs.items()}
    if trigger.waits.resetOnSuccess:
        state = evolve(state, met={})
    return _started(known, state, event, outputs, tuple(sorted({one.execution_id for one in met.values()})))


def _at(met: Met) -> Any:
    return met.at


def _started(
    known: Known, state: TriggerState, event: UpstreamChanged, outputs: dict[str, Any], by: tuple[str, ...]
) -> Turn:
    upstream, most = event.upstream, known.rules.chain_max
    if upstream.chain >= most:
        why = (
            f"not started by execution {upstream.execution_id}: expected at most {most} Flow triggers one after the "
            "other (WATCHFLOOR_FLOW_TRIGGER_MAX_CHAIN); do the flows start each other in a circle?"
        )
        return Turn(evolve(state, error=why, evaluated_at=event.at))
    key = ("flow-trigger", known.key, *by, event.event_id)
    started = dated_id(int(event.at.timestamp() * 1000), *key)
    start = Start(key, event.at, variables_of(upstream, outputs), started, chain=upstream.chain + 1)
    state = evolve(state, last_at=event.at, execution_id=started, error=None, evaluated_at=event.at)
    return Turn(state, (start,))
