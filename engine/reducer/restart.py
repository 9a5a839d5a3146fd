"""Restart: what failed runs again, what succeeded stays. With a revision that is a new execution (``anew``)."""

from __future__ import annotations

from engine.effects import StopTasks
from engine.model import Progress, TaskRun, evolve
from engine.reducer.anew import restart_elsewhere
from engine.reducer.containers import fits, start
from engine.reducer.counting import Children, children_of, group_is_over, last_of_groups, tally_of
from engine.reducer.created import prepare_again
from engine.reducer.cuts import set_timeout
from engine.reducer.draft import Draft
from engine.reducer.folder import put_back
from engine.reducer.kill import open_runs
from engine.reducer.loop import begin_rounds
from engine.reducer.plan import MAIN, ROOT, Kind, Node
from engine.reducer.rollup import is_bad
from engine.reducer.sla import watch
from engine.reducer.slots import begin_or_ask
from engine.states import BAD_ENDS, TERMINAL, State
from streaming.messages import ActionRequested

LABEL = "system.restarted"
_AGAIN = BAD_ENDS | {State.RETRIED}
"""Task runs that run again: those that ended badly, also in an execution that another one has taken the place of."""


def restart(draft: Draft, event: ActionRequested) -> str | None:
    """Run again what failed, was killed, cancelled or never ran; refused when there is nothing of that."""
    if draft.state is State.PAUSED and event.revision is not None:
        return restart_elsewhere(draft, event)
    if draft.state is State.PAUSED:
        _begin_again(draft, event)
        draft.become(State.RUNNING)
        _restart_paused(draft)
        return None
    runs = list(draft.execution.task_runs.values())
    if runs and not is_bad(draft.state) and not any(run.state in _AGAIN for run in runs):
        return "Nothing failed in this execution, so there is nothing to run again."
    if event.revision is not None:
        return restart_elsewhere(draft, event)
    never_began = all(change.state is not State.RUNNING for change in draft.history)
    if never_began and (problem := prepare_again(draft)) is not None:
        return f"It can't begin: {problem}."
    _begin_again(draft, event)
    begin_or_ask(draft, run_what_is_left)
    return None


def run_what_is_left(draft: Draft) -> None:
    """Run what failed or never ran, all of it where nothing did; after a change by hand what that freed."""
    goes_on_from = draft.execution.goes_on_from
    draft.set(goes_on_from=None)
    _Restart(draft).run(goes_on_from)


def _begin_again(draft: Draft, event: ActionRequested) -> None:
    draft.log(None, "INFO", f"restarted by {event.actor}")
    begin_anew(draft)
    draft.set(labels={**draft.execution.labels, LABEL: "true"})


def begin_anew(draft: Draft, goes_on_from: str | None = None) -> None:
    """RESTARTED, with nothing of how it ended before. ``goes_on_from`` is the container whose tasks go on."""
    draft.become(State.RESTARTED)
    draft.error = draft.failed_task = None
    draft.set(
        attempt_number=draft.execution.attempt_number + 1,
        outputs={},
        renewal=None,
        breached=(),
        goes_on_from=goes_on_from,
    )
    watch(draft)


def _restart_paused(draft: Draft) -> None:
    """The pauses begin anew; what a pause by hand held back begins."""
    draft.set(paused_by_hand=False)
    for run in open_runs(draft):
        if run.state is State.PAUSED:
            draft.move(run, State.RESTARTED)
        if run.state in (State.PAUSED, State.CREATED, State.RESTARTED) or _is_overdue(draft, run):
            draft.begin_later(run.id)
    begin_rounds(draft)
    draft.advance_later(ROOT)


def _is_overdue(draft: Draft, run: TaskRun) -> bool:
    return run.state is State.RETRYING and run.retry_at is not None and run.retry_at <= draft.at


