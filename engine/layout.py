"""Where each node of a flow's graph is drawn: nested boxes, in time linear in the nodes, the same for the same graph.

A list of tasks is a chain along the main axis; choices and parallel tasks lie side by side across it, the tasks of a
Dag in columns and rows; an ``errors`` list lies beside what it guards. Nothing overlaps but a box and what is in it.
Sizes are pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

import msgspec

from engine.graph import END, START, Cluster, Graph, Lane, Relation

Orientation = Literal["LR", "TB"]
Lanes = Sequence[Lane]


class Rect(msgspec.Struct, frozen=True):
    """A rectangle by its centre."""

    x: float
    y: float
    width: float
    height: float


class Positions(msgspec.Struct, frozen=True):
    """Every node and cluster by uid. Everything lies within (0, 0) and (width, height)."""

    nodes: dict[str, Rect]
    clusters: dict[str, Rect]
    width: float
    height: float


class Sizes(msgspec.Struct, frozen=True):
    """Measures of the drawing: nodes, dots (where things start and end), and the space between."""

    width: float = 184
    height: float = 48
    dot: float = 14
    along: float = 44
    across: float = 20
    padding: float = 18
    aside: float = 32


class _Block(msgspec.Struct):
    """Something to place: ``length`` along the main axis, ``breadth`` across; lines enter and leave at ``axis``."""

    length: float
    breadth: float
    axis: float


def layout(graph: Graph, orientation: Orientation = "LR", sizes: Sizes | None = None) -> Positions:
    """Positions of all nodes and clusters; the main axis goes right (LR) or down (TB)."""
    return _Layout(graph, orientation, sizes or Sizes()).run()


class _Layout:
    def __init__(self, graph: Graph, orientation: Orientation, sizes: Sizes) -> None:
        self._sizes = sizes
        self._down = orientation == "TB"
        self._lanes = graph.lanes
        self._boxes = {box.start: box for box in graph.clusters}
        self._leaf = (sizes.height, sizes.width) if self._down else (sizes.width, sizes.height)
        self._measured: dict[str, _Block] = {}
        self._nodes: dict[str, Rect] = {}
        self._clusters: dict[str, Rect] = {}

    def run(self) -> Positions:
        """Measures from the inside out, then places from the outside in."""
        padding, along = self._sizes.padding, self._sizes.along
        guarded = [lane for lane in self._lanes if lane.name in ("tasks", "errors")]
        after = {lane.name: lane.nodes for lane in self._lanes if lane.name not in ("tasks", "errors")}
        body = self._measure_fork(guarded)
        blocks = [body, *(self._measure_chain(uids) for uids in after.values())]
        axis = padding + max(block.axis for block in blocks)
        breadth = axis + max(block.breadth - block.axis for block in blocks) + padding
        here = self._put_dot(START, padding, axis) + along
        self._place_fork(guarded, body, here, axis)
        here = self._place_chain(after.get("finally", ()), here + body.length + along, axis)
        here = self._put_dot(END, here, axis) + along
        length = self._place_chain(after.get("afterExecution", ()), here, axis) - along + padding
        width, height = (breadth, length) if self._down else (length, breadth)
        return Positions(self._nodes, self._clusters, width, height)

    # -- measuring ----------------------------------------------------------------------------------------------

    def _measure(self, uid: str) -> _Block:
        if uid not in self._measured:
            box = self._boxes.get(uid)
            length, breadth = self._leaf
            self._measured[uid] = self._measure_box(box) if box else _Block(length, breadth, breadth / 2)
        return self._measured[uid]

    def _measure_chain(self, uids: tuple[str, ...]) -> _Block:
        blocks = [self._measure(uid) for uid in uids] or [_Block(0, self._leaf[1], self._leaf[1] / 2)]
        axis = max(block.axis for block in blocks)
        length = sum(block.length for block in blocks) + self._sizes.along * (len(blocks) - 1)
        return _Block(length, axis + max(block.breadth - block.axis for block in blocks), axis)

    def _measure_lane(self, lane: Lane) -> _Block:
        if not lane.cells:
            return self._measure_chain(lane.nodes)
        columns, rows = self._measure_grid(lane)
        breadth = sum(row.breadth for row in rows) + self._sizes.across * (len(rows) - 1)
        return _Block(sum(columns) + self._sizes.along * (len(columns) - 1), breadth, breadth / 2)

    def _measure_grid(self, lane: Lane) -> tuple[list[float], list[_Block]]:
        """Length of each column; breadth and axis of each row."""
        columns = [0.0] * (1 + max(column for column, _ in lane.cells))
        rows = [_Block(0, 0, 0) for _ in range(1 + max(row for _, row in lane.cells))]
        for uid, (column, row) in zip(lane.nodes, lane.cells, strict=True):
            block, there = self._measure(uid), rows[row]
            columns[column] = max(columns[column], block.length)
            below = max(there.breadth - there.axis, block.breadth - block.axis)
            there.axis = max(there.axis, block.axis)
            there.breadth = there.axis + below
        return columns, rows

    def _measure_fork(self, lanes: Lanes) -> _Block:
        """Lanes side by side. The axis runs through the one without nodes, so that its line meets no other lane;
        else through the middle of those that aren't ``errors``."""
        chains = [self._measure_lane(lane) for lane in lanes]
        length, side = max((chain.length for chain in chains), default=0), 0.0
        axes, usual = [], 0.0
        for index, (lane, chain) in enumerate(zip(lanes, chains, strict=True)):
            side += self._gap(lane) if index else 0
            axes.append(side + chain.axis)
            side += chain.breadth
            usual = usual if lane.relation is Relation.ERROR else side
        free = [axis for lane, axis in zip(lanes, axes, strict=True) if not lane.nodes]
        alone = axes[:1] if sum(lane.relation is not Relation.ERROR for lane in lanes) == 1 else []
        return _Block(length, side, next(iter(free + alone), usual / 2))

    def _gap(self, lane: Lane) -> float:
        """Space before a lane that has another before it."""
        return self._sizes.aside if lane.relation is Relation.ERROR else self._sizes.across

    def _measure_box(self, box: Cluster) -> _Block:
        sizes, (head_length, head_breadth) = self._sizes, self._leaf
        fork = self._measure_fork(box.lanes)
        axis = max(fork.axis, head_breadth / 2)
        breadth = axis + max(fork.breadth - fork.axis, head_breadth / 2)
        length = head_length + sizes.along + fork.length + sizes.along + sizes.dot
        return _Block(length + 2 * sizes.padding, breadth + 2 * sizes.padding, axis + sizes.padding)

    # -- placing ------------------------------------------------------------------------------------------------

    def _place(self, uid: str, here: float, axis: float) -> None:
        block, box = self._measured[uid], self._boxes.get(uid)
        if box is None:
            self._nodes[uid] = self._rect(here, axis - block.axis, block.length, block.breadth)
            return
        self._clusters[box.cluster.uid] = self._rect(here, axis - block.axis, block.length, block.breadth)
        length, breadth = self._leaf
        inside = here + self._sizes.padding
        self._nodes[uid] = self._rect(inside, axis - breadth / 2, length, breadth)
        self._place_fork(box.lanes, self._measure_fork(box.lanes), inside + length + self._sizes.along, axis)
        dot = self._sizes.dot
        end = here + block.length - self._sizes.padding - dot
        self._nodes[box.end] = self._rect(end, axis - dot / 2, dot, dot)

    def _place_chain(self, uids: tuple[str, ...], here: float, axis: float) -> float:
        """Where the next thing after the chain that starts at ``here`` starts."""
        for uid in uids:
            self._place(uid, here, axis)
            here += self._measured[uid].length + self._sizes.along
        return here

    def _place_fork(self, lanes: Lanes, fork: _Block, here: float, axis: float) -> None:
        side = axis - fork.axis
        for index, lane in enumerate(lanes):
            chain = self._measure_lane(lane)
            side += self._gap(lane) if index else 0
            if lane.cells:
                self._place_grid(lane, here, side)
            else:
                self._place_chain(lane.nodes, here, side + chain.axis)
            side += chain.breadth

    def _place_grid(self, lane: Lane, here: float, side: float) -> None:
        """Each at the end of its column, so that lines leave it between two columns."""
        columns, rows = self._measure_grid(lane)
        ends = [here + end for end in accumulate(columns, lambda end, length: end + self._sizes.along + length)]
        sides = list(accumulate((row.breadth + self._sizes.across for row in rows), initial=side))
        for uid, (column, row) in zip(lane.nodes, lane.cells, strict=True):
            self._place(uid, ends[column] - self._measure(uid).length, sides[row] + rows[row].axis)

    def _put_dot(self, uid: str, here: float, axis: float) -> float:
        dot = self._sizes.dot
        self._nodes[uid] = self._rect(here, axis - dot / 2, dot, dot)
        return here + dot

    def _rect(self, main: float, cross: float, length: float, breadth: float) -> Rect:
        along, across = main + length / 2, cross + breadth / 2
        return Rect(across, along, breadth, length) if self._down else Rect(along, across, length, breadth)
