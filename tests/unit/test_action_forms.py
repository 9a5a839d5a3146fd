"""The dialog of each action: its fields, and what they say."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.components import action_forms, action_looks
from dashboard.components.action_forms import Facts, FormError, details, fields, read_labels, targets, words
from dashboard.components.icons import ICONS
from engine.flow import parse
from engine.model import StateChange, TaskRun
from engine.states import ACTIONS, EXECUTION_STATES, TERMINAL, Action, State
from streaming.messages import ActionDetails
from tests.unit.reducer_world import START

FLOW = parse("""
id: job
namespace: company.team
tasks:
  - {id: first, type: io.kestra.plugin.core.log.Log, message: a}
  - {id: second, type: io.kestra.plugin.core.log.Log, message: b}
""")


def task_run(state: State) -> TaskRun:
    return TaskRun("t", "first", state, (StateChange(State.CREATED, START),))


def shown(facts: Facts) -> dict[str, Any]:
    """The fields of a dialog, by name."""
    return {field.id["input"]: field for field in fields(facts)}


def test_every_action_has_its_looks_its_words_and_only_known_details() -> None:
    assert set(action_looks.LOOKS) == set(Action) == set(action_forms.WORDS)
    known = set(ActionDetails.__struct_fields__)
    for action in Action:
        for many in (False, True):
            facts = Facts(action, many=many, revision=1, revisions=(1, 2), flow=FLOW)
            names = set(shown(facts))
            assert names <= known
            filled = {name: field.value for name, field in shown(facts).items()}
            if ACTIONS[action].targets:
                filled["state"] = targets(facts)[0]
            ActionDetails(**details(action, filled))


def test_the_browser_gets_one_table_of_everything() -> None:
    known = {one["action"]: one for one in action_looks.described()}
    assert set(known) == {action.value for action in Action}
    assert known["kill"]["danger"]
    assert known["kill"]["least"] == "operator"
    assert known["change-state"]["group"] is None
    assert set(known["delete"]["insisted"]) == ACTIONS[Action.DELETE].insisted
    assert all(one["icon"] in ICONS for one in known.values())
    keys = [one["key"] for one in known.values() if one["key"]]
    assert len(keys) == len(set(keys))
    assert [name for name, one in known.items() if not one["key"]] == ["change-state"], "it is only done to task runs"
    for one in known.values():
        assert set(one["primary"]) <= set(one["allowed"]), f"{one['action']} has a button where it doesn't work"


@pytest.mark.parametrize("state", [None, *EXECUTION_STATES])
def test_the_box_to_delete_what_runs_is_there_where_it_is_needed(state: State | None) -> None:
    box = shown(Facts(Action.DELETE, state=state)).get("include_non_terminated")
    assert (box is not None) == (state not in TERMINAL)
    assert box is None or box.value == []
    assert "include_non_terminated" in shown(Facts(Action.DELETE, many=True))


def test_a_revision_is_chosen_only_where_there_are_several() -> None:
    assert shown(Facts(Action.RESTART, revision=1, revisions=(1,), flow=FLOW)) == {}
    choice = shown(Facts(Action.RESTART, revision=1, revisions=(1, 2, 3), flow=FLOW))["revision"]
    assert choice.value == "1"
    assert [one["label"] for one in choice.data] == ["3 · the newest", "2", "1 · this execution's"]


def test_breakpoints_are_tasks_of_the_flow_those_there_are_stay() -> None:
    picker = shown(Facts(Action.RESUME_FROM_BREAKPOINT, flow=FLOW, breakpoints=("second", "gone")))["breakpoints"]
    assert picker.data == ["first", "second"]
    assert picker.value == ["second"]


def test_a_task_run_goes_on_running_only_from_a_pause_and_never_to_where_it_is() -> None:
    assert targets(Facts(Action.CHANGE_STATE, task_run=task_run(State.FAILED))) == ["SUCCESS", "WARNING"]
    assert "RUNNING" in targets(Facts(Action.CHANGE_STATE, task_run=task_run(State.PAUSED)))
    assert targets(Facts(Action.UNQUEUE)) == ["RUNNING", "CANCELLED", "FAILED"]


def test_labels_are_prefilled_without_those_of_the_system() -> None:
    chips = shown(Facts(Action.LABELS, labels={"env": "prod", "system.replay": "true"}))["labels"]
    assert chips.value == ["env:prod"]
    assert details(Action.LABELS, {"labels": ["env:prod", "url:http://x:1"]}) == {
        "labels": {"env": "prod", "url": "http://x:1"}
    }
    assert details(Action.LABELS, {"labels": []}) == {"labels": {}}


@pytest.mark.parametrize(
    ("pairs", "words_"),
    [
        (["nothing"], "expected key:value, came 'nothing'"),
        ([":x"], "expected key:value, came ':x'"),
        (["system.replay:no"], "labels with 'system.' are set by Watchfloor"),
        (["a:1", "a:2"], "'a' is there twice"),
        (["a:" + "x" * 201], "at most 200 characters"),
    ],
)
def test_labels_that_are_none_are_named(pairs: list[str], words_: str) -> None:
    with pytest.raises(ValueError, match=words_.replace(".", r"\.")):
        read_labels(pairs)


def test_each_wrong_field_is_told_at_its_place() -> None:
    with pytest.raises(FormError) as caught:
        details(Action.UNQUEUE, {"state": None})
    assert caught.value.errors == {"state": "expected a state, came none"}
    with pytest.raises(FormError) as caught:
        details(Action.DELETE, {"removes": ["logs", "everything"], "include_non_terminated": []})
    assert "came everything" in caught.value.errors["removes"]
    with pytest.raises(FormError):
        details(Action.REPLAY, {"revision": "x"})


def test_boxes_say_yes_and_no() -> None:
    assert details(Action.KILL, {"cascade": []}) == {"cascade": False}
    assert details(Action.KILL, {"cascade": ["cascade"]}) == {"cascade": True}
    found = details(Action.DELETE, {"removes": ["logs"], "include_non_terminated": ["include_non_terminated"]})
    assert found == {"removes": ("logs",), "include_non_terminated": True}


def test_force_run_says_that_work_may_be_done_twice_and_a_replay_from_where() -> None:
    assert "twice" in words(Facts(Action.FORCE_RUN))
    assert "what ran before first" in words(Facts(Action.REPLAY, task_run=task_run(State.FAILED)))
