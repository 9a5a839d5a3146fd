"""What is wrong with the ``dependsOn`` of a Dag: a name that isn't there, one that stands twice, a circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.flow.flowables import Dag
from engine.flow.kinds import nearest

Needs = Mapping[str, Sequence[str]]
Problem = tuple[tuple[str | int, ...], str]


def dag_problems(dag: Dag) -> Iterator[Problem]:
    """Each problem after the path from the Dag to where it stands in the file."""
    known = {task.id: index for index, task in enumerate(dag.tasks)}
    for index, item in enumerate(dag.tasks_):
        seen = set()
        for place, name in enumerate(item.dependsOn):
            path = ("tasks", index, "dependsOn", place)
            if name not in known:
                near = nearest(name, known)
                hint = f"; nearest: {', '.join(near)}" if near else ""
                yield path, f"expected the id of another task of the Dag {dag.id!r}, came {name!r}{hint}"
            elif name in seen:
                yield path, f"{item.task.id!r} depends on {name!r} twice; keep one"
            seen.add(name)
    for circle in circles(dag.depends_on):
        first = known[circle[0]]
        path = ("tasks", first, "dependsOn", dag.tasks_[first].dependsOn.index(circle[1]))
        yield path, f"a circle, in which each waits for the next: {' → '.join(circle)}; remove one of these dependsOn"


def circles(needs: Needs) -> Iterator[list[str]]:
    """Circles that share no task, first task repeated at the end, until what is left has none. Linear in the edges."""
    left = dict(needs)
    while left := _unsorted(left):
        circle = _circle(left)
        yield circle
        left = {name: found for name, found in left.items() if name not in circle}


def in_order(needs: Needs) -> list[str]:
    """The tasks so that each comes after all that it waits for; those in a circle, or behind one, are left out."""
    left = {name: len(found) for name, found in needs.items()}
    feeds: dict[str, list[str]] = {name: [] for name in needs}
    for name, found in needs.items():
        for other in found:
            feeds[other].append(name)
    order = [name for name, count in left.items() if count == 0]
    for name in order:  # grows on the way
        for other in feeds[name]:
            left[other] -= 1
            if left[other] == 0:
                order.append(other)
    return order


def _unsorted(needs: Needs) -> dict[str, list[str]]:
    """The tasks that never get their turn, each with those of them that it waits for."""
    known = {name: [other for other in found if other in needs] for name, found in needs.items()}
    left = known.keys() - set(in_order(known))
    return {name: [other for other in known[name] if other in left] for name in known if name in left}


def _circle(needs: Needs) -> list[str]:
    """A circle among tasks that each wait for another one of them; it begins at the one that is first in the file."""
    walked: dict[str, int] = {}
    path: list[str] = []
    name = next(iter(needs))
    while name not in walked:
        walked[name] = len(path)
        path.append(name)
        name = needs[name][0]
    circle = path[walked[name] :]
    first = next(one for one in needs if one in circle)
    start = circle.index(first)
    return [*circle[start:], *circle[:start], first]
