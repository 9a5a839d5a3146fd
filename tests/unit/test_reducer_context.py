"""What expressions see, in the executor and in the job of a worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.expressions import evaluate
from engine.model import Trigger, evolve
from engine.states import Action, State
from streaming.messages import Job
from tests.unit.reducer_world import ENV, START, World, flow_of

ROOT = Path(__file__).parents[2]
RETURN = "io.kestra.plugin.core.debug.Return"


def seen(text: str, answers: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    """What the ``format`` of each Return task ``show`` is for the worker, in the order they were given out."""
    world = World(flow_of(text.replace("!Show", f"type: {RETURN}, format: ")), answers=answers).execute(**fields)
    return [str(evaluate(job.task["format"], job.context)) for job in world.submitted if job.task["id"] == "show"]


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ flow.namespace }}.{{ flow.id }}@{{ flow.revision }}", "test.flow@1"),
        ("{{ execution.id }} {{ execution.startDate }}", "e 2026-01-01T00:00:00.000Z"),
        ("{{ inputs.db.host }}", "localhost"),
        ("{{ labels.team }}", "blue"),
        ("{{ trigger.date }}", "today"),
        ("{{ vars.greeting }}", "hello localhost"),
        ("{{ task.id }} {{ taskrun.attemptsCount }}", "show 0"),
        ("{{ outputs.first.x }}", "7"),
        ("{{ outputs['first'].x }}", "7"),
        ("{{ render(vars.late) }}", "7"),
        ("{{ outputs | length }}", "1"),
    ],
)
def test_what_a_worker_sees(template: str, value: str) -> None:
    text = f"""
labels: {{team: blue}}
inputs: [{{id: db.host, type: STRING, defaults: localhost}}]
variables: {{greeting: "hello {{{{ inputs.db.host }}}}", late: "{{{{ outputs.first.x }}}}"}}
tasks: [{{id: first, !Log}}, {{id: show, !Show "{template}"}}]
"""
    assert seen(text, {"first": {"x": 7}}, trigger=Trigger("t", "schedule", {"date": "today"})) == [value]


def job_of(template: str) -> Job:
    text = f"tasks: [{{id: first, !Log}}, {{id: other, !Log}}, {{id: show, type: {RETURN}, format: '{template}'}}]"
    return World(flow_of(text), answers={"first": {"x": 1}, "other": {"y": 2}}).execute(inputs={}).submitted[-1]


def test_a_job_carries_only_what_its_task_refers_to() -> None:
    assert "outputs" not in job_of("nothing").context
    assert job_of("{{ outputs.first.x }}").context["outputs"] == {"first": {"x": 1}}
    assert job_of("{{ outputs }}").context["outputs"] == {"first": {"x": 1}, "other": {"y": 2}}
    assert "vars" not in job_of("{{ flow.id }}").context


EACH = """
tasks:
  - id: outer
    type: ~ForEach
    values: [a, b]
    tasks:
      - {id: get, !Log}
      - id: inner
        type: ~ForEach
        values: [1, 2]
        tasks:
          - id: if
            type: ~If
            condition: "true"
            then: [{id: show, !Show "SHOW"}]
  - {id: all, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.get }}"}
