"""Flowable tasks and the flow itself: what starts next, what an end means, which branch follows.

A container only looks at its ``Progress``, never at its children, so an event costs the same in any width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from engine.model import Progress, StateChange, TaskRun, evolve
from engine.reducer.cuts import cut_short, forget_timeout
from engine.reducer.dag import after_end, take
from engine.reducer.draft import Draft
from engine.reducer.folder import hands_over
from engine.reducer.lifecycle import end_execution
from engine.reducer.loop import goes_on
from engine.reducer.plan import AFTER, ERRORS, FINALLY, MAIN, ROOT, SIDE, Kind, Node
from engine.reducer.rollup import HANDLED, allowed_end, is_bad, worse
from engine.states import State


def open_container(draft: Draft, container_id: str, progress: Progress) -> None:
    """Let a container begin with ``progress``."""
    draft.set_progress(container_id, progress)
    draft.advance_later(container_id)


def advance(draft: Draft, container_id: str) -> None:
    """Start what may start now; when nothing is left, go to the next branch or end."""
    progress = draft.progress(container_id)
    if progress is None or draft.state is State.KILLING:
        return
    node = draft.container_node(container_id)
    waiting = draft.waiting(container_id)
    count = room(node, progress, None if waiting is None else len(waiting.ready))
    if count > 0 and fits(draft, container_id, progress, count):
        _start_next(draft, container_id, node, progress, count)
    elif count == 0 and progress.started == progress.ended:
        _branch_over(draft, container_id, node, progress)


def fits(draft: Draft, container_id: str, progress: Progress, count: int) -> bool:
    """Whether ``count`` task runs more are allowed; else nothing starts any more in the container, which is FAILED.
    Side branches always start: their lists are as long as the file says."""
    most, now = draft.env.max_task_runs, len(draft.runs)
    if now + count <= most or progress.branch in SIDE:
        return True
    message = (
        f"expected at most {most:,} task runs in one execution (WATCHFLOOR_EXECUTION_MAX_TASK_RUNS): there are "
        f"{now:,}, {count:,} more would begin"
    )
    cut_short(draft, draft.runs.get(container_id), progress, message)
    draft.advance_later(container_id)
    return False


def room(node: Node, progress: Progress, ready: int | None) -> int:
    """How many children (or groups) may start now. After a bad end nothing new starts, but in a Dag that was not cut,
    where only what depends on it stays; there ``ready`` children may start."""
    side = progress.branch in SIDE
    ended = progress.cut is not None or (ready is None and is_bad(progress.verdict))
    if progress.stopped or (ended and not side):
        return 0
    limit = 1 if side else node.limit
    left = progress.total - progress.started if ready is None else ready
    return min(left, limit - (progress.started - progress.ended)) if limit else left


def _start_next(draft: Draft, container_id: str, node: Node, progress: Progress, count: int) -> None:
    first = progress.started
    draft.set_progress(container_id, evolve(progress, started=first + count))
    parent = draft.runs[container_id] if container_id != ROOT else None
    children = node.lists[progress.branch]
    places: Iterable[int] = range(first, first + count)
    if (waiting := draft.waiting(container_id)) is not None:
        places, waiting = take(waiting, count)
        draft.set_waiting(container_id, waiting)
    iteration = progress.iteration if node.kind is Kind.LOOP else parent and parent.iteration
    for index in places:
        if node.kind is Kind.EACH and progress.branch == MAIN:
            start(draft, children[0], parent, progress.values[index], index)
        else:
            start(draft, children[index], parent, parent and parent.value, iteration)


def start(draft: Draft, node: Node, parent: TaskRun | None, value: str | None, iteration: int | None) -> None:
    """Create the task run of ``node`` below ``parent``; it begins when its turn comes."""
    parent_id = parent.id if parent else None
    run = TaskRun(
        id=draft.run_id(node, parent_id, value, iteration=iteration),
        task_id=node.id,
        state=State.CREATED,
        history=(StateChange(State.CREATED, draft.at),),
        parent_id=parent_id,
        value=value,
        iteration=iteration,
        branch=node.branch,
    )
    draft.add(run)
    draft.begin_later(run.id)


def end_run(draft: Draft, run: TaskRun, state: State, **changes: Any) -> None:
    """End a task run in ``state``, or in what it allows instead, and tell its container."""
    node = draft.node(run)
    ended = draft.move(run, allowed_end(node, state), **changes)
    count_end(draft, ended, node)


def fail_run(draft: Draft, run: TaskRun, message: str) -> None:
    """End a task run as FAILED because of something the engine itself found."""
    draft.log(run, "ERROR", message)
    draft.note_error(run.task_id, message)
    end_run(draft, run, State.FAILED, error=message)


def count_end(draft: Draft, run: TaskRun, node: Node) -> None:
    """Count an ended task run in its container."""
    container_id = run.parent_id or ROOT
    progress = draft.progress(container_id)
    if progress is None:
        return
    holder = draft.container_node(container_id)
    bad = is_bad(run.state)
    if progress.branch not in (ERRORS, AFTER) and progress.cut is None:
        progress = evolve(progress, verdict=worse(progress.verdict, run.state))
    if not bad and _has_follower(draft, node, holder, progress):
        draft.set_progress(container_id, progress)
        if fits(draft, container_id, progress, 1):
            start(draft, holder.lists[MAIN][node.index + 1], draft.runs[container_id], run.value, run.iteration)
            return
        progress = draft.progress(container_id) or progress
    if not bad and (waiting := draft.waiting(container_id)) is not None:
        draft.set_waiting(container_id, after_end(waiting, node))
    total = progress.started if bad and progress.branch in SIDE else progress.total
    draft.set_progress(container_id, evolve(progress, ended=progress.ended + 1, total=total))
    draft.advance_later(container_id)


def _has_follower(draft: Draft, node: Node, holder: Node, progress: Progress) -> bool:
    """Whether a task follows it in the same group of a ForEach."""
    if holder.kind is not Kind.EACH or progress.branch != MAIN:
        return False
    return node.index + 1 < len(holder.lists[MAIN]) and draft.state is not State.KILLING and progress.cut is None


def _branch_over(draft: Draft, container_id: str, node: Node, progress: Progress) -> None:
    if container_id == ROOT and draft.execution.held:
        return  # resume looks again
    not_yet = _NOT_YET.get(node.kind)
    if not_yet is not None and _ended_well(progress):
        if not_yet(draft, draft.runs[container_id], node, progress):
            return
        progress = draft.progress(container_id) or progress
    branch = _next_branch(node, progress)
    if branch is not None:
        _open_branch(draft, container_id, node, progress, branch)
    elif container_id != ROOT:
        draft.set_progress(container_id, None)
        end_run(draft, draft.runs[container_id], progress.verdict, progress=progress)
    elif progress.branch == AFTER:
        draft.set_progress(ROOT, None)
    else:
        end_execution(draft, progress.verdict)


_NOT_YET: dict[Kind, Callable[[Draft, TaskRun, Node, Progress], bool]] = {
    Kind.LOOP: goes_on,
    Kind.FOLDER: hands_over,
}
"""What tells whether a container goes on though its tasks ended well."""


def _ended_well(progress: Progress) -> bool:
    return progress.branch == MAIN and progress.cut is None and progress.total > 0 and not is_bad(progress.verdict)


def _next_branch(node: Node, progress: Progress) -> str | None:
    if progress.branch not in SIDE and progress.verdict in HANDLED and node.lists.get(ERRORS):
        return ERRORS
    if progress.branch not in (FINALLY, AFTER) and node.lists.get(FINALLY):
        return FINALLY
    return None


def _open_branch(draft: Draft, container_id: str, node: Node, progress: Progress, branch: str) -> None:
    errors = progress.handling_errors or branch == ERRORS
    total = len(node.lists[branch])
    following = evolve(progress, branch=branch, total=total, started=0, ended=0, handling_errors=errors, stopped=False)
    draft.set_waiting(container_id, None)
    if container_id != ROOT:
        run = draft.runs[container_id]
        draft.put(evolve(forget_timeout(draft, run) if progress.stopped else run, progress=following))
    open_container(draft, container_id, following)
