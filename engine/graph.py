"""The graph of a flow in the API's shape: nodes, edges and clusters, and the lanes that a layout follows.

A task's node has the task's id as uid. Other uids hold a dot, which no task id can: ``root.start``, ``root.end``,
``fan.end`` (where the flowable ``fan`` joins again), ``cluster.fan`` and ``group.fan.tasks``.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from engine.flow import Dag, Flow, ForEach, If, LoopUntil, Parallel, Switch, Task
from engine.flow.tasks import Tasks
from engine.grid import Cell, grid_of

GROUP_OVER = 50
START, END = "root.start", "root.end"
Kind = Literal["task", "start", "end", "group"]
_JAVA = "io.kestra.core.models.hierarchies."
_TYPES: dict[Kind, str] = {
    "task": f"{_JAVA}GraphTask",
    "start": f"{_JAVA}GraphClusterRoot",
    "end": f"{_JAVA}GraphClusterEnd",
    "group": f"{_JAVA}GraphTaskGroup",
}


class Relation(StrEnum):
    """Why one node follows another."""

    SEQUENTIAL = "SEQUENTIAL"
    CHOICE = "CHOICE"
    ERROR = "ERROR"
    PARALLEL = "PARALLEL"
    DYNAMIC = "DYNAMIC"
    FINALLY = "FINALLY"
    AFTER_EXECUTION = "AFTER_EXECUTION"


class Node(msgspec.Struct, frozen=True, rename="camel"):
    """A task; or where the flow or a flowable starts or ends; or a group of more siblings than can be told apart.

    ``cluster`` is the innermost box it is in. ``in_loop``: it may have many task runs. ``members`` are the ids a
    group stands for. ``task`` is the task as written, its children left out. ``branch_type`` is ERROR, FINALLY or
    AFTER_EXECUTION below such a list.
    """

    uid: str
    kind: Kind
    type: str
    cluster: str | None = None
    branch_type: str | None = None
    in_loop: bool = False
    members: tuple[str, ...] = ()
    task: dict[str, Any] | None = None


class EdgeRelation(msgspec.Struct, frozen=True, rename="camel"):
    """``value`` is the name of a choice: ``then``, ``else``, a case, ``defaults``."""

    relation_type: Relation
    value: str | None = None


class Edge(msgspec.Struct, frozen=True):
    """From one node to the next."""

    source: str
    target: str
    relation: EdgeRelation


class Lane(msgspec.Struct, frozen=True):
    """Nodes that follow one another: one list of the flow file. A flowable stands for its whole cluster.

    One without nodes is a choice that leads straight to the end. In a Dag the nodes don't follow one another:
    ``cells`` are the column and row of each.
    """

    name: str
    relation: Relation
    nodes: tuple[str, ...]
    cells: tuple[Cell, ...] = ()


class ClusterId(msgspec.Struct, frozen=True, rename="camel"):
    """``task_node`` is the uid of the flowable whose box it is."""

    uid: str
    type: str
    task_node: str


class Cluster(msgspec.Struct, frozen=True):
    """The box of a flowable. ``nodes`` are those directly in it, ``parents`` the boxes around it, outermost first.

    Its lines come in at the node ``start`` and leave at ``end``.
    """

    cluster: ClusterId
    nodes: tuple[str, ...]
    parents: tuple[str, ...]
    start: str
    end: str
    lanes: tuple[Lane, ...]


class Graph(msgspec.Struct, frozen=True):
    """A flow's graph. ``clusters`` are outer ones first, ``flowables`` task ids, ``lanes`` the flow's own lists."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...]
    flowables: tuple[str, ...]
    lanes: tuple[Lane, ...]


def graph_of(flow: Flow, group_over: int = GROUP_OVER, expanded: Collection[str] = ()) -> Graph:
    """The graph of ``flow``. A list of more than ``group_over`` tasks is one node, unless its uid is ``expanded``."""
    return _Builder(group_over, frozenset(expanded)).build(flow)


class _Scope(msgspec.Struct, frozen=True):
    """Where the builder is: the boxes around it, and what the lists above it are."""

    clusters: tuple[str, ...] = ()
    branch_type: str | None = None
    in_loop: bool = False


