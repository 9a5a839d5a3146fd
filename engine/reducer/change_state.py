"""Change task state: a person says how a task run has ended. What follows from it follows.

Where the change frees something that never ran, the execution goes on from there; else the ends above are rolled up
anew, and nothing runs.
"""

from __future__ import annotations

from engine.inputs import InputError, read_inputs
from engine.model import StateChange, TaskRun, evolve
from engine.reducer.change import end_by_hand, why
from engine.reducer.containers import end_run, fail_run, room
from engine.reducer.context import ancestors
from engine.reducer.counting import Children, children_of, group_is_over, last_of_groups, recount
from engine.reducer.dag import waiting_of
from engine.reducer.draft import Draft
from engine.reducer.pause import resume_pause
from engine.reducer.plan import MAIN, ROOT, Kind, Node
from engine.reducer.restart import begin_anew, opened, run_what_is_left
from engine.reducer.rollup import allowed_end, is_bad
from engine.reducer.slots import begin_or_ask
from engine.states import TERMINAL, State, wrong_target
from streaming.messages import ActionRequested


def change_state(draft: Draft, event: ActionRequested) -> str | None:
    """End the task run that is meant in another state, or end its pause."""
    if (wrong := wrong_target(event.action, event.state)) is not None:
        return wrong
    run = draft.runs.get(event.task_run_id or "")
    if run is None:
        return f"There is no task run {event.task_run_id} in this execution."
    if (wrong := _refusal(draft, run, event.state)) is not None:
        return wrong
    draft.log(run, "WARN", f"changed from {run.state} to {event.state} by {event.actor}{why(event)}")
    if run.state is State.PAUSED:
        return _end_pause(draft, run, event)
    _change(draft, run, event)
    return None


def _refusal(draft: Draft, run: TaskRun, target: State | None) -> str | None:
    if run.state is State.PAUSED:
        return None
    name = f"Task run {run.id} of {run.task_id} is {run.state}"
    if target is State.RUNNING:
        return f"{name}; only one that is PAUSED can be changed to RUNNING."
    if draft.state not in TERMINAL:
        return f"{name}; while the execution is {draft.state}, only one that is PAUSED can be changed."
    if draft.state is State.RETRIED:
        return "This execution is RETRIED: another one has taken its place, and its task runs stay as they are."
    if run.state not in TERMINAL:
        return f"{name}; it can be changed when it has ended."
    if any(_is_over(draft, one) for one in (run, *ancestors(draft, run))):
        return f"{name}, and of an earlier round of its loop; only the last round counts."
    return None


def _is_over(draft: Draft, run: TaskRun) -> bool:
    """Whether a later round of its LoopUntil has taken its place."""
    holder = draft.runs.get(run.parent_id or "")
    if holder is None or not draft.node(run).repeats or holder.progress is None:
        return False
    return run.iteration != holder.progress.iteration


def _end_pause(draft: Draft, run: TaskRun, event: ActionRequested) -> str | None:
    if event.state is State.RUNNING:
        try:
            inputs = read_inputs(draft.node(run).task.onResume, event.inputs)
        except InputError as error:
            return f"The inputs don't fit: {error}"
        resume_pause(draft, draft.move(run, State.RUNNING, by_hand=True), inputs, event.actor)
    elif event.state is State.FAILED:
        fail_run(draft, run, _message(event))
    else:
        end_run(draft, run, event.state or State.SUCCESS)
    return None


def _message(event: ActionRequested) -> str:
    return f"changed to {event.state} by {event.actor}"


def _change(draft: Draft, run: TaskRun, event: ActionRequested) -> None:
    target = allowed_end(draft.node(run), event.state or run.state)
    if target is run.state:
        return
    goes_on_from = _roll_up(draft, run, _moved(draft, run, target, _message(event)), _message(event))
    if goes_on_from is not None:
        begin_anew(draft, goes_on_from=goes_on_from)
        begin_or_ask(draft, run_what_is_left)


def _moved(draft: Draft, run: TaskRun, state: State, message: str) -> TaskRun:
    error = (run.error or message) if is_bad(state) else None
    if run.attempts and not draft.node(run).container:
        last = run.attempts[-1]
        last = evolve(last, state=state, error=error, history=(*last.history, StateChange(state, draft.at)))
        run = evolve(run, attempts=(*run.attempts[:-1], last))
    return draft.move(run, state, by_hand=True, error=error)


def _roll_up(draft: Draft, before: TaskRun, after: TaskRun, message: str) -> str | None:
    """Let the ends above follow, as far as they were rolled up and not given by a timeout, an SLA or a person.

    The container that has something to run now, ``None`` where nothing has.
    """
    children = children_of(draft.snapshot().values())
    while True:
        container_id = after.parent_id or ROOT
        node, runs = draft.container_node(container_id), children[container_id]
        old = _verdict(draft, node, container_id, [before if run.id == after.id else run for run in runs])
        followed = old is (draft.state if container_id == ROOT else draft.runs[container_id].state)
        if _frees(draft, before, after) and _has_more(draft, node, container_id, runs, followed):
            return container_id
        end = _verdict(draft, node, container_id, runs)
        if not followed or end is old:
            return None
        if container_id == ROOT:
            end_by_hand(draft, end, f"task {after.task_id}: {message}")
            return None
        before = draft.runs[container_id]
        after = _moved(draft, before, end, message)
        _replace(children, after)


def _replace(children: Children, run: TaskRun) -> None:
    held = children[run.parent_id or ROOT]
    held[:] = [run if one.id == run.id else one for one in held]


def _frees(draft: Draft, before: TaskRun, after: TaskRun) -> bool:
    """Whether what waited for it may run. After ``errors`` and the like nothing runs that did not."""
    node = draft.node(after)
    return is_bad(before.state) and not is_bad(after.state) and not any(one.side for one in (node, *node.path))


def _verdict(draft: Draft, node: Node, container_id: str, runs: list[TaskRun]) -> State:
    """The end of a container with these task runs in it."""
    verdict = recount(draft.plan, node, opened(draft, node, container_id, runs), runs).verdict
    return verdict if container_id == ROOT else allowed_end(node, verdict)


def _has_more(draft: Draft, node: Node, container_id: str, runs: list[TaskRun], followed: bool) -> bool:
    """Whether a container with these task runs would start another one if it was open."""
    progress = recount(draft.plan, node, opened(draft, node, container_id, runs), runs)
    ready = len(waiting_of(node, runs).ready) if node.kind is Kind.DAG else None
    if room(node, progress, ready) > 0:
        return True
    if node.kind is Kind.EACH:
        main = [run for run in runs if draft.node(run).list == MAIN]
        return any(not group_is_over(draft.plan, last, node) for last in last_of_groups(draft.plan, main))
    waits = node.kind in (Kind.LOOP, Kind.FOLDER)  # its condition is to be looked at, its folder to be kept
    return waits and followed and progress.ended == progress.total and not is_bad(progress.verdict)