def opened(draft: Draft, node: Node, container_id: str, children: list[TaskRun]) -> Progress:
    """A container that has ended as it is when it is opened again, its task runs still to be counted."""
    lists = (draft.node(child).list for child in children if not draft.node(child).side)
    branch = next(lists, MAIN)
    known = (draft.runs[container_id].progress if container_id != ROOT else None) or Progress(0)
    total = len(known.values) if node.kind is Kind.EACH else len(node.lists.get(branch, ()))
    first = known.iteration + (known.cut is not None)  # a loop that gave up gets as many rounds again
    return Progress(total, branch=branch, values=known.values, iteration=known.iteration, first=first)


class _Restart:
    """One walk over all task runs of an ended execution."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._nodes = draft.plan.nodes
        self._children: Children = children_of(draft.snapshot().values())
        self._open: dict[str, None] = {}

    def run(self, goes_on_from: str | None) -> None:
        """Drop side branches, restart bad leaves (none where a container goes on), open what holds them, and let
        everything go on."""
        self._drop_side_branches()
        if goes_on_from is None:
            runs = self._in_order()
            waiting = [run for run in runs if run.state not in TERMINAL]  # a new execution has them, made of another
            for run in waiting or [run for run in runs if run.state in _AGAIN]:
                self._again(run)
        else:
            self._open_up(goes_on_from)
        draft = self._draft
        main = opened(draft, draft.plan.root, ROOT, [])
        draft.set_tally(tally_of(draft.plan, draft.snapshot(), main))
        for container_id in self._open:
            self._resume_groups(container_id)
            draft.advance_later(container_id)
        draft.advance_later(ROOT)

    def _in_order(self) -> list[TaskRun]:
        places = self._draft.plan.places
        runs = (run for runs in self._children.values() for run in runs)
        return sorted(runs, key=lambda run: (places[run.task_id], run.iteration or 0, run.id))

    def _drop_side_branches(self) -> None:
        draft = self._draft
        doomed = [run for runs in self._children.values() for run in runs if self._nodes[run.task_id].side]
        stopped = []
        while doomed:
            run = doomed.pop()
            doomed += self._children.pop(run.id, [])
            if run.id in draft.runs:
                if run.state not in TERMINAL and run.attempts:
                    stopped.append(run.last_attempt_id)
                draft.drop(run)
        if stopped:
            draft.effect(StopTasks(draft.id, tuple(stopped)))
        for container_id, runs in self._children.items():
            self._children[container_id] = [run for run in runs if run.id in draft.runs]

    def _again(self, run: TaskRun) -> None:
        if self._nodes[run.task_id].container and self._children.get(run.id):
            self._reopen(run)
        else:
            if run.state in TERMINAL:
                put_back(self._draft, run)
                self._draft.move(run, State.RESTARTED, error=None)
            self._draft.begin_later(run.id)
        self._open_up(run.parent_id or ROOT)

    def _open_up(self, container_id: str) -> None:
        while container_id != ROOT:
            run = self._draft.runs[container_id]
            self._reopen(run)
            container_id = run.parent_id or ROOT

    def _reopen(self, run: TaskRun) -> None:
        if run.id in self._open:
            return
        self._open[run.id] = None
        node = self._nodes[run.task_id]
        again = opened(self._draft, node, run.id, self._children[run.id])
        set_timeout(self._draft, self._draft.move(run, State.RUNNING, progress=again, error=None), node)

    def _resume_groups(self, container_id: str) -> None:
        """Start what comes next in those groups of a ForEach that a kill or a cap left between two tasks."""
        draft = self._draft
        each = draft.runs[container_id]
        node = draft.node(each)
        if node.kind is not Kind.EACH:
            return
        runs = last_of_groups(draft.plan, [draft.runs[run.id] for run in self._children[container_id]])
        between = [run for run in runs if run.state in TERMINAL and not group_is_over(draft.plan, run, node)]
        if between and not fits(draft, container_id, draft.progress(container_id), len(between)):
            cut = draft.progress(container_id)
            draft.set_progress(container_id, evolve(cut, ended=cut.ended + len(between)))
            return
        for last in between:
            follower = node.lists[MAIN][self._nodes[last.task_id].index + 1]
            start(draft, follower, each, last.value, last.iteration)
