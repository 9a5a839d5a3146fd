"""The details of an action, held against what is known before it is asked for: a clear word now, no bad end later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from data import Store
from data.records import StoredFlow
from engine.flow import Flow, parse_stored
from engine.inputs import changed_inputs, validate_inputs
from engine.model import SYSTEM_PREFIX
from engine.secrecy import inputs_of
from engine.states import ACTIONS, Action
from streaming.messages import ActionDetails, ExecutionRow

NEWEST = 0
"""The revision that stands for the newest one when the action is done."""
_MAKES_ANOTHER = frozenset({Action.REPLAY, Action.RESTART})
_NEEDED = {Action.CHANGE_STATUS: ("state",), Action.CHANGE_STATE: ("task_run_id", "state"), Action.LABELS: ("labels",)}
_WORDS = {"task_run_id": "taskRunId"}


class CommandError(ValueError):
    """The command can't be carried out; the message says what was expected and what to do."""


class FlowNotFound(CommandError):
    """There is no such flow, or no such revision of it."""


class LabelRefused(CommandError):
    """A label that only Watchfloor itself sets."""


class BadDetail(CommandError):
    """A detail of an action is missing or wrong; ``name`` is that of the parameter."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name
        self.problem = problem


def check_details(store: Store, action: Action, row: ExecutionRow, asked: ActionDetails) -> None:
    """Raises BadDetail, FlowNotFound, LabelRefused or ``InputError`` for what can't be."""
    check_shape(action, asked)
    if asked.new_id is not None and store.row(asked.new_id) is not None:
        raise BadDetail("newId", f"expected the id of no execution, {asked.new_id} is one")
    other = asked.revision is not None and action in _MAKES_ANOTHER
    if not (other or asked.breakpoints or (asked.inputs and action is Action.REPLAY)):
        return
    newest = asked.revision == NEWEST
    flow = flow_at(store, row.namespace, row.flow_id, None if newest else asked.revision or row.revision)
    check_breakpoints(flow, asked.breakpoints)
    if action in _MAKES_ANOTHER and flow.inputs:
        _check_inputs(store, row, flow, asked)


def check_shape(action: Action, asked: ActionDetails) -> None:
    """What can be said without the execution: what is needed is there, a target is one of those there are."""
    for name in _NEEDED.get(action, ()):
        if getattr(asked, name) is None:
            raise BadDetail(_WORDS.get(name, name), f"{ACTIONS[action].title} needs it{_choices(action, name)}")
    targets = ACTIONS[action].targets
    if targets and asked.state is not None and asked.state not in targets:
        raise BadDetail("state", f"expected one of {', '.join(targets)}, came {asked.state}")
    if action is Action.REPLAY and asked.inputs and asked.task_run_id is not None:
        raise BadDetail("inputs", "they can change only in a replay from the start; leave them out, or taskRunId")
    refuse_system_labels(asked.labels)


def _choices(action: Action, name: str) -> str:
    return f": one of {', '.join(ACTIONS[action].targets)}" if name == "state" else ""


def check_breakpoints(flow: Flow, breakpoints: Iterable[str]) -> None:
    """Each must name a task, with or without a value of its ForEach."""
    for one in breakpoints:
        if one.partition(".")[0] not in flow.tasks_by_id:
            known = ", ".join(flow.tasks_by_id)
            raise BadDetail("breakpoints", f"expected task or task.value with one of {known}, came {one!r}")


def _check_inputs(store: Store, row: ExecutionRow, flow: Flow, asked: ActionDetails) -> None:
    execution = store.load(row.id)
    if execution is not None:
        known = flow_at(store, row.namespace, row.flow_id, row.revision) if asked.revision is not None else flow
        validate_inputs(flow, changed_inputs(known.inputs, inputs_of(execution), asked.inputs))


def flow_at(store: Store, namespace: str, flow_id: str, revision: int | None) -> Flow:
    """A flow in a revision, ``None`` for the newest. Raises FlowNotFound."""
    return parsed(stored_flow(store, namespace, flow_id, revision).source)


def stored_flow(store: Store, namespace: str, flow_id: str, revision: int | None) -> StoredFlow:
    """A revision of a flow as it is stored, ``None`` for the newest. Raises FlowNotFound."""
    stored = store.flow(namespace, flow_id, revision)
    if stored is None:
        which = f"revision {revision} of " if revision is not None else ""
        raise FlowNotFound(f"There is no {which}flow {namespace}.{flow_id}.")
    return stored


def refuse_system_labels(labels: Mapping[str, str] | None) -> None:
    """Raises LabelRefused where one of them is not for people to set."""
    for key in labels or {}:
        if key.startswith(SYSTEM_PREFIX):
            raise LabelRefused(f"Label {key!r} is refused: labels with {SYSTEM_PREFIX!r} are set by Watchfloor.")


@lru_cache(maxsize=256)
def parsed(source: str) -> Flow:
    """The flow of a source that was parsed before."""
    return parse_stored(source)
