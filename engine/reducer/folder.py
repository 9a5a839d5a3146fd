"""WorkingDirectory: its tasks have one folder in common, which travels with the task runs as an archive.

A task run's ``folder`` is what it left, the container's what the last one left. The reducer only hands it on; workers
pack and unpack it.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.effects import Submit
from engine.model import Attempt, Folder, Progress, StateChange, TaskRun, evolve
from engine.reducer.context import ExpressionFailed, context_of, evaluate, find_run
from engine.reducer.cuts import cut_short
from engine.reducer.draft import Draft
from engine.reducer.job import job_of
from engine.reducer.plan import Node
from engine.states import TERMINAL, State
from streaming.messages import JobFolder


def folder_for(draft: Draft, run: TaskRun, node: Node) -> JobFolder | None:
    """The folder that a task of a WorkingDirectory runs in, ``None`` for any other task."""
    if not node.in_folder or node.parent is None or run.parent_id is None:
        return None
    holder = draft.runs[run.parent_id]
    if holder.folder is not None:
        return JobFolder(holder.folder)
    try:
        return JobFolder(None, evaluate(draft, node.parent.task.inputFiles, context_of(draft, node.parent, holder)))
    except ExpressionFailed as error:
        raise ExpressionFailed(f"inputFiles of {node.parent.id}: {error}") from error


def keep_folder(draft: Draft, run: TaskRun, left: Folder) -> None:
    """A task run left its folder to the next one, unless it is tried again."""
    if run.parent_id is None or run.state not in TERMINAL:
        return
    holder = draft.runs[run.parent_id]
    left = evolve(left, before=holder.folder.uri if holder.folder else None)
    draft.put(evolve(run, folder=left))
    draft.put(evolve(holder, folder=left))


def put_back(draft: Draft, run: TaskRun) -> None:
    """The folder is again what ``run`` found, which runs again."""
    if run.folder is not None and run.parent_id is not None:
        before = Folder(run.folder.before, run.folder.worker) if run.folder.before is not None else None
        draft.put(evolve(draft.runs[run.parent_id], folder=before))


def go_anywhere(draft: Draft, run: TaskRun) -> None:
    """The worker that had the folder is gone or busy: whichever comes first goes on."""
    holder = run if draft.node(run).container else draft.runs.get(run.parent_id or "")
    if holder is not None and holder.folder is not None:
        draft.put(evolve(holder, folder=evolve(holder.folder, worker=None)))


def hands_over(draft: Draft, run: TaskRun, node: Node, progress: Progress) -> bool:
    """Whether a WorkingDirectory whose tasks ended well still waits for a worker, who keeps its ``outputFiles`` and
    removes what the tasks left to each other."""
    if run.folder is None or (run.attempts and run.attempts[-1].state is State.SUCCESS):
        return False
    if run.attempts and run.attempts[-1].state not in TERMINAL:
        return True
    number = len(run.attempts) + 1
    try:
        job = job_of(draft, run, node, number, JobFolder(run.folder, clear=tuple(_children(draft, run, node))))
    except (ExpressionFailed, ValueError) as error:
        cut_short(draft, run, progress, str(error))
        return False
    attempt = Attempt(number, State.SUBMITTED, (StateChange(State.SUBMITTED, draft.at),))
    draft.put(evolve(run, attempts=(*run.attempts, attempt)))
    draft.effect(Submit(job))
    return True


def _children(draft: Draft, run: TaskRun, node: Node) -> Iterator[str]:
    for child in (child for nodes in node.lists.values() for child in nodes):
        found = find_run(draft, child, run.id, run.value)
        if found is not None and found.attempts:
            yield found.id
