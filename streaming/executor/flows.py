"""Flows that executions run, each revision read once as long as it is needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import structlog

from data.records import StoredFlow
from engine.flow import Flow, parse_stored
from engine.model import Execution, evolve
from streaming.messages import Event, ExecutionCreated, ExecutionExpired, ExecutionReported, TaskReported

log = structlog.get_logger()

CAPACITY = 2_000
_WITHOUT_FLOW = (ExecutionReported, TaskReported, ExecutionExpired)  # applied without asking what the flow says


class KnownFlows:
    """The ``capacity`` revisions used last. ``find(namespace, id, revision)`` reads one, without a revision the newest
    one."""

    def __init__(self, find: Callable[..., StoredFlow | None], capacity: int = CAPACITY) -> None:
        self._find = find
        self._capacity = capacity
        self._known: OrderedDict[tuple[str, str, int], Flow] = OrderedDict()
        self._missing: set[tuple[str, str, int]] = set()

    def __len__(self) -> int:
        return len(self._known)

    def look_again(self) -> None:
        """What was not there may be now: said before each batch of events, so that it is asked for once in it."""
        self._missing.clear()

    def of(self, execution: Execution | None, event: Event) -> Flow | None:
        """The flow an event is about; reported runs have none here."""
        holder = execution if execution is not None else event
        if isinstance(event, _WITHOUT_FLOW) or not isinstance(holder, Execution | ExecutionCreated):
            return None
        key = (holder.namespace, holder.flow_id, holder.revision)
        if key in self._missing:
            return None
        flow = self._known.get(key) or self._read(key)
        if flow is None:
            self._missing.add(key)
            return None
        self._known[key] = flow
        self._known.move_to_end(key)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return flow

    def _read(self, key: tuple[str, str, int]) -> Flow | None:
        stored = self._find(*key)
        return parsed(stored.source) if stored is not None else None

    def with_revision(self, event: Event) -> Event:
        """A subflow that names no revision (0) gets the newest one now."""
        if not isinstance(event, ExecutionCreated) or event.revision:
            return event
        stored = self._find(event.namespace, event.flow_id)
        return evolve(event, revision=stored.revision) if stored is not None else event


def parsed(source: str) -> Flow | None:
    """The flow of a stored source; ``None``, and a line in the log, when it can't be read."""
    try:
        return parse_stored(source)
    except ValueError as error:
        log.error("flow.unreadable", error=str(error))
        return None
