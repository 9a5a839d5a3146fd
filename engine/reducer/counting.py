"""Counts made from the task runs: when an execution comes from the store, and after a restart changed many of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import immutables

from engine.model import Progress, Tally, TaskRun, Waiting, evolve
from engine.reducer.dag import waiting_of
from engine.reducer.plan import AFTER, ERRORS, MAIN, ROOT, SIDE, Kind, Node, Plan
from engine.reducer.rollup import is_bad, worse
from engine.states import TERMINAL, State

Children = dict[str, list[TaskRun]]
_WAITING = frozenset({State.RETRYING, State.PAUSED})
_NOT_OPEN = TERMINAL | {State.RESTARTED}


def children_of(runs: Iterable[TaskRun]) -> Children:
    """Task runs by the id of their container, ``ROOT`` for those at the top."""
    children: Children = defaultdict(list)
    for run in runs:
        children[run.parent_id or ROOT].append(run)
    return children


def tally_of(plan: Plan, runs: immutables.Map[str, TaskRun], root: Progress | None) -> Tally:
    """All counts of an execution with these task runs; ``root`` says in which branch the flow itself is."""
    children = children_of(runs.values())
    progress: dict[str, Progress] = {}
    waiting: dict[str, Waiting] = {}
    if root is not None:
        progress[ROOT] = recount(plan, plan.root, root, children[ROOT])
    for run in runs.values():
        node = plan.nodes[run.task_id]
        if node.container and run.progress is not None and run.state not in _NOT_OPEN:
            progress[run.id] = recount(plan, node, run.progress, children[run.id])
            if node.kind is Kind.DAG and run.progress.branch == MAIN:
                waiting[run.id] = waiting_of(node, children[run.id])
    leaves = [run.state for run in runs.values() if not plan.nodes[run.task_id].container]
    return Tally(
        progress=immutables.Map(progress),
        active=sum(1 for state in leaves if state not in TERMINAL and state not in _WAITING),
        retrying=leaves.count(State.RETRYING),
        paused=leaves.count(State.PAUSED),
        waiting=immutables.Map(waiting),
    )


def recount(plan: Plan, node: Node, progress: Progress, children: list[TaskRun]) -> Progress:
    """``progress`` with its counts made anew from the task runs of the container."""
    nodes = plan.nodes
    side = progress.branch in SIDE
    if node.kind is Kind.LOOP:  # the rounds before count no more
        children = [run for run in children if nodes[run.task_id].side or run.iteration == progress.iteration]
    current = [run for run in children if nodes[run.task_id].list == progress.branch]
    grouped = node.kind is Kind.EACH and not side
    if grouped:
        current = last_of_groups(plan, current)
    alone = not grouped or progress.cut is not None  # nothing follows in its group
    ended = sum(1 for run in current if run.state in TERMINAL and (alone or group_is_over(plan, run, node)))
    cut = side and any(is_bad(run.state) for run in current)
    return evolve(
        progress,
        total=len(current) if cut else progress.total,
        started=len(current),
        ended=ended,
        verdict=progress.verdict if progress.branch == AFTER else progress.cut or _verdict(plan, children),
    )


def group_is_over(plan: Plan, last: TaskRun, each: Node) -> bool:
    """Whether the ForEach group whose newest task run is ``last`` has nothing left to start once that has ended."""
    return is_bad(last.state) or plan.nodes[last.task_id].index + 1 >= len(each.lists[MAIN])


def last_of_groups(plan: Plan, runs: list[TaskRun]) -> list[TaskRun]:
    """The newest task run of each group of a ForEach."""
    last: dict[int | None, TaskRun] = {}
    for run in runs:
        known = last.get(run.iteration)
        if known is None or plan.nodes[run.task_id].index > plan.nodes[known.task_id].index:
            last[run.iteration] = run
    return list(last.values())


def _verdict(plan: Plan, children: list[TaskRun]) -> State:
    verdict = State.SUCCESS
    for run in children:
        if run.state in TERMINAL and plan.nodes[run.task_id].list not in (ERRORS, AFTER):
            verdict = worse(verdict, run.state)
    return verdict
