"""The graph of a flow: what follows what, and why."""

from __future__ import annotations

import msgspec
import pytest

from engine.flow import parse
from engine.graph import Graph, graph_of

_HEAD = "id: f\nnamespace: n\n"
_LOG = "type: io.kestra.plugin.core.log.Log, message: hi"
_FLOW = "io.kestra.plugin.core.flow."


def _edges(graph: Graph) -> set[tuple[str, str, str, str | None]]:
    return {(e.source, e.target, str(e.relation.relation_type), e.relation.value) for e in graph.edges}


CASES = {
    "sequence": (
        f"tasks: [{{id: a, {_LOG}}}, {{id: b, {_LOG}}}]",
        {
            ("root.start", "a", "SEQUENTIAL", None),
            ("a", "b", "SEQUENTIAL", None),
            ("b", "root.end", "SEQUENTIAL", None),
        },
    ),
    "parallel": (
        f"tasks: [{{id: p, type: {_FLOW}Parallel, tasks: [{{id: a, {_LOG}}}, {{id: b, {_LOG}}}]}}]",
        {
            ("root.start", "p", "SEQUENTIAL", None),
            ("p", "a", "PARALLEL", None),
            ("p", "b", "PARALLEL", None),
            ("a", "p.end", "SEQUENTIAL", None),
            ("b", "p.end", "SEQUENTIAL", None),
            ("p.end", "root.end", "SEQUENTIAL", None),
        },
    ),
    "if without else": (
        f"tasks: [{{id: i, type: {_FLOW}If, condition: x, then: [{{id: a, {_LOG}}}]}}]",
        {
            ("root.start", "i", "SEQUENTIAL", None),
            ("i", "a", "CHOICE", "then"),
            ("i", "i.end", "CHOICE", "else"),
            ("a", "i.end", "SEQUENTIAL", None),
            ("i.end", "root.end", "SEQUENTIAL", None),
        },
    ),
    "switch": (
        f"tasks: [{{id: s, type: {_FLOW}Switch, value: x, cases: {{x: [{{id: a, {_LOG}}}], y: []}}, "
        f"defaults: [{{id: d, {_LOG}}}]}}]",
        {
            ("root.start", "s", "SEQUENTIAL", None),
            ("s", "a", "CHOICE", "x"),
            ("s", "s.end", "CHOICE", "y"),
            ("s", "d", "CHOICE", "defaults"),
            ("a", "s.end", "SEQUENTIAL", None),
            ("d", "s.end", "SEQUENTIAL", None),
            ("s.end", "root.end", "SEQUENTIAL", None),
        },
    ),
    "dag": (
        f"tasks: [{{id: d, type: {_FLOW}Dag, tasks: [{{task: {{id: c, {_LOG}}}, dependsOn: [a, b]}}, "
        f"{{task: {{id: a, {_LOG}}}}}, {{task: {{id: b, {_LOG}}}, dependsOn: [a]}}, {{task: {{id: x, {_LOG}}}}}]}}]",
        {
            ("root.start", "d", "SEQUENTIAL", None),
            ("d", "a", "PARALLEL", None),
            ("d", "x", "PARALLEL", None),
            ("a", "b", "SEQUENTIAL", None),
            ("a", "c", "SEQUENTIAL", None),
            ("b", "c", "SEQUENTIAL", None),
            ("c", "d.end", "SEQUENTIAL", None),
            ("x", "d.end", "SEQUENTIAL", None),
            ("d.end", "root.end", "SEQUENTIAL", None),
        },
    ),
    "loop until, allowed to fail": (
        f"tasks: [{{id: l, type: {_FLOW}LoopUntil, condition: x, tasks: [{{id: f, type: {_FLOW}AllowFailure, "
        f"tasks: [{{id: a, {_LOG}}}]}}]}}]",
        {
            ("root.start", "l", "SEQUENTIAL", None),
            ("l", "f", "DYNAMIC", None),
            ("f", "a", "SEQUENTIAL", None),
            ("a", "f.end", "SEQUENTIAL", None),
            ("f.end", "l.end", "SEQUENTIAL", None),
            ("l.end", "root.end", "SEQUENTIAL", None),
        },
    ),
    "loop with errors": (
        f"tasks: [{{id: l, type: {_FLOW}ForEach, values: [1], tasks: [{{id: a, {_LOG}}}], "
        f"errors: [{{id: e, {_LOG}}}]}}]",
        {
            ("root.start", "l", "SEQUENTIAL", None),
            ("l", "a", "DYNAMIC", None),
            ("a", "l.end", "SEQUENTIAL", None),
            ("l", "e", "ERROR", None),
            ("e", "l.end", "ERROR", None),
            ("l.end", "root.end", "SEQUENTIAL", None),
        },
    ),
    "lists of the flow": (
        f"tasks: [{{id: a, {_LOG}}}]\nerrors: [{{id: e, {_LOG}}}]\nfinally: [{{id: z, {_LOG}}}]\n"
        f"afterExecution: [{{id: n, {_LOG}}}]",
        {
            ("root.start", "a", "SEQUENTIAL", None),
            ("root.start", "e", "ERROR", None),
            ("a", "z", "FINALLY", None),
            ("e", "z", "FINALLY", None),
            ("z", "root.end", "SEQUENTIAL", None),
            ("root.end", "n", "AFTER_EXECUTION", None),
        },
    ),
}