_Entries = list[tuple[str, EdgeRelation]]
_BRANCH_TYPES = {"errors": "ERROR", "finally": "FINALLY", "afterExecution": "AFTER_EXECUTION"}
_SEQUENTIAL = EdgeRelation(Relation.SEQUENTIAL)
_ERROR = EdgeRelation(Relation.ERROR)
_RELATIONS: dict[type[Task], Relation] = {
    Parallel: Relation.PARALLEL,
    If: Relation.CHOICE,
    Switch: Relation.CHOICE,
    ForEach: Relation.DYNAMIC,
    LoopUntil: Relation.DYNAMIC,
    Dag: Relation.PARALLEL,
}


class _Builder:
    def __init__(self, group_over: int, expanded: frozenset[str]) -> None:
        self._group_over = group_over
        self._expanded = expanded
        self._nodes: list[Node] = []
        self._edges: list[Edge] = []
        self._clusters: list[Cluster] = []
        self._flowables: list[str] = []

    def build(self, flow: Flow) -> Graph:
        self._node(START, "start", _Scope())
        lanes = self._root_lanes(flow)
        inside: dict[str, list[str]] = {box.cluster.uid: [] for box in self._clusters}
        for node in self._nodes:
            if node.cluster is not None:
                inside[node.cluster].append(node.uid)
        outer_first = sorted(self._clusters, key=lambda box: len(box.parents))
        clusters = tuple(replace(box, nodes=tuple(inside[box.cluster.uid])) for box in outer_first)
        return Graph(tuple(self._nodes), tuple(self._edges), clusters, tuple(self._flowables), tuple(lanes))

    def _root_lanes(self, flow: Flow) -> list[Lane]:
        lanes, exits = [], []
        for name, relation in (("tasks", _SEQUENTIAL), ("errors", _ERROR)):
            if flow.branch(name):
                lane, last = self._chain("root", name, flow.branch(name), [(START, relation)], _Scope())
                lanes.append(lane)
                exits.append((last, relation))
        if flow.finally_:
            entries = [(source, EdgeRelation(Relation.FINALLY)) for source, _ in exits]
            lane, last = self._chain("root", "finally", flow.finally_, entries, _Scope())
            lanes.append(lane)
            exits = [(last, _SEQUENTIAL)]
        self._node(END, "end", _Scope())
        self._join(exits, END)
        if flow.afterExecution:
            after = [(END, EdgeRelation(Relation.AFTER_EXECUTION))]
            lanes.append(self._chain("root", "afterExecution", flow.afterExecution, after, _Scope())[0])
        return lanes

    def _chain(self, owner: str, name: str, tasks: Tasks, entries: _Entries, scope: _Scope) -> tuple[Lane, str]:
        """Draws ``tasks`` one after the other behind ``entries``: their lane, and the uid the next thing follows."""
        relation = entries[0][1].relation_type
        inside = replace(scope, branch_type=_BRANCH_TYPES.get(name, scope.branch_type))
        if uid := self._group_uid(owner, name, tasks):
            self._join(entries, uid)
            self._node(uid, "group", inside, members=tuple(task.id for task in tasks))
            return Lane(name, relation, (uid,)), uid
        for task in tasks:
            self._join(entries, task.id)
            entries = [(self._task(task, inside), _SEQUENTIAL)]
        return Lane(name, relation, tuple(task.id for task in tasks)), entries[0][0]

    def _task(self, task: Task, scope: _Scope) -> str:
        """Draws a task, in a box of its own when it has children: the uid the next thing follows."""
        if task.flowable:
            self._flowables.append(task.id)
        if not task.branches():
            self._node(task.id, "task", scope, task)
            return task.id
        box, end = f"cluster.{task.id}", f"{task.id}.end"
        edge_of_box = replace(scope, clusters=(*scope.clusters, box))
        inside = replace(edge_of_box, in_loop=scope.in_loop or isinstance(task, (ForEach, LoopUntil)))
        self._node(task.id, "task", edge_of_box, task)
        lanes = [lane for path, tasks in task.branches() for lane in self._branch(task, path, tasks, inside)]
        lanes += [self._shortcut(task, name) for name in _missing_choices(task)]
        lanes.sort(key=lambda lane: lane.relation is Relation.ERROR)
        self._node(end, "end", edge_of_box)
        kind = f"{_JAVA}{task.type.rpartition('.')[2]}GraphCluster"
        self._clusters.append(Cluster(ClusterId(box, kind, task.id), (), scope.clusters, task.id, end, tuple(lanes)))
        return end

    def _branch(self, task: Task, path: tuple[str, ...], tasks: Tasks, scope: _Scope) -> list[Lane]:
        """Draws one list of a flowable: side by side in a Parallel, as they wait in a Dag, else one after the other."""
        name, relation = ".".join(path), _relation(task, path)
        shown = name == "tasks" and not self._group_uid(task.id, name, tasks)
        if isinstance(task, Dag) and shown:
            return [self._dag(task, scope)]
        apart = isinstance(task, Parallel) and shown
        lanes = []
        for each in ((one,) for one in tasks) if apart else (tasks,):
            lane, last = self._chain(task.id, name, each, [(task.id, relation)], scope)
            self._join([(last, _ERROR if name == "errors" else _SEQUENTIAL)], f"{task.id}.end")
            lanes.append(lane)
        return lanes

    def _dag(self, dag: Dag, scope: _Scope) -> Lane:
        """Draws the tasks of a Dag: each behind what it waits for, the end behind those that nothing waits for."""
        needs, relation = dag.depends_on, _relation(dag, ("tasks",))
        tasks = {task.id: task for task in dag.tasks}
        cells, last = grid_of(needs), {}
        for name in cells:
            entries = [(last[need], _SEQUENTIAL) for need in needs[name]] or [(dag.id, relation)]
            last[name] = self._chain(dag.id, "tasks", (tasks[name],), entries, scope)[1]
        waited_for = {need for found in needs.values() for need in found}
        self._join([(uid, _SEQUENTIAL) for name, uid in last.items() if name not in waited_for], f"{dag.id}.end")
        return Lane("tasks", relation.relation_type, tuple(cells), tuple(cells.values()))

    def _shortcut(self, task: Task, name: str) -> Lane:
        """Draws the choice ``name`` for which the file has no tasks: straight to the end."""
        self._join([(task.id, EdgeRelation(Relation.CHOICE, name))], f"{task.id}.end")
        return Lane(name, Relation.CHOICE, ())

    def _group_uid(self, owner: str, name: str, tasks: Tasks) -> str | None:
        uid = f"group.{owner}.{name}"
        return uid if len(tasks) > self._group_over and uid not in self._expanded else None

    def _join(self, entries: _Entries, target: str) -> None:
        self._edges += [Edge(source, target, relation) for source, relation in entries]

    def _node(
        self, uid: str, kind: Kind, scope: _Scope, task: Task | None = None, members: tuple[str, ...] = ()
    ) -> None:
        box = scope.clusters[-1] if scope.clusters else None
        raw = _without_children(task) if task else None
        self._nodes.append(Node(uid, kind, _TYPES[kind], box, scope.branch_type, scope.in_loop, members, raw))


def _relation(task: Task, path: tuple[str, ...]) -> EdgeRelation:
    if path == ("errors",):
        return _ERROR
    relation = next((found for kind, found in _RELATIONS.items() if isinstance(task, kind)), Relation.SEQUENTIAL)
    return EdgeRelation(relation, path[-1] if relation is Relation.CHOICE else None)


def _missing_choices(task: Task) -> tuple[str, ...]:
    """Names of the choices that lead straight to the end, because the file says nothing for them."""
    default = "else" if isinstance(task, If) else "defaults" if isinstance(task, Switch) else None
    empty = tuple(name for name, tasks in task.cases.items() if not tasks) if isinstance(task, Switch) else ()
    return empty + ((default,) if default and not task.branch(default) else ())


def _without_children(task: Task) -> dict[str, Any]:
    lists = {path[0] for path, _ in task.branches()}
    return {key: value for key, value in task.raw.items() if key not in lists}
