"""A graph with the flow that a Subflow task starts drawn in it, as the box of that task."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from engine.graph import END, START, Cluster, ClusterId, Edge, EdgeRelation, Graph, Lane, Node, Relation

_TYPE = "io.kestra.core.models.hierarchies.SubflowGraphCluster"
_SEQUENTIAL = EdgeRelation(Relation.SEQUENTIAL)


def flow_at(graph: Graph, uid: str) -> tuple[str, str] | None:
    """(namespace, flow) of the Subflow task at a node; ``None`` when it is none, or they are templates."""
    task = next((node.task for node in graph.nodes if node.uid == uid and node.task), {}) or {}
    namespace, flow_id = task.get("namespace"), task.get("flowId")
    known = isinstance(namespace, str) and isinstance(flow_id, str) and "{{" not in namespace + flow_id
    return (str(namespace), str(flow_id)) if known else None


def with_subflow(graph: Graph, uid: str, child: Graph) -> Graph:
    """``graph`` with ``child`` behind the node ``uid``: its uids begin with that one's and a dot."""
    named: Callable[[str], str] = lambda inner: f"{uid}.{inner}"  # noqa: E731
    box, at = f"cluster.{uid}", next(node for node in graph.nodes if node.uid == uid)
    around = () if at.cluster is None else (*_parents(graph, at.cluster), at.cluster)
    inner = [_inside(node, at, box, named) for node in child.nodes]
    own = Cluster(
        ClusterId(box, _TYPE, uid),
        (uid, *(node.uid for node in inner if node.cluster == box)),
        around,
        uid,
        named(END),
        tuple(_lane(lane, named) for lane in child.lanes),
    )
    before = [replace(edge, source=named(END)) if edge.source == uid else edge for edge in graph.edges]
    edges = [Edge(named(edge.source), named(edge.target), edge.relation) for edge in child.edges]
    return Graph(
        (*(replace(node, cluster=box) if node.uid == uid else node for node in graph.nodes), *inner),
        (*before, Edge(uid, named(START), _SEQUENTIAL), *edges),
        (*(_without(one, uid, at.cluster) for one in graph.clusters), own,
         *(_cluster(one, (*around, box), named) for one in child.clusters)),
        (*graph.flowables, *map(named, child.flowables)),
        graph.lanes,
    )  # fmt: skip


def _parents(graph: Graph, cluster: str) -> tuple[str, ...]:
    return next(one.parents for one in graph.clusters if one.cluster.uid == cluster)


def _without(one: Cluster, uid: str, cluster: str | None) -> Cluster:
    """The box around the node: that is directly in its own box now."""
    if one.cluster.uid != cluster:
        return one
    return replace(one, nodes=tuple(node for node in one.nodes if node != uid))


def _inside(node: Node, at: Node, box: str, named: Callable[[str], str]) -> Node:
    return replace(
        node,
        uid=named(node.uid),
        cluster=box if node.cluster is None else named(node.cluster),
        in_loop=node.in_loop or at.in_loop,
        branch_type=node.branch_type or at.branch_type,
        members=tuple(map(named, node.members)),
    )


def _cluster(one: Cluster, around: tuple[str, ...], named: Callable[[str], str]) -> Cluster:
    own = one.cluster
    return Cluster(
        replace(own, uid=named(own.uid), task_node=named(own.task_node)),
        tuple(map(named, one.nodes)),
        (*around, *map(named, one.parents)),
        named(one.start),
        named(one.end),
        tuple(_lane(lane, named) for lane in one.lanes),
    )


def _lane(lane: Lane, named: Callable[[str], str]) -> Lane:
    return replace(lane, nodes=tuple(map(named, lane.nodes)))