"""


@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("{{ taskrun.value }}", ["1", "2", "1", "2"]),
        ("{{ taskrun.iteration }}", ["0", "1", "0", "1"]),
        ("{{ parent.taskrun.value }}", ["1", "2", "1", "2"]),
        ("{{ parents[1].taskrun.value }}", ["a", "a", "b", "b"]),
        ("{{ outputs.get[parents[1].taskrun.value].size }}", ["10", "10", "20", "20"]),
        ("{{ outputs.get | length }}", ["1", "1", "2", "2"]),
        ("{{ outputs.get.a.size }}", ["10"] * 4),
        ("{{ parent.outputs.evaluationResult }}", ["true"] * 4),
    ],
)
def test_inside_nested_loops(template: str, values: list[str]) -> None:
    answers = {"get[a]": {"size": 10}, "get[b]": {"size": 20}}
    assert [value.lower() for value in seen(EACH.replace("SHOW", template), answers)] == values


def test_of_a_loop_only_the_own_values_travel_when_no_others_are_asked_for() -> None:
    def outputs(template: str) -> list[Any]:
        text = EACH.replace("!Show", f"type: {RETURN}, format: ").replace("SHOW", template)
        world = World(flow_of(text), answers={"get": {"size": 1}}).execute()
        return [job.context["outputs"]["get"] for job in world.submitted if job.task["id"] == "show"]

    one, both = {"size": 1}, {"a": {"size": 1}, "b": {"size": 1}}
    assert outputs("{{ outputs.get[parents[1].taskrun.value].size }}")[-1] == {"b": one}
    assert outputs("{{ outputs.get[parents[1].taskrun.value] }} {{ outputs.get.a }}")[-1] == both
    assert outputs("{{ outputs.get | length }}")[-1] == both


def test_after_a_loop_all_values_are_there() -> None:
    text = EACH.replace("!Show", f"type: {RETURN}, format: ").replace("SHOW", "x")
    world = World(flow_of(text), answers={"get[a]": {"n": 1}, "get[b]": {"n": 2}}).execute()
    assert world.submitted[-1].context["outputs"] == {"get": {"a": {"n": 1}, "b": {"n": 2}}}


def test_error_branches_know_the_error() -> None:
    text = """
tasks: [{id: a, !Log}]
errors: [{id: show, !Show "{{ error.taskId }}: {{ error.message }}"}]
"""
    assert seen(text, {"a": "boom"}) == ["a: boom"]


def test_outputs_of_error_branches_after_a_restart() -> None:
    text = f"""
tasks: [{{id: a, !Log}}]
errors: [{{id: note, !Log}}, {{id: show, type: {RETURN}, format: "{{{{ outputs.note.ticket }}}}"}}]
"""
    world = World(flow_of(text), answers={"a": ["boom", "boom"], "note": [{"ticket": 1}, {"ticket": 2}]}).execute()
    world.act(Action.RESTART)
    tickets = [job.context["outputs"]["note"]["ticket"] for job in world.submitted if job.task["id"] == "show"]
    assert tickets == [1, 2]


def test_flow_outputs() -> None:
    text = """
tasks: [{id: a, !Log}]
outputs: [{id: x, type: INT, value: "{{ outputs.a.x + 1 }}"}, {id: state, type: STRING, value: "{{ execution.id }}"}]
"""
    world = World(flow_of(text), answers={"a": {"x": 1}}).execute()
    assert world.execution.outputs == {"x": 2, "state": "e"}


def test_flow_outputs_that_can_not_be_made_fail_a_good_end_only() -> None:
    text = 'tasks: [{id: a, !Log}]\noutputs: [{id: x, type: INT, value: "{{ outputs.a.x }}"}]'
    good = World(flow_of(text)).execute()
    assert good.state is State.FAILED
    assert "output x" in (good.execution.error or "")
    bad = World(flow_of(text), answers={"a": "boom"}).execute()
    assert bad.execution.error == "boom"


def test_the_environment_is_there_in_the_executor_and_on_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFLOOR_ENV_REGION", "north")
    assert seen("variables: {r: '{{ envs.region }}'}\ntasks: [{id: show, !Show '{{ vars.r }} {{ envs.region }}'}]") == [
        "north north"
    ]


def test_what_an_operator_gives_is_never_evaluated() -> None:
    text = "inputs: [{id: who, type: STRING}]\ntasks: [{id: show, !Show '{{ inputs.who }}'}]"
    assert seen(text, inputs={"who": "{{ 1 + 1 }}"}) == ["{{ 1 + 1 }}"]


def test_labels_may_be_templates_and_given_ones_win() -> None:
    flow = flow_of("labels: {a: '{{ flow.id }}', b: '{{ outputs.x }}', c: mine}\ntasks: [{id: t, !Log}]")
    world = World(flow).execute(labels={"c": "theirs", "d": "{{ 1 }}"})
    assert world.execution.labels == {"a": "flow", "b": "{{ outputs.x }}", "c": "theirs", "d": "{{ 1 }}"}


def test_defaults_may_be_templates() -> None:
    text = "inputs: [{id: who, type: STRING, defaults: '{{ flow.id }}'}]\ntasks: [{id: show, !Show '{{ inputs.who }}'}]"
    assert seen(text) == ["flow"]


def test_timeouts_are_seconds_and_may_be_templates() -> None:
    text = """
