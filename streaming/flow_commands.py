"""What a person or a script may make of flows: saved, switched off and on, deleted; each is in the audit.

Executors hear that flows changed and look: triggers of what is disabled or deleted stop, what runs goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import structlog

from data import Store
from data.records import StoredFlow
from engine.flow import Flow, FlowError, Violation, parse, parse_stored
from engine.flow_size import USUAL, FlowSize
from streaming.bus import Bus
from streaming.details import stored_flow
from streaming.messages import FlowsChanged

log = structlog.get_logger()

_DISABLED = re.compile(r"^disabled[ \t]*:[ \t]*[^\s#]*", re.MULTILINE)
_ID = re.compile(r"^id[ \t]*:.*$", re.MULTILINE)


class FlowCommands:
    """Changes flows, in the name of an actor."""

    def __init__(self, store: Store, bus: Bus, size: FlowSize = USUAL) -> None:
        self._store = store
        self._bus = bus
        self._size = size

    def save(self, source: str, *, actor: str, reason: str | None = None, origin: str = "ui") -> tuple[Flow, int]:
        """Create a flow or a new revision of it; the flow and its revision. Raises ``FlowError``."""
        flow = parse(source, self._size)
        self._save(flow, actor, reason, origin)
        self._tell([(flow.namespace, flow.id)])
        return flow, self._there(flow).revision

    def save_all(
        self, sources: Iterable[str], *, actor: str, reason: str | None = None, origin: str = "ui"
    ) -> list[StoredFlow]:
        """Create or change several. Raises ``FlowError`` for the first that is none; then none is saved."""
        return self._save_all([parse(source, self._size) for source in sources], actor, reason, origin)

    def switch(
        self, flows: Iterable[tuple[str, str]], *, disabled: bool, actor: str, reason: str | None = None,
        origin: str = "ui",
    ) -> list[StoredFlow]:  # fmt: skip
        """Disable or enable flows: a new revision of each whose source says otherwise.

        Raises FlowNotFound, and ``FlowError`` where ``disabled`` can't be written; then none is changed.
        """
        known = [stored_flow(self._store, *name, None) for name in flows]
        changed = [switched(one.source, disabled) for one in known if one.disabled is not disabled]
        self._save_all(changed, actor, reason, origin)
        return [stored_flow(self._store, one.namespace, one.id, None) for one in known]

    def delete(
        self, flows: Iterable[tuple[str, str]], *, actor: str, reason: str | None = None, origin: str = "ui"
    ) -> int:
        """Delete flows; how many. What runs goes on, nothing starts them any more. Raises FlowNotFound for the first
        that there is not; then none is deleted."""
        known = [stored_flow(self._store, *name, None) for name in flows]
        for one in known:
            before = {"revision": one.revision}
            self._store.delete_flow(one.namespace, one.id)
            self._store.audit(actor, "delete-flow", _name(one), reason, before, origin=origin)
            log.info("flow.deleted", flow=_name(one), actor=actor, origin=origin)
        self._tell((one.namespace, one.id) for one in known)
        return len(known)

    def drop_revisions(
        self, namespace: str, flow_id: str, revisions: Sequence[int], *, actor: str, reason: str | None = None,
        origin: str = "ui",
    ) -> None:  # fmt: skip
        """Remove revisions that are not the newest. Raises ``RevisionKept``."""
        self._store.drop_revisions(namespace, flow_id, revisions)
        before = {"revisions": sorted(revisions)}
        self._store.audit(actor, "delete-revisions", f"{namespace}.{flow_id}", reason, before, origin=origin)

    def _save_all(self, flows: Sequence[Flow], actor: str, reason: str | None, origin: str) -> list[StoredFlow]:
        for flow in flows:
            self._save(flow, actor, reason, origin)
        self._tell((flow.namespace, flow.id) for flow in flows)
        return [self._there(flow) for flow in flows]

    def _save(self, flow: Flow, actor: str, reason: str | None, origin: str) -> None:
        self._store.save_flow(flow)
        stored, name = self._there(flow), _name(flow)
        self._store.audit(actor, "save-flow", name, reason, after={"revision": stored.revision}, origin=origin)
        log.info("flow.saved", flow=name, revision=stored.revision, actor=actor, origin=origin)

    def _there(self, flow: Flow) -> StoredFlow:
        return stored_flow(self._store, flow.namespace, flow.id, None)

    def _tell(self, flows: Iterable[tuple[str, str]]) -> None:
        if names := tuple(dict.fromkeys(flows)):
            self._bus.tell(FlowsChanged(names))


def _name(flow: Flow | StoredFlow) -> str:
    return f"{flow.namespace}.{flow.id}"


def switched(source: str, disabled: bool) -> Flow:
    """The flow of a stored source with another value of ``disabled``, everything else as it is written.

    What was accepted once may be switched, whatever is refused by now. Raises ``FlowError``.
    """
    line = f"disabled: {str(disabled).lower()}"
    changed, found = _DISABLED.subn(line, source, count=1)
    if not found:
        changed = _ID.sub(lambda match: f"{match[0]}\n{line}", source, count=1)
    flow = parse_stored(changed)
    if flow.disabled is not disabled:
        raise FlowError([Violation(1, 1, "disabled", "expected keys on lines of their own, to write it beside them")])
    return flow
