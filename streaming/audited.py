"""What the audit keeps of an action on an execution: how it was before, what was asked, what came of it. No I/O.

Who asks for one action has its row written before the event. The executor adds, in its commit, what only it can tell:
that it refused, and which executions a bulk operation has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from data.records import Audited
from engine.model import Execution, TaskRun, own_labels
from engine.states import Action, State
from streaming.messages import ActionDetails, ActionRequested

EXECUTOR = "executor"
"""The origin of rows that say what the executor refused."""
_DETAILS = ActionDetails.__struct_fields__


def told(details: ActionDetails) -> dict[str, Any] | None:
    """All that is set of an action's details, of inputs only the names (they may be secret)."""
    kept = {name: value for name, value in msgspec.to_builtins(details).items() if name != "operation"}
    if details.inputs:
        kept["inputs"] = sorted(details.inputs)
    return kept or None


def was(action: Action, state: State, labels: Mapping[str, str], run: TaskRun | None = None) -> dict[str, Any]:
    """What the action may change, as it is before: labels that people set, the state of ``run``, or the execution's."""
    if action is Action.LABELS:
        return {"labels": own_labels(labels)}
    return {"state": run.state if action is Action.CHANGE_STATE and run is not None else state}


def outcome(
    event: ActionRequested, before: Execution | None, now: Execution | None, refused: str | None
) -> Audited | None:
    """The row of what came of an action, ``None`` where one that is there already tells it.

    ``before`` and ``now`` are the execution around it, ``None``: there is none.
    """
    origin = event.operation or EXECUTOR
    if (refused is None) is (event.operation is None):  # asked for with a row of its own, or refused among its results
        return None
    after = {"refused": refused} if refused is not None else _became(event, now)
    who, what, target = event.actor, event.action.value, event.execution_id
    return Audited(who, what, target, origin, event.reason, _was(event, before), after)


def _was(event: ActionRequested, before: Execution | None) -> dict[str, Any] | None:
    if before is None:
        return None
    return was(event.action, before.state, before.labels, before.task_runs.get(event.task_run_id or ""))


def _became(event: ActionRequested, now: Execution | None) -> dict[str, Any] | None:
    details = told(ActionDetails(**{name: getattr(event, name) for name in _DETAILS})) or {}
    state = {} if now is None or event.action is Action.LABELS else {"state": now.state}
    return {**details, **state} or None
