"""The dialog of each action: its words, its fields, and what they say once they are filled in. No I/O.

One table: an action's fields are made from ``Facts``; ``details`` reads them into what ``Commands.act`` takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dash_mantine_components as dmc
import msgspec
from dash.development.base_component import Component

from dashboard.ids import ACT, form_field
from engine.flow import Flow
from engine.flow.inputs import Input
from engine.model import SYSTEM_PREFIX, TaskRun
from engine.states import ACTIONS, Action, State

NEWEST = 0  # a revision: the newest one of each execution's flow
MAX_LABEL = 200  # characters of a label's key or value


class Facts(msgspec.Struct, frozen=True):
    """What a dialog is made from. Of one execution: its ``state`` and ``revision``, the flow's ``revisions`` (oldest
    first), its flow in the chosen one, its labels, the task run that is meant, the ``inputs`` that are asked for. Of
    many: nothing."""

    action: Action
    many: bool = False
    state: State | None = None
    revision: int | None = None
    revisions: tuple[int, ...] = ()
    flow: Flow | None = None
    labels: dict[str, str] = {}
    task_run: TaskRun | None = None
    inputs: tuple[Input, ...] = ()
    breakpoints: tuple[str, ...] = ()


class FormError(ValueError):
    """Fields can't be read. ``errors`` maps the name of each wrong one to what was expected and what came."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = errors


WORDS: dict[Action, str] = {
    Action.RESTART: "What failed, was killed or never ran runs again; what succeeded stays as it is.",
    Action.REPLAY: "Makes a new execution; this one stays as it is.",
    Action.KILL: "Tasks that run get SIGTERM, after the grace period SIGKILL; what has not started never will.",
    Action.PAUSE: "Nothing new starts; what runs finishes.",
    Action.RESUME: "Goes on where it waits.",
    Action.FORCE_RUN: "Goes on at once, past the concurrency limit and without waiting for a retry. Tasks that a "
    "worker has already are given out again: work may be done twice.",
    Action.UNQUEUE: "Leaves the queue of its flow.",
    Action.CHANGE_STATUS: "Writes another end into the history. Nothing runs.",
    Action.CHANGE_STATE: "The task run gets this state; the execution goes on from there if that unblocks something.",
    Action.LABELS: f"These take the place of all labels that people set. Those with {SYSTEM_PREFIX!r} stay.",
    Action.DELETE: "Gone for good. The audit keeps who deleted it, and why.",
    Action.RESUME_FROM_BREAKPOINT: "Goes on to the next breakpoint.",
}


def words(facts: Facts) -> str:
    """What the action does, before it is done."""
    if facts.action is Action.REPLAY and facts.task_run is not None:
        name = facts.task_run.task_id
        return f"Makes a new execution: what ran before {name} is taken over, {name} and what follows runs again."
    if facts.action is Action.REPLAY and facts.many:
        return "Makes a new execution of each, with its inputs; they stay as they are."
    return WORDS[facts.action]


def fields(facts: Facts) -> list[Component]:
    """The controls of an action's details, but for the inputs of a flow or of a paused task."""
    return _FIELDS.get(facts.action, lambda _: [])(facts)


