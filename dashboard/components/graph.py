"""A flow's graph as Cytoscape elements and stylesheet: pure functions of the engine's graph, layout and tokens.

Boxes of flowables are drawn as plain nodes behind the others (not compound ones), so that every position is the
layout's. An element's ``id`` is the node's uid; the live view sets ``state`` in its data.
"""

from __future__ import annotations

from typing import Any

from dashboard.components.tokens import FONT, STATE_COLOURS, SURFACES, Theme
from engine.graph import Cluster, Edge, Graph, Node
from engine.layout import Positions, Rect, Sizes
from engine.states import STATES

Element = dict[str, Any]


def elements(graph: Graph, positions: Positions) -> list[Element]:
    """Boxes, then edges, then nodes: the order in which they are drawn."""
    boxes = [_box(cluster, positions.clusters[cluster.cluster.uid]) for cluster in graph.clusters]
    nodes = [_node(node, positions.nodes[node.uid]) for node in graph.nodes]
    ends = {node.uid for node in graph.nodes if node.kind == "end"}
    return [*boxes, *(_edge(edge, ends) for edge in graph.edges), *nodes]


def _node(node: Node, rect: Rect) -> Element:
    dot = node.kind in ("start", "end")
    task = node.task or {}
    label = "" if dot else f"{len(node.members)} tasks" if node.kind == "group" else node.uid
    data = {
        "id": node.uid,
        "label": label,
        "kind": node.kind,
        "type": str(task.get("type", "")).rpartition(".")[2],
        "cluster": node.cluster,
        "branch": node.branch_type,
        "inLoop": node.in_loop,
        "members": list(node.members),
    }
    return _element(data, rect, " ".join(filter(None, ["dot" if dot else node.kind, _aside(node)])))


def _aside(node: Node) -> str:
    return "aside" if node.branch_type else ""


def _box(cluster: Cluster, rect: Rect) -> Element:
    data = {"id": cluster.cluster.uid, "label": cluster.cluster.task_node, "kind": "cluster",
            "task": cluster.cluster.task_node}  # fmt: skip
    return _element(data, rect, "cluster")


def _element(data: dict[str, Any], rect: Rect, classes: str) -> Element:
    return {
        "group": "nodes",
        "data": data | {"w": rect.width, "h": rect.height},
        "position": {"x": rect.x, "y": rect.y},
        "classes": classes,
        "grabbable": False,
        "selectable": "cluster" not in classes and "dot" not in classes,
    }


def _edge(edge: Edge, ends: set[str]) -> Element:
    relation = edge.relation.relation_type.value
    data = {
        "id": f"{edge.source}→{edge.target}",
        "source": edge.source,
        "target": edge.target,
        "relation": relation,
        "label": edge.relation.value or "",
    }
    classes = relation.lower().replace("_", "-") + " leave" * (edge.source in ends) + " join" * (edge.target in ends)
    return {"group": "edges", "data": data, "classes": classes, "selectable": False}


def stylesheet(theme: Theme) -> list[dict[str, Any]]:
    """Looks of every kind of element; a state is the colour of a node's edge and, by the live view, its glyph."""
    return [*_nodes(theme), *_edges(theme), *_states(theme)]


def _nodes(theme: Theme) -> list[dict[str, Any]]:
    surface = SURFACES[theme]
    return [
        _rule("node", **{"shape": "round-rectangle", "width": "data(w)", "height": "data(h)",
              "background-color": surface["panel"], "border-width": 1.5, "border-color": surface["border-strong"],
              "overlay-opacity": 0}),
        _rule("node.task, node.group", **{"label": "data(label)", "color": surface["text"], "font-family": FONT,
              "font-size": 13, "font-weight": 500, "text-valign": "center", "text-halign": "center",
              "text-wrap": "ellipsis", "text-max-width": 132}),
        _rule("node.group", **{"border-style": "double", "border-width": 4}),
        _rule("node.aside", **{"border-style": "dashed"}),
        _rule("node.dot", **{"shape": "ellipse", "background-color": surface["border-strong"], "border-width": 0}),
        _rule("node.cluster", **{"background-color": surface["raised"], "background-opacity": 0.45,
              "border-width": 1, "border-color": surface["border"], "z-index": 0,
              "events": "no"}),
        _rule("node:selected, node.hover", **{"border-color": surface["accent"], "border-width": 2.5}),
    ]  # fmt: skip


def _edges(theme: Theme) -> list[dict[str, Any]]:
    surface = SURFACES[theme]
    return [
        _rule("edge", **{"curve-style": "taxi", "taxi-direction": "horizontal", "taxi-turn": 20, "width": 1.5,
              "line-color": surface["faint"], "target-arrow-color": surface["faint"],
              "target-arrow-shape": "triangle", "arrow-scale": 0.8, "label": "data(label)", "font-size": 11,
              "font-family": FONT, "color": surface["muted"], "text-background-color": surface["panel"],
              "text-background-opacity": 1, "text-background-padding": 3}),
        _rule("edge.leave", **{"taxi-turn": 20 + Sizes().padding}),  # an end lies within its box: turn outside of that
        _rule("edge.join", **{"taxi-turn": -16, "target-arrow-shape": "none"}),
        _rule("edge.error", **{"line-style": "dashed", "line-color": STATE_COLOURS[theme]["failed"],
              "target-arrow-color": STATE_COLOURS[theme]["failed"]}),
        _rule("edge.dynamic", **{"line-style": "dashed", "line-dash-pattern": [6, 3]}),
        _rule("edge.finally, edge.after-execution", **{"line-style": "dotted"}),
        _rule(".unused", opacity=0.4),
    ]  # fmt: skip


def _states(theme: Theme) -> list[dict[str, Any]]:
    colours = STATE_COLOURS[theme]
    return [
        _rule(f'node[state = "{state}"]', **{"border-color": colours[info.token], "border-width": 2.5})
        for state, info in STATES.items()
    ]


def _rule(selector: str, **style: Any) -> dict[str, Any]:
    return {"selector": selector, "style": style}
