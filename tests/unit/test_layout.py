"""The layout of a flow's graph: boxes hold what is theirs, nothing else overlaps, whatever the flow."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flow import Flow
from engine.graph import Graph, Relation, graph_of
from engine.layout import Positions, Rect, layout
from tests.unit.steps import steps

_FLOW = "io.kestra.plugin.core.flow."
_LOG = {"type": "io.kestra.plugin.core.log.Log", "message": "hi"}
_ORIENTATIONS = ("LR", "TB")


def _lists(children: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(children, min_size=1, max_size=4)


def _flowables(children: st.SearchStrategy) -> st.SearchStrategy:
    tasks = _lists(children)
    errors = st.one_of(st.just([]), tasks)
    return st.one_of(
        st.builds(lambda t, e: {"type": f"{_FLOW}Sequential", "tasks": t, "errors": e}, tasks, errors),
        st.builds(lambda t, e: {"type": f"{_FLOW}Parallel", "tasks": t, "errors": e}, tasks, errors),
        st.builds(lambda t: {"type": f"{_FLOW}ForEach", "values": ["a"], "tasks": t}, tasks),
        st.builds(lambda t, e: {"type": f"{_FLOW}LoopUntil", "condition": "x", "tasks": t, "errors": e}, tasks, errors),
        st.builds(
            lambda t, n, e: {
                "type": f"{_FLOW}Dag",
                "tasks": [_item(*one) for one in zip(t, n, strict=False)],
                "errors": e,
            },
            tasks,
            st.lists(st.lists(st.integers(1, 3), max_size=2, unique=True), min_size=4, max_size=4),
            errors,
        ),
        st.builds(
            lambda t, o, e: {"type": f"{_FLOW}If", "condition": "x", "then": t, "else": o, "errors": e},
            tasks,
            errors,
            errors,
        ),
        st.builds(
            lambda a, b, d: {"type": f"{_FLOW}Switch", "value": "x", "cases": {"a": a, "b": b}, "defaults": d},
            tasks,
            errors,
            errors,
        ),
    )


def _item(task: dict, back: list[int]) -> dict:
    """A task of a Dag that depends on those so many places before it."""
    return {"task": task, "dependsOn": back}


_TREE = st.recursive(st.just(_LOG), _flowables, max_leaves=25)


def _numbered(value: object, counter: list[int]) -> object:
    """Copies with an id of its own for each task."""
    if isinstance(value, list):
        return [_numbered(item, counter) for item in value]
    if not isinstance(value, dict):
        return value
    counter[0] += 1
    named = {"id": f"t{counter[0]}"} if "type" in value else {}
    numbered = {**named, **{key: _numbered(item, counter) for key, item in value.items() if key != "dependsOn"}}
    if str(value.get("type")).endswith(".Dag"):
        for index, item in enumerate(numbered["tasks"]):
            places = [index - back for back in value["tasks"][index]["dependsOn"] if back <= index]
            item["dependsOn"] = [numbered["tasks"][place]["task"]["id"] for place in places]
    return numbered


def flow_of(tasks: list, **lists: list) -> Flow:
    """A flow of tasks without ids."""
    values = _numbered({"tasks": tasks, **lists}, [0])
    return Flow.model_validate({"id": "f", "namespace": "n", **values})


def _edges(rect: Rect) -> tuple[float, float, float, float]:
    return rect.x - rect.width / 2, rect.y - rect.height / 2, rect.x + rect.width / 2, rect.y + rect.height / 2


def _apart(a: Rect, b: Rect) -> bool:
    (left, top, right, bottom), (left2, top2, right2, bottom2) = _edges(a), _edges(b)
    slack = 1e-6
    return right <= left2 + slack or right2 <= left + slack or bottom <= top2 + slack or bottom2 <= top + slack


def _within(inner: Rect, outer: Rect) -> bool:
    (left, top, right, bottom), (left2, top2, right2, bottom2) = _edges(inner), _edges(outer)
    slack = 1e-6
    return left >= left2 - slack and top >= top2 - slack and right <= right2 + slack and bottom <= bottom2 + slack


def _assert_sound(graph: Graph, positions: Positions) -> None:
    assert positions.nodes.keys() == {node.uid for node in graph.nodes}
    assert positions.clusters.keys() == {box.cluster.uid for box in graph.clusters}
    around = {box.cluster.uid: {*box.parents, box.cluster.uid} for box in graph.clusters}
    parents = {box.cluster.uid: set(box.parents) for box in graph.clusters}
    things = [(rect, around[uid], parents[uid]) for uid, rect in positions.clusters.items()]
    boxes_of = {node.uid: around.get(node.cluster or "", set()) for node in graph.nodes}
    things += [(rect, boxes_of[uid], boxes_of[uid]) for uid, rect in positions.nodes.items()]
    page = Rect(positions.width / 2, positions.height / 2, positions.width, positions.height)
    for uid, rect in positions.clusters.items():
        for other, _, boxes in things:
            if other is not rect:
                assert _within(other, rect) if uid in boxes else _apart(other, rect) or _within(rect, other)
    for index, (rect, _, _) in enumerate(things[len(positions.clusters) :]):
        assert _within(rect, page)
        for other, _, _ in things[len(positions.clusters) + index + 1 :]:
            assert _apart(rect, other)


@settings(max_examples=40, deadline=None)
@given(tasks=_lists(_TREE), errors=st.lists(_TREE, max_size=2), end=st.lists(_TREE, max_size=2))
@pytest.mark.parametrize("orientation", _ORIENTATIONS)
def test_nothing_overlaps_but_boxes_and_what_is_in_them(orientation: str, tasks: list, errors: list, end: list) -> None:
    graph = graph_of(flow_of(tasks, errors=errors, **{"finally": end, "afterExecution": end}))
    _assert_sound(graph, layout(graph, orientation))


@settings(max_examples=15, deadline=None)
@given(tasks=_lists(_TREE))
def test_the_same_graph_gives_the_same_positions(tasks: list) -> None:
    flow = flow_of(tasks)
    assert layout(graph_of(flow)) == layout(graph_of(flow))


@pytest.mark.parametrize("orientation", _ORIENTATIONS)
def test_a_sequence_is_a_chain_along_the_main_axis(orientation: str) -> None:
    nodes = layout(graph_of(flow_of([_LOG] * 5)), orientation).nodes
    along, across = ("x", "y") if orientation == "LR" else ("y", "x")
    chain = [nodes[uid] for uid in ("root.start", *(f"t{n}" for n in range(2, 7)), "root.end")]
    assert len({getattr(rect, across) for rect in chain}) == 1
    assert all(getattr(a, along) < getattr(b, along) for a, b in pairwise(chain))


def test_parallel_tasks_lie_side_by_side_around_their_head() -> None:
    nodes = layout(graph_of(flow_of([{"type": f"{_FLOW}Parallel", "tasks": [_LOG] * 3}]))).nodes
    head, first, middle, last = (nodes[f"t{n}"] for n in (2, 3, 4, 5))
    assert first.x == middle.x == last.x > head.x
    assert first.y < middle.y < last.y
    assert middle.y == head.y == nodes["t2.end"].y


def test_no_line_of_a_dag_passes_below_a_task() -> None:
    def task(back: list[int]) -> dict:
        return _item(_LOG, back)

    dag = {"type": f"{_FLOW}Dag", "tasks": [task([]), task([1]), task([1, 2]), task([1, 2, 3]), task([4]), task([3])]}
    graph = graph_of(flow_of([dag]))
    nodes = layout(graph).nodes
    lines = [(nodes[edge.source], nodes[edge.target], edge.target.endswith(".end")) for edge in graph.edges]
    assert len(lines) > 10
    for source, target, joins in lines:
        row = source.y if joins else target.y
        for rect in nodes.values():
            between = source.x + source.width / 2 < rect.x < target.x - target.width / 2
            assert not between or abs(rect.y - row) >= rect.height / 2


def test_the_line_of_a_choice_without_tasks_meets_no_node() -> None:
    big = {"type": f"{_FLOW}Parallel", "tasks": [_LOG] * 5}
    graph = graph_of(flow_of([{"type": f"{_FLOW}If", "condition": "x", "then": [_LOG, big]}]))
    nodes = layout(graph).nodes
    straight = next(e for e in graph.edges if e.relation.relation_type is Relation.CHOICE and e.target.endswith(".end"))
    line, end = nodes[straight.source], nodes[straight.target]
    between = [rect for rect in nodes.values() if line.x < rect.x < end.x]
    assert line.y == end.y
    assert len(between) >= 6
    assert all(abs(rect.y - line.y) > rect.height / 2 for rect in between)


def _fans(count: int) -> Flow:
    fan = {"type": f"{_FLOW}Parallel", "tasks": [{"type": f"{_FLOW}Sequential", "tasks": [_LOG] * 4}] * 10}
    return flow_of([fan] * count)


def _dag(count: int) -> Flow:
    items = [_item(_LOG, [1] if index % 5 else []) for index in range(count * 10)]
    return flow_of([{"type": f"{_FLOW}Dag", "tasks": items}])


@pytest.mark.parametrize("flow", [_fans, _dag])
def test_a_node_costs_the_same_in_any_flow(flow: Callable[[int], Flow]) -> None:
    small, large = (graph_of(flow(count), group_over=10_000) for count in (10, 40))
    (_, few), (_, many) = (steps(lambda graph=graph: layout(graph)) for graph in (small, large))
    assert many / len(large.nodes) < 1.1 * few / len(small.nodes)


def test_a_large_dag_is_put_in_rows_in_few_steps() -> None:
    flow = _dag(40)
    graph, count = steps(lambda: graph_of(flow, group_over=10_000))
    assert count < 300 * len(graph.nodes)