@pytest.mark.parametrize(("tasks", "expected"), CASES.values(), ids=CASES.keys())
def test_edges(tasks: str, expected: set[tuple[str, str, str, str | None]]) -> None:
    graph = graph_of(parse(_HEAD + tasks))
    assert _edges(graph) == expected
    assert len(graph.edges) == len(expected)


NESTED = f"""{_HEAD}
tasks:
  - id: loop
    type: {_FLOW}ForEach
    values: [1, 2]
    tasks:
      - id: fan
        type: {_FLOW}Parallel
        tasks: [{{id: a, {_LOG}}}, {{id: wait, type: {_FLOW}Pause}}]
  - id: child
    type: {_FLOW}Subflow
    namespace: n
    flowId: other
errors: [{{id: e, {_LOG}}}]
"""


def test_clusters_are_outer_ones_first_and_know_what_is_directly_in_them() -> None:
    graph = graph_of(parse(NESTED))
    seen = [(box.cluster.uid, box.nodes, box.parents, box.start, box.end) for box in graph.clusters]
    assert seen == [
        ("cluster.loop", ("loop", "loop.end"), (), "loop", "loop.end"),
        ("cluster.fan", ("fan", "a", "wait", "fan.end"), ("cluster.loop",), "fan", "fan.end"),
    ]
    assert graph.flowables == ("loop", "fan", "wait", "child")


def test_nodes_say_whether_they_loop_and_which_branch_they_are_in() -> None:
    nodes = {node.uid: node for node in graph_of(parse(NESTED)).nodes}
    assert [uid for uid, node in nodes.items() if node.in_loop] == ["fan", "a", "wait", "fan.end"]
    assert [uid for uid, node in nodes.items() if node.branch_type] == ["e"]
    assert nodes["loop"].task == {"id": "loop", "type": f"{_FLOW}ForEach", "values": [1, 2]}


def test_uids_are_unique_and_edges_lead_between_nodes() -> None:
    graph = graph_of(parse(NESTED))
    uids = [node.uid for node in graph.nodes]
    assert len(set(uids)) == len(uids)
    assert {end for edge in graph.edges for end in (edge.source, edge.target)} == set(uids)


def _fan(size: int) -> str:
    tasks = ", ".join(f"{{id: t{n}, {_LOG}}}" for n in range(size))
    return f"{_HEAD}tasks: [{{id: fan, type: {_FLOW}Parallel, tasks: [{tasks}]}}]"


def test_more_siblings_than_fifty_are_one_node_that_can_be_expanded() -> None:
    flow = parse(_fan(51))
    graph = graph_of(flow)
    group = next(node for node in graph.nodes if node.kind == "group")
    assert (group.uid, len(group.members), group.cluster) == ("group.fan.tasks", 51, "cluster.fan")
    assert ("fan", "group.fan.tasks", "PARALLEL", None) in _edges(graph)
    expanded = graph_of(flow, expanded=[group.uid])
    assert {node.kind for node in expanded.nodes} == {"start", "task", "end"}
    assert len(expanded.nodes) == 51 + 4


def test_fifty_siblings_are_shown_each() -> None:
    assert {node.kind for node in graph_of(parse(_fan(50))).nodes} == {"start", "task", "end"}


def test_json_has_the_keys_of_the_api() -> None:
    graph = msgspec.to_builtins(graph_of(parse(NESTED)))
    assert graph.keys() == {"nodes", "edges", "clusters", "flowables", "lanes"}
    assert {"uid", "type", "branchType", "task"} <= graph["nodes"][0].keys()
    assert graph["edges"][0] == {
        "source": "root.start",
        "target": "loop",
        "relation": {"relationType": "SEQUENTIAL", "value": None},
    }
    assert {"cluster", "nodes", "parents", "start", "end"} <= graph["clusters"][0].keys()