def details(action: Action, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields say, as ``Commands.act`` takes it. Raises FormError."""
    read: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in given.items():
        try:
            read[name] = _READERS[name](value)
        except ValueError as error:
            wrong[name] = str(error)
    if ACTIONS[action].targets and not read.get("state") and "state" not in wrong:
        wrong["state"] = "expected a state, came none"
    if wrong:
        raise FormError(wrong)
    return {name: value for name, value in read.items() if value is not None}


# -- fields


def _common(name: str, label: str, description: str | None = None) -> dict[str, Any]:
    return {"id": form_field(ACT, name), "label": label, "description": description, "className": "wf-field"}


_ANEW = "With another one a new execution is made."
_OF_MANY = {"": "each its own", str(NEWEST): "the newest of each flow"}


def _choices(labels: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in labels.items()]


def _revision(facts: Facts) -> list[Component]:
    if facts.many:
        known = _common("revision", "Revision of the flow", _ANEW if facts.action is Action.RESTART else None)
        return [dmc.Select(**known, data=_choices(_OF_MANY), value="", allowDeselect=False)]
    if len(facts.revisions) < 2:
        return []
    newest = facts.revisions[-1]
    notes = {facts.revision: "this execution's", newest: "the newest"}
    labels = {str(one): f"{one} · {notes[one]}" if one in notes else str(one) for one in reversed(facts.revisions)}
    choices = _choices(labels)
    hint = _ANEW if facts.action is Action.RESTART else None
    known = _common("revision", "Revision of the flow", hint)
    value, many = str(facts.revision), len(choices) > 8
    return [dmc.Select(**known, data=choices, value=value, allowDeselect=False, searchable=many)]


def _breakpoints(facts: Facts) -> list[Component]:
    if facts.flow is None:
        return []
    known = _common("breakpoints", "Breakpoints", "It stops before each of these tasks, until somebody resumes it.")
    tasks = list(facts.flow.tasks_by_id)
    value = [name for name in facts.breakpoints if name in tasks]
    return [dmc.MultiSelect(**known, data=tasks, value=value, searchable=True, clearable=True, placeholder="none")]


def _replay(facts: Facts) -> list[Component]:
    return [*_revision(facts), *_breakpoints(facts)]


def _targets(facts: Facts) -> list[Component]:
    known = _common("state", "New state")
    choices = _choices({state: state for state in targets(facts)})
    return [dmc.Select(**known, data=choices, value=None, placeholder="choose", allowDeselect=False, withAsterisk=True)]


def targets(facts: Facts) -> list[str]:
    """The states that the action can lead to; a task run can only go on running where it is paused."""
    paused = facts.task_run is not None and facts.task_run.state is State.PAUSED
    hidden = {facts.task_run.state if facts.task_run is not None else facts.state}
    if facts.action is Action.CHANGE_STATE and not paused:
        hidden.add(State.RUNNING)
    return [state.value for state in ACTIONS[facts.action].targets if state not in hidden]


def _labels(facts: Facts) -> list[Component]:
    known = _common("labels", "Labels", "key:value, then Enter. None: they lose all that people set.")
    own = [f"{key}:{value}" for key, value in facts.labels.items() if not key.startswith(SYSTEM_PREFIX)]
    return [dmc.TagsInput(**known, value=own, placeholder="env:prod", splitChars=[",", "|"], clearable=True)]


def _cascade(_facts: Facts) -> list[Component]:
    return [_check("cascade", "Its subflows too", on=True)]


_REMOVABLE = {"logs": "Logs", "metrics": "Metrics", "files": "Files"}


def _delete(facts: Facts) -> list[Component]:
    boxes = [dmc.Checkbox(label=label, value=value) for value, label in _REMOVABLE.items()]
    known = _common("removes", "What goes with it")
    ticked = dmc.CheckboxGroup(dmc.Group(boxes, gap="md", mt=4), **known, value=list(_REMOVABLE))
    if not facts.many and facts.state in ACTIONS[Action.DELETE].allowed:
        return [ticked]
    those = "Those that still run too: they are killed first"
    return [ticked, _check("include_non_terminated", those if facts.many else "Also while it runs: it is killed first")]


def _check(name: str, label: str, *, on: bool = False) -> Component:
    """One box, as a group of one: its value travels as those of other fields do."""
    box = dmc.Checkbox(label=label, value=name)
    return dmc.CheckboxGroup(box, id=form_field(ACT, name), value=[name] if on else [], className="wf-field")


_FIELDS: dict[Action, Callable[[Facts], list[Component]]] = {
    Action.RESTART: _revision,
    Action.REPLAY: _replay,
    Action.KILL: _cascade,
    Action.UNQUEUE: _targets,
    Action.CHANGE_STATUS: _targets,
    Action.CHANGE_STATE: _targets,
    Action.LABELS: _labels,
    Action.DELETE: _delete,
    Action.RESUME_FROM_BREAKPOINT: _breakpoints,
}

# -- what they say


def read_labels(pairs: Iterable[str] | None) -> dict[str, str]:
    """Chips ``key:value`` as labels. Raises ValueError that names the first one that is none."""
    labels: dict[str, str] = {}
    for pair in pairs or ():
        key, colon, value = (part.strip() for part in str(pair).partition(":"))
        if not (key and colon and value):
            raise ValueError(f"expected key:value, came {pair!r}")
        if key.startswith(SYSTEM_PREFIX):
            raise ValueError(f"{pair!r}: labels with {SYSTEM_PREFIX!r} are set by Watchfloor")
        if max(len(key), len(value)) > MAX_LABEL:
            raise ValueError(f"expected at most {MAX_LABEL} characters in a key or a value, came {pair[:40]!r}…")
        if key in labels and labels[key] != value:
            raise ValueError(f"{key!r} is there twice")
        labels[key] = value
    return labels


def _state(value: Any) -> State | None:
    try:
        return State(value) if value else None
    except ValueError as error:
        raise ValueError(f"expected a state, came {value!r}") from error


def _whole(value: Any) -> int | None:
    try:
        return int(value) if value not in (None, "") else None
    except ValueError as error:
        raise ValueError(f"expected a revision, came {value!r}") from error


def _removes(value: Any) -> tuple[str, ...]:
    if unknown := set(value or ()) - set(_REMOVABLE):
        raise ValueError(f"expected some of {', '.join(_REMOVABLE)}, came {', '.join(sorted(map(str, unknown)))}")
    return tuple(value or ())


_READERS: dict[str, Callable[[Any], Any]] = {
    "revision": _whole,
    "breakpoints": lambda value: tuple(str(one) for one in value or ()),
    "state": _state,
    "labels": read_labels,
    "cascade": bool,
    "removes": _removes,
    "include_non_terminated": bool,
}
