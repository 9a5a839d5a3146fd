"""Which flows lead to which: by their Subflow tasks, and by the Flow triggers that wait for them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from engine.flow import Flow, FlowTrigger, Subflow, is_template

Name = tuple[str, str]
"""(namespace, id) of a flow."""


class Dependency(msgspec.Struct, frozen=True):
    """Executions of ``source`` start ones of ``target``: by a task (FLOW_TASK) or a trigger (FLOW_TRIGGER)."""

    source: Name
    target: Name
    relation: str


def dependencies_of(flows: Iterable[Flow]) -> list[Dependency]:
    """All there are among ``flows``. Names that are templates, and triggers that wait for any flow, tell none."""
    known = {(flow.namespace, flow.id): flow for flow in flows}
    found = dict.fromkeys(one for name, flow in known.items() for one in _of(name, flow))
    return [one for one in found if one.source in known and one.target in known]


def _of(name: Name, flow: Flow) -> Iterator[Dependency]:
    for task in flow.tasks_by_id.values():
        if isinstance(task, Subflow) and not (is_template(task.namespace) or is_template(task.flowId)):
            yield Dependency(name, (task.namespace, task.flowId), "FLOW_TASK")
    for trigger in flow.triggers:
        if isinstance(trigger, FlowTrigger):
            for upstream in sorted(trigger.flows or ()):
                yield Dependency(upstream, name, "FLOW_TRIGGER")


def around(
    name: Name, everything: Collection[Dependency], *, destination_only: bool = False, expand_all: bool = False
) -> list[Dependency]:
    """Those of one flow: what it leads to and what leads to it, or the former only; ``expand_all``: and so on from
    there."""
    found: dict[Dependency, None] = {}
    seen, edge = {name}, {name}
    while edge:
        near = [one for one in everything if one.source in edge or (one.target in edge and not destination_only)]
        found |= dict.fromkeys(near)
        edge = {end for one in near for end in (one.source, one.target)} - seen if expand_all else set()
        seen |= edge
    return list(found)
