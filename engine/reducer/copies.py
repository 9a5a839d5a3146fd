"""What a new execution takes over from the one it is made of: what ended well, up to where it begins again.

Its places are those of its own revision: a level is followed as long as its tasks are the same in both. What is taken
over has one date, its moment here; what runs again is RESTARTED, and so is what holds it, until the execution begins.
Side branches (``errors``, ``finally``, ``afterExecution``) are left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from engine.flow.dags import in_order
from engine.model import Progress, StateChange, TaskRun, evolve
from engine.reducer.counting import Children, children_of
from engine.reducer.draft import Draft
from engine.reducer.plan import MAIN, ROOT, SIDE, Kind, Node, Plan
from engine.states import State
from streaming.messages import Copied

_WELL = frozenset({State.SUCCESS, State.WARNING, State.SKIPPED})


def misplaced(plan: Plan, target: TaskRun) -> str | None:
    """Why an execution can't begin again at ``target``; ``None`` when it can."""
    node = plan.nodes.get(target.task_id)
    if node is None or node.task.disabled:
        return f"there is no task {target.task_id} in that revision of the flow to begin at"
    side = next((one.list for one in (node, *node.path) if one.list in SIDE), None)
    if side is not None:
        return f"task {target.task_id} is in a list of {side}: begin at a task of the flow itself"
    return None


def take_over(draft: Draft, copied: Copied) -> str | None:
    """Give a new execution its copies; why it can't begin where it should, ``None`` when it can."""
    target = next((run for run in copied.runs if run.id == copied.target), None)
    problem = misplaced(draft.plan, target) if target is not None else None
    if problem is None:
        _Copy(draft, copied).run()
    return problem


