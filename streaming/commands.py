"""What a person or a script may ask for: checked, written to the audit, then appended as an event.

The answer comes back as a delta, like everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
import structlog

from data import Store
from engine.ids import new_id
from engine.inputs import validate_inputs
from engine.model import Kind, TaskRun, Trigger
from engine.states import Action, State, refusal, works_in
from streaming.audited import told, was
from streaming.bus import Bus
from streaming.details import BadDetail as BadDetail
from streaming.details import CommandError as CommandError
from streaming.details import FlowNotFound as FlowNotFound
from streaming.details import LabelRefused as LabelRefused
from streaming.details import check_breakpoints, check_details, parsed, refuse_system_labels, stored_flow
from streaming.messages import ActionDetails, ActionRequested, Answer, ExecutionCreated

log = structlog.get_logger()

MANUAL = "manual"


class FlowDisabled(CommandError):
    """The flow is disabled, so nothing starts it."""


class ExecutionNotFound(CommandError):
    """There is no such execution."""


class NotAllowed(CommandError):
    """The action does not work in the state the execution is in."""

    def __init__(self, action: Action, state: State, message: str, *, insist: bool = False) -> None:
        super().__init__(message)
        self.action = action
        self.state = state
        self.allowed = works_in(action, insist=insist)


class Answers(Protocol):
    """Where the answers to actions arrive (the gateway)."""

    def wait(self, event_id: str, timeout: float) -> Answer | None:
        """The answer to the event; ``None`` after ``timeout`` seconds."""
        ...


class Commands:
    """Executes flows and acts on executions, in the name of an actor."""

    def __init__(self, store: Store, bus: Bus, answers: Answers | None = None) -> None:
        self._store = store
        self._bus = bus
        self._answers = answers

    def execute(
        self,
        namespace: str,
        flow_id: str,
        *,
        actor: str,
        inputs: dict[str, Any] | None = None,
        labels: dict[str, str] | None = None,
        revision: int | None = None,
        breakpoints: Sequence[str] = (),
        kind: Kind = Kind.NORMAL,
        schedule_date: datetime | None = None,
        origin: str = "ui",
    ) -> str:
        """Ask for an execution of a flow, which begins at ``schedule_date`` and stops at ``breakpoints``; its id.

        Raises FlowNotFound, FlowDisabled, LabelRefused, BadDetail, and ``InputError`` with a message per input.
        """
        newest = stored_flow(self._store, namespace, flow_id, None)
        stored = newest if revision is None else stored_flow(self._store, namespace, flow_id, revision)
        flow = parsed(stored.source)
        if flow.disabled or newest.disabled:
            raise FlowDisabled(f"Flow {namespace}.{flow_id} is disabled: enable it in its source to execute it.")
        refuse_system_labels(labels)
        check_breakpoints(flow, breakpoints)
        checked = validate_inputs(flow, inputs or {})
        execution_id = new_id()
        after = {"flow": f"{namespace}.{flow_id}"} | ({"scheduleDate": schedule_date} if schedule_date else {})
        self._store.audit(actor, "execute", execution_id, None, after=after, origin=origin)
        self._bus.append(
            ExecutionCreated(
                event_id=new_id(),
                execution_id=execution_id,
                at=datetime.now(UTC),
                namespace=namespace,
                flow_id=flow_id,
                revision=stored.revision,
                inputs=checked,
                labels=labels or {},
                trigger=Trigger(MANUAL, MANUAL),
                actor=actor,
                breakpoints=tuple(breakpoints),
                kind=kind,
                schedule_date=schedule_date,
            )
        )
        log.info(
            "execution.requested", execution=execution_id, flow=f"{namespace}.{flow_id}", actor=actor, origin=origin
        )
        return execution_id

    def act(
        self,
        action: Action,
        execution_id: str,
        *,
        actor: str,
        reason: str | None = None,
        origin: str = "ui",
        **details: Any,
    ) -> str:
        """Ask for an action on an execution; the id of the event, for ``wait``. ``details``: see ``ActionDetails``.

        Raises ExecutionNotFound, NotAllowed when its state is known to forbid it, and what ``check_details`` raises.
        The reducer has the last word: its answer says whether the state had changed meanwhile.
        """
        asked = ActionDetails(**{name: value for name, value in details.items() if value is not None})
        row = self._store.row(execution_id)
        if row is None:
            raise ExecutionNotFound(f"There is no execution {execution_id}.")
        insist = asked.include_non_terminated
        if (why := refusal(action, row.state, insist=insist)) is not None:
            raise NotAllowed(action, row.state, why, insist=insist)
        check_details(self._store, action, row, asked)
        event_id = new_id()
        before = was(action, row.state, row.labels, self._task_run(action, execution_id, asked))
        self._store.audit(actor, action.value, execution_id, reason, before, told(asked), origin)
        self._bus.append(
            ActionRequested(
                event_id=event_id,
                execution_id=execution_id,
                at=datetime.now(UTC),
                action=action,
                actor=actor,
                reason=reason,
                **msgspec.structs.asdict(asked),
            )
        )
        log.info("action.requested", operation=action.value, execution=execution_id, actor=actor, origin=origin)
        return event_id

    def _task_run(self, action: Action, execution_id: str, asked: ActionDetails) -> TaskRun | None:
        """The task run whose state is to be changed."""
        if action is not Action.CHANGE_STATE:
            return None
        execution = self._store.load(execution_id)
        return execution.task_runs.get(asked.task_run_id or "") if execution is not None else None

    def wait(self, event_id: str, timeout: float) -> Answer | None:
        """The answer to an action; ``None`` when none came within ``timeout`` seconds."""
        if self._answers is None:
            raise RuntimeError("These commands were made without a place where answers arrive.")
        return self._answers.wait(event_id, timeout)
