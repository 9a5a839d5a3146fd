"""The execution's own state: its beginning, its end, and which state it shows in between."""

from __future__ import annotations

from engine.effects import CancelTimer, Emit
from engine.ids import derived_id
from engine.model import Progress
from engine.reducer.context import context_of, evaluate
from engine.reducer.draft import Draft
from engine.reducer.plan import AFTER, MAIN, ROOT
from engine.reducer.rollup import is_bad
from engine.reducer.sla import verdict_at_end
from engine.states import TERMINAL, State
from engine.trigger_state import trigger_key
from streaming.messages import SubflowEnded, TriggerEnded

KILL_TIMER = "kill"
_GOING = frozenset({State.RUNNING, State.PAUSED, State.RETRYING, State.BREAKPOINT})


def enter(draft: Draft) -> None:
    """Begin with the first task."""
    draft.set_progress(ROOT, Progress(total=len(draft.plan.root.lists.get(MAIN, ())), branch=MAIN))
    draft.advance_later(ROOT)


def settle(draft: Draft) -> None:
    """Show what the task runs add up to (BREAKPOINT, PAUSED, RETRYING when nothing else goes on, RUNNING), or the end
    of a kill."""
    if draft.state is State.KILLING:
        if draft.active == 0:
            end_kill(draft)
    elif draft.state in _GOING:
        draft.become(_showing(draft))


def _showing(draft: Draft) -> State:
    if draft.execution.stopped_at is not None:
        return State.BREAKPOINT
    if draft.execution.paused_by_hand or draft.paused:
        return State.PAUSED
    if draft.retrying and not draft.active:
        return State.RETRYING
    return State.RUNNING


def end_kill(draft: Draft) -> None:
    """All that ran has ended: what held it is KILLED, and so is the execution, unless an SLA ends it otherwise."""
    for container_id in draft.open_containers():
        run = draft.runs[container_id]
        draft.set_progress(container_id, None)
        draft.move(run, State.KILLED, progress=run.progress)
    draft.effect(CancelTimer(draft.id, KILL_TIMER))
    ending = draft.execution.ending or State.KILLED
    draft.set(ending=None)
    _close(draft, ending)


def end_execution(draft: Draft, verdict: State) -> None:
    """All branches are through: give the outputs and the terminal state, then run ``afterExecution``."""
    outputs, problem = _flow_outputs(draft)
    if problem is not None and not is_bad(verdict):
        verdict = State.FAILED
        draft.log(None, "ERROR", problem)
        draft.note_error(None, problem)
    draft.set(outputs=outputs)
    verdict = verdict_at_end(draft, verdict)
    if verdict is State.SUCCESS:
        draft.error = draft.failed_task = None
    draft.become(State.RUNNING)  # the last thing waited for may have been a pause or a retry
    _close(draft, verdict)


def _flow_outputs(draft: Draft) -> tuple[dict[str, object], str | None]:
    """Outputs that could be rendered and are of their type, and what is wrong with the first that is not."""
    context = context_of(draft)
    outputs, problem = {}, None
    for output in draft.plan.flow.outputs if draft.plan.flow else ():
        try:
            outputs[output.id] = draft.hide(output.read(evaluate(draft, output.value, context)))
        except ValueError as error:
            problem = problem or f"output {output.id}: {error}"
    return outputs, problem


def _close(draft: Draft, state: State) -> None:
    draft.become(state)
    draft.set_progress(ROOT, None)
    tell_parent(draft)
    after = draft.plan.root.lists.get(AFTER, ())
    if after and draft.execution.deletion is None:
        _drop_earlier(draft)
        draft.set_progress(ROOT, Progress(total=len(after), branch=AFTER, verdict=state))
        draft.advance_later(ROOT)


def _drop_earlier(draft: Draft) -> None:
    """Forget what ran after an earlier end, where this attempt was killed before it began."""
    if draft.execution.attempt_number == 1:
        return
    for run in draft.snapshot().values():
        node = draft.node(run)
        if (node.path[0] if node.path else node).list == AFTER:
            draft.drop(run)


def tell_trigger(draft: Draft) -> None:
    """Tell the trigger that started this execution how it ended, if it wants to know."""
    execution, trigger = draft.execution, draft.execution.trigger
    if trigger is None or not trigger.notify or draft.state not in TERMINAL or execution.state in TERMINAL:
        return
    draft.effect(
        Emit(
            TriggerEnded(
                event_id=derived_id("trigger-ended", draft.id, execution.attempt_number),
                execution_id=trigger_key(execution.namespace, execution.flow_id, trigger.id),
                at=draft.at,
                child_id=draft.id,
                state=draft.state,
            )
        )
    )


def tell_parent(draft: Draft) -> None:
    """Tell the Subflow task that waits for this execution how it ended."""
    execution = draft.execution
    if execution.parent_task_run_id is None or execution.parent_id is None:
        return
    draft.effect(
        Emit(
            SubflowEnded(
                event_id=derived_id("subflow-ended", draft.id, execution.attempt_number),
                execution_id=execution.parent_id,
                at=draft.at,
                task_run_id=execution.parent_task_run_id,
                child_id=draft.id,
                state=draft.state,
                outputs=execution.outputs,
            )
        )
    )