class _Copy:
    """One walk over the levels of the new execution, from the top."""

    def __init__(self, draft: Draft, copied: Copied) -> None:
        self._draft = draft
        self._nodes = draft.plan.nodes
        self._children: Children = children_of(run for run in copied.runs if run.task_id in self._nodes)
        self._target = copied.target
        self._around = _with_holders(copied)
        self._secret = copied.hidden
        self._hidden: dict[str, dict[str, Any]] = {}

    def run(self) -> None:
        """Copy all that is to be copied."""
        draft = self._draft
        self._level(ROOT, None, draft.plan.root, MAIN)
        draft.set(hidden=evolve(draft.execution.hidden, outputs=self._hidden))

    def _level(self, source_id: str, parent: TaskRun | None, node: Node, branch: str) -> int:
        """Copy what one container holds; how many task runs of its own that gives."""
        nodes = node.lists.get(branch, [])
        runs = [run for run in self._children[source_id] if self._nodes[run.task_id] in nodes]
        return _LEVELS.get(node.kind, _Copy._sequence)(self, runs, parent, nodes)

    # -- the kinds of levels

    def _sequence(self, runs: Iterable[TaskRun], parent: TaskRun | None, nodes: Sequence[Node]) -> int:
        """One after the other, up to the first that runs again or never began."""
        found = {run.task_id: run for run in runs}
        for count, node in enumerate(nodes):
            run = found.get(node.id)
            if run is None:
                return count
            if not self._is_well(run):
                self._again(run, parent)
                return count + 1
            self._keep(run, parent)
        return len(nodes)

    def _parallel(self, runs: Iterable[TaskRun], parent: TaskRun | None, nodes: Sequence[Node]) -> int:
        """Each for itself; they were given out in order."""
        found = {run.task_id: run for run in runs}
        for count, node in enumerate(nodes):
            run = found.get(node.id)
            if run is None:
                return count
            self._either(run, parent)
        return len(nodes)

    def _dag(self, runs: Iterable[TaskRun], parent: TaskRun | None, nodes: Sequence[Node]) -> int:
        """What depends on nothing that runs again."""
        found = {run.task_id: run for run in runs}
        places = {node.id: node for node in nodes}
        kept: set[str] = set()
        count = 0
        for task_id in in_order(nodes[0].parent.task.depends_on) if nodes and nodes[0].parent else ():
            run = found.get(task_id)
            if run is None or not all(need.id in kept for need in places[task_id].needs):
                continue
            count += 1
            if self._either(run, parent):
                kept.add(task_id)
        return count

    def _each(self, runs: Iterable[TaskRun], parent: TaskRun | None, nodes: Sequence[Node]) -> int:
        """The groups, each in order; they were begun in the order of the values."""
        groups: dict[int, list[TaskRun]] = {}
        for run in runs:
            groups.setdefault(run.iteration or 0, []).append(run)
        for index in range(len(groups)):
            if index not in groups or not self._sequence(groups[index], parent, nodes):
                return index
        return len(groups)

    def _rounds(self, runs: Iterable[TaskRun], parent: TaskRun | None, nodes: Sequence[Node]) -> int:
        """The last round, or that of the target, in order; those before it stay."""
        runs = list(runs)
        last = _round_of(runs, self._around)
        for run in runs:
            if (run.iteration or 0) < last:
                self._keep(run, parent)
        return self._sequence([run for run in runs if run.iteration == last], parent, nodes)

    # -- one task run

    def _is_well(self, run: TaskRun) -> bool:
        return run.state in _WELL and run.id not in self._around

    def _either(self, run: TaskRun, parent: TaskRun | None) -> bool:
        well = self._is_well(run)
        (self._keep if well else self._again)(run, parent)
        return well

    def _keep(self, run: TaskRun, parent: TaskRun | None) -> None:
        """Take over a task run, and all below it."""
        node = self._nodes[run.task_id]
        kept = self._add(run, parent, run.state, outputs=run.outputs, error=run.error, progress=run.progress)
        if run.id in self._secret:
            self._hidden[kept.id] = self._secret[run.id]
        for child in self._children[run.id]:
            place = self._nodes[child.task_id]
            if place.parent is node and not place.side:
                self._keep(child, kept)

    def _again(self, run: TaskRun, parent: TaskRun | None) -> None:
        """Let a task run run again: of what holds others only what has not ended well below it."""
        node = self._nodes[run.task_id]
        below = [child for child in self._children[run.id] if not self._nodes[child.task_id].side]
        branch = next((place.list for child in below if (place := self._nodes[child.task_id]).parent is node), None)
        if run.id == self._target or node.kind is Kind.FOLDER or branch is None:
            # Without its task's archive a WorkingDirectory can't go on half-way, so it begins anew.
            self._add(run, parent, State.CREATED if run.state is State.SKIPPED else State.RESTARTED)
            return
        last = _round_of(below, self._around) if node.kind is Kind.LOOP else 0
        values = run.progress.values if run.progress is not None else ()
        progress = Progress(0, branch=branch, values=values, iteration=last, first=last)
        opened = self._add(run, parent, State.RESTARTED, progress=progress, outputs=run.outputs)
        if not self._level(run.id, opened, node, branch):
            self._draft.put(evolve(opened, progress=None))

    def _add(self, run: TaskRun, parent: TaskRun | None, state: State, **fields: Any) -> TaskRun:
        draft, node = self._draft, self._nodes[run.task_id]
        parent_id = parent.id if parent else None
        added = TaskRun(
            id=draft.run_id(node, parent_id, run.value, iteration=run.iteration),
            task_id=run.task_id,
            state=state,
            history=(StateChange(state, draft.at),),
            parent_id=parent_id,
            value=run.value,
            iteration=run.iteration,
            branch=node.branch,
            subflow_execution_id=run.subflow_execution_id if fields else None,
            **fields,
        )
        draft.add(added)
        return added


def _with_holders(copied: Copied) -> frozenset[str]:
    """The target and what holds it."""
    runs = {run.id: run for run in copied.runs}
    found, run = set(), runs.get(copied.target or "")
    while run is not None:
        found.add(run.id)
        run = runs.get(run.parent_id or "")
    return frozenset(found)


def _round_of(runs: Iterable[TaskRun], around: frozenset[str]) -> int:
    rounds = [(run.id in around, run.iteration or 0) for run in runs]
    return max(rounds, default=(False, 0))[1]


_LEVELS: dict[Kind, Callable[[_Copy, Iterable[TaskRun], TaskRun | None, Sequence[Node]], int]] = {
    Kind.PARALLEL: _Copy._parallel,
    Kind.DAG: _Copy._dag,
    Kind.EACH: _Copy._each,
    Kind.LOOP: _Copy._rounds,
}
