"""Flows run as their files say: a flow, what the workers answer, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from reducer_world import START, Answers, World, flow_of

from engine.flow import parse
from engine.states import TERMINAL, State

EXAMPLES = Path(__file__).parents[2] / "flows"

SEQUENCE = """
tasks:
  - {id: a, !Log}
  - {id: b, !Log}
  - {id: c, !Log}
"""
HANDLED = """
tasks:
  - {id: a, !Log}
  - {id: b, !Log}
errors:
  - {id: alert, !Log}
  - {id: ticket, !Log}
finally:
  - {id: clean, !Log}
afterExecution:
  - {id: report, !Log}
"""
NESTED = """
tasks:
  - id: outer
    type: ~Sequential
    tasks:
      - {id: a, !Log}
      - id: inner
        type: ~Sequential
        tasks: [{id: b, !Log}, {id: c, !Log}]
        errors: [{id: mend, !Log}]
    errors: [{id: note, !Log}]
  - {id: d, !Log}
"""
PARALLEL = """
tasks:
  - id: p
    type: ~Parallel
    concurrent: 2
    tasks: [{id: a, !Log}, {id: b, !Log}, {id: c, !Log}, {id: d, !Log}]
  - {id: after, !Log}
"""
EACH = """
tasks:
  - id: each
    type: ~ForEach
    values: [x, y]
    concurrencyLimit: LIMIT
    tasks: [{id: a, !Log}, {id: b, !Log}]
  - {id: after, !Log}
"""
CHOICE = """
inputs:
  - {id: way, type: STRING, required: false}
tasks:
  - id: if
    type: ~If
    condition: "{{ inputs.way == 'then' }}"
    then: [{id: a, !Log}]
    else: [{id: b, !Log}]
  - id: switch
    type: ~Switch
    value: "{{ inputs.way }}"
    cases: {then: [{id: c, !Log}], other: [{id: d, !Log}]}
    defaults: [{id: e, !Log}]
"""
ALLOWED = """
tasks:
  - {id: a, !Log, allowFailure: true}
  - {id: b, !Log, allowFailure: true, allowWarning: true}
  - {id: c, !Log, allowWarning: true}
  - {id: d, !Log}
"""
CONDITIONAL = """
tasks:
  - {id: a, !Log, runIf: "{{ 1 == 2 }}"}
  - {id: b, !Log, disabled: true}
  - id: none
    type: ~Sequential
    tasks: [{id: off, !Log, disabled: true}]
  - {id: c, !Log, runIf: "{{ true }}"}
