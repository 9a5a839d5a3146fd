"""A flow as the reducer needs it: per task its kind, its place and its children, looked up once a flow."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from engine.flow import (
    AllowFailure,
    Dag,
    Flow,
    ForEach,
    If,
    LoopUntil,
    Parallel,
    Pause,
    Retry,
    Script,
    Sequential,
    Subflow,
    Switch,
    Task,
    WorkingDirectory,
)
from engine.flow.dags import in_order
from engine.model import Branch

ROOT = ""
"""Stands for the flow itself where a container's task-run id is asked for."""
MAIN = "tasks"
ERRORS = "errors"
FINALLY = "finally"
AFTER = "afterExecution"
SIDE = frozenset({ERRORS, FINALLY, AFTER})
"""Branches that follow the main one."""
IN_PLACE = "RETRY_FAILED_TASK"


class Kind(Enum):
    """How the reducer handles a task."""

    RUNNABLE = auto()
    SEQUENCE = auto()
    CHOICE = auto()
    PARALLEL = auto()
    EACH = auto()
    DAG = auto()
    LOOP = auto()
    FOLDER = auto()
    PAUSE = auto()
    SUBFLOW = auto()


_KINDS: dict[type[Task], Kind] = {
    Sequential: Kind.SEQUENCE,
    AllowFailure: Kind.SEQUENCE,
    If: Kind.CHOICE,
    Switch: Kind.CHOICE,
    Parallel: Kind.PARALLEL,
    ForEach: Kind.EACH,
    Dag: Kind.DAG,
    LoopUntil: Kind.LOOP,
    WorkingDirectory: Kind.FOLDER,
    Pause: Kind.PAUSE,
    Subflow: Kind.SUBFLOW,
}
CONTAINERS = frozenset({Kind.SEQUENCE, Kind.CHOICE, Kind.PARALLEL, Kind.EACH, Kind.DAG, Kind.LOOP, Kind.FOLDER})


@dataclass(slots=True, eq=False)
class Node:
    """One task in its flow. ``lists`` holds its enabled children by branch name; ``limit`` how many of its main
    branch may run at once (0: all). ``side`` is true in an errors, finally or afterExecution list, ``repeats`` in the
    main list of a LoopUntil, ``in_folder`` for a process in a WorkingDirectory. ``needs`` are the tasks of its Dag
    that must end well before, ``feeds`` those that wait for it; a disabled one hands its own needs on."""

    id: str
    task: Any
    kind: Kind
    parent: Node | None
    list: str
    branch: Branch
    retry: Retry | None
    index: int = 0
    lists: dict[str, list[Node]] = field(default_factory=dict)
    limit: int = 1
    container: bool = False
    side: bool = False
    repeats: bool = False
    in_folder: bool = False
    needs: tuple[Node, ...] = ()
    feeds: list[Node] = field(default_factory=list)
    path: tuple[Node, ...] = ()
    allow_failure: bool = False
    allow_warning: bool = False
    run_if: str | None = None
    memo: Any = None


@dataclass(slots=True, eq=False)
class Plan:
    """All nodes of a flow by task id, under ``root``; ``places`` says how far down in the file each task stands."""

    flow: Flow | None
    root: Node
    nodes: dict[str, Node]
    places: dict[str, int] = field(default_factory=dict)


_LIMITS = {Kind.PARALLEL: "concurrent", Kind.DAG: "concurrent", Kind.EACH: "concurrencyLimit"}


def compile_plan(flow: Flow | None) -> Plan:
    """The plan of ``flow``; disabled tasks are in ``nodes`` but in no list. Without a flow it holds nothing."""
    root = Node(ROOT, None, Kind.SEQUENCE, None, "", Branch.TASKS, flow.retry if flow else None, container=True)
    nodes: dict[str, Node] = {}
    if flow is None:
        return Plan(None, root, nodes)
    for task, place in flow.walk():
        parent = nodes[place.parent_task_id] if place.parent_task_id is not None else root
        nodes[task.id] = _node(task, place.branch, place.section, parent)
    for node in nodes.values():
        if node.kind is Kind.DAG:
            _tie(node.task.depends_on, nodes)
    return Plan(flow, root, nodes, {task_id: place for place, task_id in enumerate(nodes)})


def _tie(depends_on: dict[str, tuple[str, ...]], nodes: dict[str, Node]) -> None:
    """Fill in ``needs`` and ``feeds`` of the enabled tasks of a Dag."""
    handed_on: dict[str, tuple[str, ...]] = {}
    for task_id in in_order(depends_on):
        found = [one for name in depends_on[task_id] for one in handed_on.get(name, (name,))]
        if nodes[task_id].task.disabled:
            handed_on[task_id] = tuple(dict.fromkeys(found))
            continue
        nodes[task_id].needs = tuple(nodes[name] for name in dict.fromkeys(found))
        for other in nodes[task_id].needs:
            other.feeds.append(nodes[task_id])


def _node(task: Task, branch: str, section: Branch, parent: Node) -> Node:
    kind = _KINDS.get(type(task), Kind.RUNNABLE)
    path = (*parent.path, parent) if parent.task is not None else ()
    node = Node(
        id=task.id,
        task=task,
        kind=kind,
        parent=parent,
        list=branch,
        branch=section,
        retry=_retry(task.retry or parent.retry, path[0].branch if path else section),
        limit=getattr(task, _LIMITS[kind]) if kind in _LIMITS else 1,
        container=kind in CONTAINERS,
        side=branch in SIDE,
        repeats=parent.kind is Kind.LOOP and branch == MAIN,
        in_folder=parent.kind is Kind.FOLDER and isinstance(task, Script),
        path=path,
        allow_failure=task.allowFailure or isinstance(task, AllowFailure),
        allow_warning=task.allowWarning,
        run_if=task.runIf,
    )
    if not task.disabled:
        siblings = parent.lists.setdefault(branch, [])
        node.index = len(siblings)
        siblings.append(node)
    return node


def _retry(policy: Retry | None, top: Branch) -> Retry | None:
    """The policy as it holds below a list of the flow: after the end nothing is left that another could replace."""
    if policy is None or top is not Branch.AFTER_EXECUTION or policy.behavior == IN_PLACE:
        return policy
    return policy.model_copy(update={"behavior": IN_PLACE})


_CACHE_SIZE = 512
_plans: OrderedDict[int, Plan] = OrderedDict()
NO_PLAN = compile_plan(None)


def plan_of(flow: Flow) -> Plan:
    """The plan of ``flow``, compiled once as long as it is remembered (which keeps its flow alive)."""
    plan = _plans.get(id(flow))
    if plan is None or plan.flow is not flow:
        plan = _plans[id(flow)] = compile_plan(flow)
        while len(_plans) > _CACHE_SIZE:
            _plans.popitem(last=False)
    return plan
