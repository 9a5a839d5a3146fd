"""Operations as pages and the API use them: preview, start, stop, retry."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from data import Store
from data.errors import TooMany
from data.filters import Condition, Filters, parse_query_string
from data.operation_records import UNFINISHED, Chosen, Given, Operation, OperationState, Result
from data.operators import Op
from data.records import ExecutionQuery
from engine.ids import new_id
from engine.states import Action, State, refusal
from streaming.audited import told
from streaming.bus import Bus
from streaming.messages import ActionDetails, OperationsChanged
from streaming.operations.asked import (
    EVERYTHING,
    OperationEnded,
    OperationNotFound,
    OperationRefused,
    Preview,
    Reason,
    Rights,
    Selection,
    check,
)

log = structlog.get_logger()

EXAMPLES = 3  # ids told of each reason


class Operations:
    """Everything raises ``StoreUnavailable`` when the database is away, and ``FilterError`` for bad filters.

    ``max_ids`` may be given by their ids, ``max_items`` may match a filter.
    """

    def __init__(self, store: Store, bus: Bus, *, max_ids: int, max_items: int) -> None:
        self._store = store
        self._bus = bus
        self._max_ids = max_ids
        self._max_items = max_items

    # -- before

    def preview(
        self,
        action: Action,
        selection: Selection,
        details: ActionDetails = ActionDetails(),  # noqa: B008
        *,
        rights: Rights = EVERYTHING,
    ) -> Preview:
        """What would be done, nothing is. Raises ``OperationRefused``, ``LabelRefused``, ``TooMany``."""
        check(action, selection, details, self._max_ids)
        if selection.filters is not None and rights.everywhere:
            return self._preview_counts(action, rights.narrow(parse_query_string(selection.filters)), details)
        chosen, unknown = self._chosen(selection, rights)
        reasons: dict[str, list[str]] = {}
        for one in chosen:
            if (why := _why(action, one, details, rights)) is not None:
                reasons.setdefault(why, []).append(one.id)
        refused = [Reason(why, len(ids), tuple(ids[:EXAMPLES])) for why, ids in reasons.items()]
        done = len(chosen) - sum(reason.count for reason in refused)
        return Preview(action, len(chosen) + len(unknown), done, tuple(refused), tuple(unknown))

    def _preview_counts(self, action: Action, filters: Filters, details: ActionDetails) -> Preview:
        """From the kept counts of states: as fast for a million as for ten."""
        counts = self._store.counts(filters)
        self._check_size(sum(counts.values()))
        insist = details.include_non_terminated
        whys = {state: refusal(action, state, insist=insist, surely=True) for state in counts}
        refused = {state: why for state, why in whys.items() if why is not None}
        reasons = [Reason(why, counts[state], self._examples(filters, state)) for state, why in refused.items()]
        total = sum(counts.values())
        return Preview(action, total, total - sum(reason.count for reason in reasons), tuple(reasons))

    def _examples(self, filters: Filters, state: State) -> tuple[str, ...]:
        of_state = Condition("state", Op.IN, (state.value,))
        narrower = msgspec.structs.replace(filters, conditions=(*filters.conditions, of_state))
        return tuple(row.id for row in self._store.search(ExecutionQuery(narrower, size=EXAMPLES)).rows)

    def _check_size(self, total: int) -> None:
        if total > self._max_items:
            raise TooMany(total, self._max_items)

    def _chosen(self, selection: Selection, rights: Rights) -> tuple[list[Chosen], list[str]]:
        """(the executions that are meant, the ids that there are none of), as things are now."""
        if selection.ids is None:
            filters = rights.narrow(parse_query_string(selection.filters or ""))
            return self._store.matching(filters, self._max_items), []
        found = self._store.existing_of(selection.ids)
        seen = {one.id: one for one in found.values() if rights.reads(one.namespace)}
        return [seen[i] for i in selection.ids if i in seen], [i for i in selection.ids if i not in seen]

    # -- the operation

    def start(
        self,
        action: Action,
        selection: Selection,
        details: ActionDetails = ActionDetails(),  # noqa: B008
        *,
        actor: str,
        reason: str | None = None,
        origin: str = "ui",
        rights: Rights = EVERYTHING,
        retry_of: str | None = None,
    ) -> str:
        """Fix the selection and let it run; the operation's id.

        Raises ``OperationRefused``, ``LabelRefused`` and ``TooMany``: then nothing is done. Ids of no execution, and
        executions that the actor may not act on, are among its results.
        """
        check(action, selection, details, self._max_ids)
        given = self._given(selection, rights)
        if not given:
            raise OperationRefused("Expected filters that some execution matches; none does now.")
        operation = Operation(
            id=new_id(),
            action=action.value,
            actor=actor,
            origin=origin,
            state=OperationState.PREPARING,
            total=len(given),
            created_at=datetime.now(UTC),
            details=msgspec.to_builtins(details),
            selection=selection.told,
            reason=reason,
            retry_of=retry_of,
        )
        self._write(operation, given, details)
        return operation.id

    def _given(self, selection: Selection, rights: Rights) -> list[Given]:
        """What the actor may not look at is answered as what is not there, at once: the executor hears of neither."""
        chosen, unknown = self._chosen(selection, rights)
        ids: Iterable[str] = selection.ids if selection.ids is not None else (one.id for one in chosen)
        if rights.everywhere:
            return [Given(i) for i in ids]
        known = {i: Given(i, Result.UNKNOWN) for i in unknown} | {one.id: _allowed(one, rights) for one in chosen}
        return [known[i] for i in ids]

    def _write(self, operation: Operation, given: list[Given], details: ActionDetails) -> None:
        key = self._store.prepare_operation(operation)
        after = {"action": operation.action, "total": operation.total, "selection": operation.selection}
        if (set_ := told(details)) is not None:
            after["details"] = set_
        action, actor, origin = f"bulk-{operation.action}", operation.actor, operation.origin
        self._store.audit(actor, action, operation.id, operation.reason, after=after, origin=origin)
        self._store.add_operation_items(key, given)
        self._store.begin_operation(key, given)
        self._tell(operation.id)
        log.info(
            "operation.started",
            operation=operation.id,
            does=operation.action,
            executions=operation.total,
            actor=actor,
            origin=origin,
        )

    def stop(self, operation_id: str, *, actor: str, reason: str | None = None, origin: str = "ui") -> None:
        """Send no more of it; what the executor was told of already is still done.

        Raises ``OperationNotFound``, and ``OperationEnded`` when it does not run.
        """
        operation = self.get(operation_id)
        if not self._store.stop_operation(operation_id):
            state = operation.state.value
            raise OperationEnded(state, f"Only a running operation can be stopped; this one is {state}.")
        after = {"answered": operation.answered, "total": operation.total}
        self._store.audit(actor, "operation-stop", operation_id, reason, after=after, origin=origin)
        self._tell(operation_id)
        log.info("operation.stopping", operation=operation_id, actor=actor, origin=origin)

    def retry(
        self,
        operation_id: str,
        *,
        actor: str,
        reason: str | None = None,
        origin: str = "ui",
        rights: Rights = EVERYTHING,
    ) -> str:
        """Try again what was refused and what it was stopped before, as an operation of its own; that one's id.

        Raises ``OperationNotFound``, ``OperationEnded`` while it runs, ``OperationRefused`` when nothing failed.
        """
        operation = self.get(operation_id)
        if operation.state in UNFINISHED:
            raise OperationEnded(operation.state.value, "It still runs: wait until it has ended, or stop it first.")
        failed = self._store.failed_items(operation_id)
        if not failed:
            raise OperationRefused("Nothing of it was refused or left out, so there is nothing to try again.")
        again = Operations(self._store, self._bus, max_ids=len(failed), max_items=self._max_items)
        who: dict[str, Any] = {"actor": actor, "origin": origin, "rights": rights, "retry_of": operation_id}
        details = msgspec.convert(operation.details, ActionDetails)
        why = reason or operation.reason
        return again.start(Action(operation.action), Selection.of_ids(failed), details, reason=why, **who)

    def get(self, operation_id: str) -> Operation:
        """The operation. Raises ``OperationNotFound``."""
        operation = self._store.operation(operation_id)
        if operation is None:
            raise OperationNotFound(operation_id)
        return operation

    def _tell(self, operation_id: str) -> None:
        self._bus.tell(OperationsChanged((operation_id,)))


def _allowed(one: Chosen, rights: Rights) -> Given:
    """The execution as the operation begins with it: refused where the actor may look and not act."""
    why = rights.refuses(one.namespace)
    return Given(one.id) if why is None else Given(one.id, Result.REFUSED, why)


def _why(action: Action, one: Chosen, details: ActionDetails, rights: Rights) -> str | None:
    """Why the action can't be done to an execution, ``None``: it can."""
    insist = details.include_non_terminated
    return rights.refuses(one.namespace) or refusal(action, one.state, insist=insist, surely=True)