"""

CASES: dict[str, tuple[str, Answers, State, dict[str, str], list[str]]] = {
    "one after the other": (
        SEQUENCE,
        {},
        State.SUCCESS,
        {"a": "SUCCESS", "b": "SUCCESS", "c": "SUCCESS"},
        ["a", "b", "c"],
    ),
    "a failure ends a sequence": (SEQUENCE, {"b": "boom"}, State.FAILED, {"a": "SUCCESS", "b": "FAILED"}, ["a", "b"]),
    "a warning doesn't end it": (
        SEQUENCE,
        {"b": State.WARNING},
        State.WARNING,
        {"a": "SUCCESS", "b": "WARNING", "c": "SUCCESS"},
        ["a", "b", "c"],
    ),
    "no error: no error branch": (
        HANDLED,
        {},
        State.SUCCESS,
        {"a": "SUCCESS", "b": "SUCCESS", "clean": "SUCCESS", "report": "SUCCESS"},
        ["a", "b", "clean", "report"],
    ),
    "an error: error branch, finally, after": (
        HANDLED,
        {"a": "boom"},
        State.FAILED,
        {"a": "FAILED", "alert": "SUCCESS", "ticket": "SUCCESS", "clean": "SUCCESS", "report": "SUCCESS"},
        ["a", "alert", "ticket", "clean", "report"],
    ),
    "an error in the error branch ends that branch": (
        HANDLED,
        {"a": State.FAILED, "alert": "no mail"},
        State.FAILED,
        {"a": "FAILED", "alert": "FAILED", "clean": "SUCCESS", "report": "SUCCESS"},
        ["a", "alert", "clean", "report"],
    ),
    "finally counts": (
        HANDLED,
        {"clean": "disk"},
        State.FAILED,
        {"a": "SUCCESS", "b": "SUCCESS", "clean": "FAILED", "report": "SUCCESS"},
        ["a", "b", "clean", "report"],
    ),
    "after the end doesn't count": (
        HANDLED,
        {"report": "late"},
        State.SUCCESS,
        {"a": "SUCCESS", "b": "SUCCESS", "clean": "SUCCESS", "report": "FAILED"},
        ["a", "b", "clean", "report"],
    ),
    "error branches of flowables, inner first": (
        NESTED,
        {"b": "boom"},
        State.FAILED,
        {"outer": "FAILED", "a": "SUCCESS", "inner": "FAILED", "b": "FAILED", "mend": "SUCCESS", "note": "SUCCESS"},
        ["a", "b", "mend", "note"],
    ),
    "nested sequences": (
        NESTED,
        {},
        State.SUCCESS,
        dict.fromkeys(("outer", "a", "inner", "b", "c", "d"), "SUCCESS"),
        ["a", "b", "c", "d"],
    ),
    "parallel": (
        PARALLEL,
        {},
        State.SUCCESS,
        dict.fromkeys(("p", "a", "b", "c", "d", "after"), "SUCCESS"),
        ["a", "b", "c", "d", "after"],
    ),
    "parallel: after a failure nothing new starts": (
        PARALLEL,
        {"a": "boom"},
        State.FAILED,
        {"p": "FAILED", "a": "FAILED", "b": "SUCCESS"},
        ["a", "b"],
    ),
    "parallel: the worst end counts": (
        PARALLEL,
        {"b": State.WARNING, "d": "boom"},
        State.FAILED,
        {"p": "FAILED", "a": "SUCCESS", "b": "WARNING", "c": "SUCCESS", "d": "FAILED"},
        ["a", "b", "c", "d"],
    ),
    "each value in turn": (
        EACH.replace("LIMIT", "1"),
        {},
        State.SUCCESS,
        dict.fromkeys(("each", "a[x]", "b[x]", "a[y]", "b[y]", "after"), "SUCCESS"),
        ["a[x]", "b[x]", "a[y]", "b[y]", "after"],
    ),
    "all values at once": (
        EACH.replace("LIMIT", "0"),
        {"a[x]": State.WARNING},
        State.WARNING,
        {
            "each": "WARNING",
            "a[x]": "WARNING",
            "b[x]": "SUCCESS",
            "a[y]": "SUCCESS",
            "b[y]": "SUCCESS",
            "after": "SUCCESS",
        },
        ["a[x]", "a[y]", "b[x]", "b[y]", "after"],
    ),
    "a failed value stops the next ones": (
        EACH.replace("LIMIT", "1"),
        {"a[x]": "boom"},
        State.FAILED,
        {"each": "FAILED", "a[x]": "FAILED"},
        ["a[x]"],
    ),
    "values that run go on to their end": (
        EACH.replace("LIMIT", "0"),
        {"a[x]": "boom"},
        State.FAILED,
        {"each": "FAILED", "a[x]": "FAILED", "a[y]": "SUCCESS", "b[y]": "SUCCESS"},
        ["a[x]", "a[y]", "b[y]"],
    ),
    "no values": (
        EACH.replace("[x, y]", "'{{ [] }}'").replace("LIMIT", "1"),
        {},
        State.SUCCESS,
        {"each": "SUCCESS", "after": "SUCCESS"},
        ["after"],
    ),
    "a value twice runs once": (
        EACH.replace("[x, y]", "[x, x]").replace("LIMIT", "1"),
        {},
        State.SUCCESS,
        dict.fromkeys(("each", "a[x]", "b[x]", "after"), "SUCCESS"),
        ["a[x]", "b[x]", "after"],
    ),
    "values that are no list": (
        EACH.replace("[x, y]", "'{{ 5 }}'").replace("LIMIT", "1"),
        {},
        State.FAILED,
        {"each": "FAILED"},
        [],
    ),
    "choices: the default way": (
        CHOICE,
        {},
        State.SUCCESS,
        {"if": "SUCCESS", "b": "SUCCESS", "switch": "SUCCESS", "e": "SUCCESS"},
        ["b", "e"],
    ),
    "a choice without such a branch": (
        CHOICE.replace("    else: [{id: b, !Log}]\n", ""),
        {},
        State.SUCCESS,
        {"if": "SUCCESS", "switch": "SUCCESS", "e": "SUCCESS"},
        ["e"],
    ),
    "a condition that can't be evaluated": (
        CHOICE.replace("inputs.way == 'then'", "outputs.nothing.x"),
        {},
        State.FAILED,
        {"if": "FAILED"},
        [],
    ),
    "allowed failures and warnings": (
        ALLOWED,
        {"a": "boom", "b": "boom", "c": State.WARNING},
        State.WARNING,
        {"a": "WARNING", "b": "SUCCESS", "c": "SUCCESS", "d": "SUCCESS"},
        ["a", "b", "c", "d"],
    ),
    "runIf and disabled": (
        CONDITIONAL,
        {},
        State.SUCCESS,
        {"a": "SKIPPED", "none": "SUCCESS", "c": "SUCCESS"},
        ["c"],
    ),
    "runIf that can't be evaluated": (
        CONDITIONAL.replace("1 == 2", "vars.missing"),
        {},
        State.FAILED,
        {"a": "FAILED"},
        [],
    ),
    "nothing enabled": ("tasks: [{id: a, !Log, disabled: true}]", {}, State.SUCCESS, {}, []),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("started", [True, False], ids=["starts seen", "starts not seen"])
def test_flow(name: str, started: bool) -> None:
    text, answers, state, states, order = CASES[name]
    world = World(flow_of(text), answers=answers, started=started).execute()
    assert (world.state, world.states, world.order) == (state, states, order)


def test_each_way_of_a_choice() -> None:
    world = World(flow_of(CHOICE)).execute(inputs={"way": "then"})
    assert world.order == ["a", "c"]
    assert world["if"].outputs == {"evaluationResult": True}
    assert world["switch"].outputs == {"value": "then", "defaults": False}


def test_histories() -> None:
    world = World(flow_of(SEQUENCE)).execute()
    assert world.history() == "CREATED RUNNING SUCCESS"
    assert world.history("a") == "CREATED SUBMITTED RUNNING SUCCESS"
    (attempt,) = world["a"].attempts
    assert [change.state for change in attempt.history] == [State.SUBMITTED, State.RUNNING, State.SUCCESS]
    assert (attempt.number, attempt.worker_id) == (1, "w1")


def test_the_first_error_is_the_executions() -> None:
    world = World(flow_of(HANDLED), answers={"b": "boom", "alert": "no mail"}).execute()
    assert (world.execution.error, world.execution.failed_task) == ("boom", "b")
    assert world["alert"].error == "no mail"


def test_an_error_after_the_end_is_not_the_executions() -> None:
    world = World(flow_of(HANDLED), answers={"report": "late"}).execute()
    assert (world.state, world.execution.error, world["report"].error) == (State.SUCCESS, None, "late")


def test_a_success_keeps_no_error_of_an_allowed_failure() -> None:
    world = World(flow_of(ALLOWED), answers={"b": "boom"}).execute()
    assert (world.state, world.execution.error) == (State.SUCCESS, None)


def test_errors_of_the_engine_are_in_the_log() -> None:
    world = World(flow_of(CHOICE.replace("inputs.way == 'then'", "outputs.nothing.x"))).execute()
    assert world["if"].error is not None
    assert "nothing" in world["if"].error
    assert world["if"].error in world.lines


@pytest.mark.parametrize(("limit", "width"), [(0, 4), (1, 1), (3, 3)])
def test_parallel_runs_as_many_as_allowed(limit: int, width: int) -> None:
    flow = flow_of(PARALLEL.replace("concurrent: 2", f"concurrent: {limit}"))
    world = World(flow, answers=dict.fromkeys("abcd")).execute()
    assert len(world.submitted) == width


def test_a_long_sequence_of_skipped_tasks_needs_no_deep_stack() -> None:
    tasks = "\n".join(f"  - {{id: t{i}, !Log, runIf: 'false'}}" for i in range(1500))
    world = World(flow_of(f"tasks:\n{tasks}\n")).execute()
    assert world.state is State.SUCCESS
    assert len(world.states) == 1500


def test_deep_nesting() -> None:
    text = "{id: leaf, !Log}"
    for level in range(40):
        text = f"{{id: s{level}, type: ~Sequential, tasks: [{text}]}}"
    world = World(flow_of(f"tasks: [{text}]")).execute()
    assert world.state is State.SUCCESS
    assert len(world.states) == 41


def test_no_history_goes_back_in_time_when_the_clock_of_a_worker_lags() -> None:
    world = World(flow_of(SEQUENCE), answers={"a": None}, started=False).execute()
    world.now -= timedelta(minutes=5)
    world.queue.append(world.ended_event(world.submitted[0], State.SUCCESS))
    world.run()
    assert world.state is State.SUCCESS
    assert {change.date for run in world.execution.task_runs.values() for change in run.history} == {START}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_example_flows_run_from_their_start_to_an_end_or_a_pause(path: Path) -> None:
    flow = parse(path.read_text())
    world = World(flow, *(parse(other.read_text()) for other in EXAMPLES.glob("*.yaml"))).execute(flow.id)
    assert world.state in TERMINAL | {State.PAUSED}
    assert world.states
