"""Actions on executions in which the reducer starts nothing: others run them, or their flow's revision is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.effects import Effect, Emit, StopTasks
from engine.ids import derived_id
from engine.model import Execution, StateChange, TaskRun, evolve
from engine.reducer.delete import kept_of
from engine.reducer.env import Applied, Env
from engine.reducer.labels import labels_after
from engine.reducer.reported import is_foreign, is_reported
from engine.states import TERMINAL, Action, State, refusal, wrong_target
from streaming.messages import ActionRequested, Answer, SlotFreed

_NOT_OURS = "Only what Watchfloor runs itself can be acted on so; this one is reported by something else."
_FLOW_GONE = "The revision of the flow that this execution runs is gone, so nothing can run in it any more."
_REMEMBERED = 20


def act_without_flow(execution: Execution, event: ActionRequested, env: Env) -> Applied:
    """Kill, labels, change of status and delete do what they do everywhere, everything else is refused."""
    if event.event_id in execution.recent_actions:
        return Applied(execution)
    done = refusal(event.action, execution.state, insist=event.include_non_terminated)
    done = done or _ACTIONS.get(event.action, _cannot)(execution, event, env)
    if isinstance(done, str):
        return Applied(execution, answers=(Answer(event.event_id, event.action, done),))
    changed = done.execution
    if changed is not None:
        changed = evolve(changed, recent_actions=(*changed.recent_actions, event.event_id)[-_REMEMBERED:])
    return evolve(done, execution=changed, answers=(Answer(event.event_id, event.action),))


def _cannot(execution: Execution, event: ActionRequested, env: Env) -> str:
    return _NOT_OURS if is_reported(execution) else _FLOW_GONE


def _changed(execution: Execution, event: ActionRequested, *states: State, **changes: Any) -> Execution:
    at = max(event.at, execution.changed_at or event.at)
    history = (*execution.history, *(StateChange(state, at) for state in states))
    state = history[-1].state
    return evolve(execution, state=state, history=history, version=execution.version + 1, changed_at=at, **changes)


def _set_labels(execution: Execution, event: ActionRequested, env: Env) -> Applied | str:
    labels = labels_after(execution.labels, event.labels, env.max_labels)
    return labels if isinstance(labels, str) else Applied(_changed(execution, event, labels=labels))


def _change_status(execution: Execution, event: ActionRequested, env: Env) -> Applied | str:
    if (wrong := wrong_target(event.action, event.state)) is not None or event.state is None:
        return wrong or ""
    states = () if event.state is execution.state else (event.state,)
    error = None if event.state is State.SUCCESS else execution.error
    return Applied(_changed(execution, event, *states, error=error))


def _kill(execution: Execution, event: ActionRequested, env: Env) -> Applied | str:
    if is_foreign(execution):
        return _NOT_OURS
    runs = {run.id: _killed(run, event) for run in execution.task_runs.values() if run.state not in TERMINAL}
    stopped = tuple(run.last_attempt_id for run in runs.values() if run.attempts)
    effects: tuple[Effect, ...] = (StopTasks(execution.id, stopped),) if stopped else ()
    if execution.slot is not None:
        event_id = derived_id("slot-freed", execution.id, execution.attempt_number)
        effects = (*effects, Emit(SlotFreed(event_id, execution.slot, event.at, execution.id)))
    killing = () if execution.state is State.KILLING else (State.KILLING,)
    rest = {"task_runs": execution.task_runs.update(runs), "progress": None, "tally": None, "slot": None}
    return Applied(_changed(execution, event, *killing, State.KILLED, **rest), tuple(runs), effects=effects)


def _killed(run: TaskRun, event: ActionRequested) -> TaskRun:
    return evolve(run, state=State.KILLED, history=(*run.history, StateChange(State.KILLED, event.at)))


def _delete(execution: Execution, event: ActionRequested, env: Env) -> Applied | str:
    killed = Applied(execution) if execution.state in TERMINAL else _kill(execution, event, env)
    if isinstance(killed, str):
        return killed
    return Applied(None, effects=killed.effects, keeps=kept_of(event.removes))


_ACTIONS: dict[Action, Callable[[Execution, ActionRequested, Env], Applied | str]] = {
    Action.KILL: _kill,
    Action.LABELS: _set_labels,
    Action.CHANGE_STATUS: _change_status,
    Action.DELETE: _delete,
}