inputs: [{id: wait, type: STRING, defaults: PT1M}]
tasks: [{id: a, !Log, timeout: PT5S}, {id: b, !Log, timeout: "{{ inputs.wait }}"}, {id: c, !Log}]
"""
    world = World(flow_of(text)).execute()
    assert [job.timeout for job in world.submitted] == [5, 60, None]


def test_a_timeout_that_is_none_fails_the_task() -> None:
    world = World(flow_of("tasks: [{id: a, !Log, timeout: '{{ \"soon\" }}'}]")).execute()
    assert world.states == {"a": "FAILED"}


def test_chance_follows_from_the_event() -> None:
    drawn = "[uuid(), uuid(), randomInt(0, 1000000000), randomInt(0, 1000000000), now()]"
    each = f"type: ~ForEach, values: '{{{{ {drawn} }}}}', concurrencyLimit: 0, tasks: "
    flow = flow_of(f"tasks: [{{id: one, {each} [{{id: a, !Log}}]}}, {{id: two, {each} [{{id: b, !Log}}]}}]")

    def values(execution_id: str) -> list[str | None]:
        world = World(flow).execute(execution_id=execution_id)
        return [run.value for run in world.executions[execution_id].task_runs.values() if run.value is not None]

    first = values("e")
    assert sorted(first) == sorted(values("e"))
    assert len(set(first)) == 9, "each call draws anew, and only now() is the same"
    assert len({*first, *values("other")}) == 17


HELD_BACK = """
from engine.states import Action
from tests.unit.reducer_world import World, flow_of

task = "{id: y, !Log, runIf: '{{ randomInt(0, 2) == 1 }}'}"
each = "{id: each, type: ~ForEach, values: [1, 2, 3, 4, 5, 6, 7, 8], concurrencyLimit: 0, tasks: "
world = World(flow_of("tasks: [" + each + "[{id: x, !Log}, " + task + "]}]"), answers={"x": None}).execute()
world.act(Action.PAUSE)
world.queue.extend(world.ended_event(job, {}) for job in list(world.submitted))
world.run().act(Action.RESTART)
print(sorted(world.states.items()))
"""


def test_chance_is_the_same_in_every_process() -> None:
    """Task runs that begin together draw in an order that no process has of its own."""
    said = [
        subprocess.run([sys.executable, "-c", HELD_BACK], env={"PYTHONHASHSEED": seed}, cwd=ROOT, capture_output=True)
        for seed in "123"
    ]
    assert b"'y[8]'" in said[0].stdout, said[0].stderr.decode()
    assert len({one.stdout for one in said}) == 1


def test_a_loop_may_not_be_too_wide() -> None:
    flow = flow_of("tasks: [{id: each, type: ~ForEach, values: '{{ range(1, 11) }}', tasks: [{id: a, !Log}]}]")
    world = World(flow, env=evolve(ENV, foreach_max_values=10)).execute()
    assert world.state is State.FAILED
    assert "WATCHFLOOR_FOREACH_MAX_VALUES" in (world.execution.error or "")


def test_values_of_a_loop_are_text_or_json() -> None:
    text = "tasks: [{id: each, type: ~ForEach, values: [a, 1, {k: v}], concurrencyLimit: 0, tasks: [{id: a, !Log}]}]"
    world = World(flow_of(text)).execute()
    assert set(world.states) == {"each", "a[a]", "a[1]", 'a[{"k": "v"}]'}
    assert world.execution.start_date == START
