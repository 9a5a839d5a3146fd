"""Kill, pause, resume and restart: what each does, and where it is refused."""

from __future__ import annotations

import pytest

from engine.effects import StopTasks
from engine.reducer import apply
from engine.states import ACTIONS, Action, State, works_in
from streaming.messages import ActionRequested, TaskEnded
from tests.unit.reducer_world import ENV, World, flow_of

TWO = flow_of("tasks: [{id: a, !Log}, {id: b, !Log}]")
WIDE = flow_of("""
tasks:
  - id: p
    type: ~Parallel
    tasks:
      - {id: a, !Log}
      - {id: b, !Log}
      - {id: wait, type: ~Pause, pauseDuration: PT1H}
      - {id: again, !Log, retry: {type: constant, interval: PT1M}}
  - {id: last, !Log}
errors: [{id: alert, !Log}]
finally: [{id: clean, !Log}]
afterExecution: [{id: report, !Log}]
""")
APPROVAL = flow_of("""
tasks:
  - {id: a, !Log}
  - id: ask
    type: ~Pause
    onResume:
      - {id: reason, type: STRING}
      - {id: count, type: INT, defaults: 3}
  - {id: b, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.ask.onResume.reason }}"}
""")
RESTARTABLE = flow_of("""
tasks:
  - {id: a, !Log}
  - id: box
    type: ~Sequential
    tasks: [{id: b, !Log}, {id: c, !Log}]
    errors: [{id: mend, !Log}]
  - {id: d, !Log}
errors: [{id: alert, !Log}]
finally: [{id: clean, !Log}]
afterExecution: [{id: report, !Log}]
""")
EACH = flow_of("""
tasks:
  - id: each
    type: ~ForEach
    values: [x, y, z]
    concurrencyLimit: 2
    tasks: [{id: a, !Log}, {id: b, !Log}]
""")


# -- kill


def test_kill_stops_what_runs_and_ends_when_that_has_ended() -> None:
    world = World(TWO, answers={"a": None}).execute()
    assert world.act(Action.KILL) is None
    assert world.state is State.KILLING
    assert world.stopped == [world["a"].last_attempt_id]
    world.queue.append(world.ended_event(world.submitted[0], State.KILLED))
    world.run()
    assert world.history() == "CREATED RUNNING KILLING KILLED"
    assert world.history("a") == "CREATED SUBMITTED RUNNING KILLING KILLED"
    assert world.states == {"a": "KILLED"}
    assert not world.timers


def test_kill_ends_at_once_what_waits_and_runs_only_what_comes_after_the_end() -> None:
    world = World(WIDE, answers={"a": None, "b": None, "again": "boom"}).execute()
    assert world.state is State.PAUSED
    world.act(Action.KILL)
    assert (world.states["wait"], world.states["again"]) == ("KILLED", "KILLED")
    assert sorted(world.stopped) == sorted([world["a"].last_attempt_id, world["b"].last_attempt_id])
    assert [key for _, key in world.timers] == ["kill"]
    for job in world.submitted[:2]:
        world.queue.append(world.ended_event(job, State.KILLED))
    world.run()
    assert world.states == {**dict.fromkeys(("p", "a", "b", "wait", "again"), "KILLED"), "report": "SUCCESS"}
    assert world.state is State.KILLED


def test_after_the_grace_time_it_is_killed_whatever_happens() -> None:
    world = World(WIDE, answers={"a": None, "b": None, "again": None}).execute()
    world.act(Action.KILL, reason="too slow")
    assert world.pass_time(ENV.kill_grace - 0.1).state is State.KILLING
    assert world.pass_time(0.2).state is State.KILLED
    assert set(world.states.values()) == {"KILLED", "SUCCESS"}
    assert "killed by ada: too slow" in world.lines


def test_answers_after_the_kill_are_dropped() -> None:
    world = World(TWO, answers={"a": None}).execute()
    world.act(Action.KILL)
    world.pass_time(60)
    before = world.execution
    world.apply(world.ended_event(world.submitted[0], State.SUCCESS))
    world.apply(world.started_event(world.submitted[0]))
    assert world.execution is before


def test_a_success_that_came_before_the_signal_counts_for_the_task() -> None:
    world = World(TWO, answers={"a": None}).execute()
    world.act(Action.KILL)
    world.queue.append(world.ended_event(world.submitted[0], {"value": 1}))
    world.run()
    assert (world.states, world.state) == ({"a": "SUCCESS"}, State.KILLED)


def test_a_failure_by_the_signal_is_a_kill_and_isnt_tried_again() -> None:
    world = World(
        flow_of("tasks: [{id: a, !Log, retry: {type: constant, interval: PT0S}}]"), answers={"a": None}
    ).execute()
    world.act(Action.KILL)
    world.queue.append(world.ended_event(world.submitted[0], "signal 15"))
    world.run()
    assert (world.states, world.state) == ({"a": "KILLED"}, State.KILLED)


def test_a_second_kill_tells_the_workers_again() -> None:
    world = World(TWO, answers={"a": None}).execute()
    world.act(Action.KILL)
    due = world.timers["e", "kill"].due
    assert world.act(Action.KILL) is None
    assert world.stopped == [world["a"].last_attempt_id] * 2
    assert world.timers["e", "kill"].due == due


def test_kill_of_a_job_nobody_took_yet_needs_no_waiting() -> None:
    world = World(TWO, answers={"a": None}, started=False).execute()
    world.act(Action.KILL)
    assert (world.states, world.state) == ({"a": "KILLED"}, State.KILLED)
    assert world.stopped == [world["a"].last_attempt_id]


# -- pause and resume


def test_while_paused_nothing_begins_and_what_runs_ends() -> None:
    world = World(TWO, answers={"a": None}).execute()
    world.act(Action.PAUSE)
    world.queue.append(world.ended_event(world.submitted[0], State.SUCCESS))
    world.run()
    assert (world.states, world.state) == ({"a": "SUCCESS", "b": "CREATED"}, State.PAUSED)
    world.act(Action.RESUME)
    assert world.state is State.SUCCESS
    assert world.history() == "CREATED RUNNING PAUSED RUNNING SUCCESS"


def test_a_paused_execution_ends_only_after_the_resume() -> None:
    world = World(TWO, answers={"b": None}).execute()
    world.act(Action.PAUSE)
    world.queue.append(world.ended_event(world.submitted[1], State.SUCCESS))
    assert world.run().state is State.PAUSED
    world.act(Action.RESUME)
    assert world.state is State.SUCCESS


def test_a_retry_that_comes_due_while_paused_waits_for_the_resume() -> None:
    tasks = "[{id: x, !Log}, {id: a, !Log, retry: {type: constant, interval: PT5S}}]"
    world = World(flow_of(f"tasks: [{{id: p, type: ~Parallel, tasks: {tasks}}}]"), answers={"x": None, "a": ["boom"]})
    world.execute()
    world.act(Action.PAUSE)
    world.pass_time(10)
    assert world.states["a"] == "RETRYING"
    world.act(Action.RESUME)
    assert world.states["a"] == "SUCCESS"


def test_resume_with_inputs() -> None:
    world = World(APPROVAL).execute()
    assert (world.state, world.states["ask"]) == (State.PAUSED, "PAUSED")
    refused = world.act(Action.RESUME, inputs={"count": 1})
    assert refused is not None
    assert "reason" in refused
    assert world.state is State.PAUSED
    assert world.act(Action.RESUME, inputs={"reason": "looks good"}) is None
    assert world["ask"].outputs["onResume"] == {"reason": "looks good", "count": 3}
    assert world["ask"].outputs["resumed"]["by"] == "ada"
    assert world.submitted[-1].context["outputs"]["ask"]["onResume"]["reason"] == "looks good"
    assert world.state is State.SUCCESS
    assert world.history() == "CREATED RUNNING PAUSED RUNNING SUCCESS"


@pytest.mark.parametrize(
    ("behavior", "state"),
    [("RESUME", State.SUCCESS), ("WARN", State.WARNING), ("FAIL", State.FAILED), ("CANCEL", State.CANCELLED)],
)
def test_a_pause_with_a_duration_goes_on_by_itself(behavior: str, state: State) -> None:
    text = f"tasks: [{{id: w, type: ~Pause, pauseDuration: PT5S, behavior: {behavior}}}]"
    world = World(flow_of(text)).execute().pass_time(4)
    assert world["w"].resume_at == world.timers["e", f"resume:{world['w'].id}"].due
    assert world.pass_time(2).state is state


def test_a_pause_fails_at_its_timeout() -> None:
    world = World(flow_of("tasks: [{id: w, type: ~Pause, timeout: PT5S}]")).execute().pass_time(6)
    assert (world.state, world["w"].error) == (State.FAILED, "nobody resumed it within its timeout")


def test_resume_takes_the_pause_that_is_meant_else_the_first() -> None:
    pauses = "[{id: one, type: ~Pause}, {id: two, type: ~Pause}, {id: three, type: ~Pause}]"
    world = World(flow_of(f"tasks: [{{id: p, type: ~Parallel, tasks: {pauses}}}]")).execute()
    world.act(Action.RESUME, task_run_id=world["two"].id)
    assert world.states == {"p": "RUNNING", "one": "PAUSED", "two": "SUCCESS", "three": "PAUSED"}
    assert world.state is State.PAUSED
    world.act(Action.RESUME)
    world.act(Action.RESUME)
    assert world.state is State.SUCCESS
    assert world.history() == "CREATED RUNNING PAUSED RUNNING SUCCESS"


# -- restart


def test_restart_runs_again_what_failed_and_what_follows() -> None:
    world = World(RESTARTABLE, answers={"c": ["boom"]}).execute()
    assert world.order == ["a", "b", "c", "mend", "alert", "clean", "report"]
    gone = {world[name].id for name in ("mend", "alert", "clean", "report")}
    assert world.act(Action.RESTART) is None
    restarted = next(applied for applied in world.applied if applied.dropped)
    assert set(restarted.dropped) == gone
    assert world.state is State.SUCCESS
    assert world.states == dict.fromkeys(("a", "box", "b", "c", "d", "clean", "report"), "SUCCESS")
    assert world.history() == "CREATED RUNNING FAILED RESTARTED RUNNING SUCCESS"
    assert world.history("c") == "CREATED SUBMITTED RUNNING FAILED RESTARTED SUBMITTED RUNNING SUCCESS"
    assert world.history("box") == "CREATED RUNNING FAILED RUNNING SUCCESS"
    assert [attempt.state for attempt in world["c"].attempts] == [State.FAILED, State.SUCCESS]
    assert (world.execution.attempt_number, world.execution.labels) == (2, {"system.restarted": "true"})
    assert world.execution.error is None


def test_an_attempt_is_never_given_out_twice_under_the_same_name() -> None:
    world = World(RESTARTABLE, answers={"c": ["boom", "boom"]}).execute()
    world.act(Action.RESTART)
    assert world.state is State.FAILED
    world.act(Action.RESTART)
    assert world.state is State.SUCCESS
    names = [(job.task_run_id, job.attempt) for job in world.submitted]
    assert len(names) == len(set(names))


def test_restart_after_a_kill_goes_on_where_it_was() -> None:
    world = World(EACH, answers={"a[y]": [None]}).execute()
    world.act(Action.KILL)
    world.pass_time(60)
    assert world.states == {
        "each": "KILLED",
        **dict.fromkeys(("a[x]", "b[x]", "a[z]", "b[z]"), "SUCCESS"),
        "a[y]": "KILLED",
    }
    world.act(Action.RESTART)
    assert set(world.states.values()) == {"SUCCESS"}
    assert len(world.states) == 7
    assert world.state is State.SUCCESS
    assert world.history("each") == "CREATED RUNNING KILLING KILLED RUNNING SUCCESS"


def test_restart_goes_on_with_groups_that_a_kill_left_between_two_tasks() -> None:
    world = World(EACH, answers={"a": None}).execute()
    world.act(Action.KILL)
    for job in world.submitted:
        world.queue.append(world.ended_event(job, State.SUCCESS))
    world.run()
    assert world.states == {"each": "KILLED", "a[x]": "SUCCESS", "a[y]": "SUCCESS"}
    world.answers.clear()
    world.act(Action.RESTART)
    assert world.state is State.SUCCESS
    assert len(world.states) == 7


def test_restart_of_a_flowable_that_failed_itself() -> None:
    flow = flow_of("tasks: [{id: if, type: ~If, condition: '{{ vars.x }}', then: [{id: a, !Log}]}]")
    world = World(flow).execute()
    assert world.state is State.FAILED
    world.act(Action.RESTART)
    assert world.history("if") == "CREATED FAILED RESTARTED FAILED"


def test_restart_of_a_paused_one_begins_the_pause_anew() -> None:
    world = World(APPROVAL).execute()
    world.act(Action.RESTART)
    assert world.state is State.PAUSED
    assert world.history("ask") == "CREATED RUNNING PAUSED RESTARTED RUNNING PAUSED"
    assert world.execution.attempt_number == 2


def test_restart_of_one_paused_by_hand() -> None:
    world = World(TWO, answers={"a": None}).execute()
    world.act(Action.PAUSE)
    world.queue.append(world.ended_event(world.submitted[0], State.SUCCESS))
    world.run()
    world.act(Action.RESTART)
    assert world.state is State.SUCCESS


def test_restart_counts_retries_anew() -> None:
    flow = flow_of("tasks: [{id: a, !Log, retry: {type: constant, interval: PT1S, maxAttempts: 2}}]")
    world = World(flow, answers={"a": ["one", "two", "three"]}).execute().pass_time(5)
    assert world.state is State.FAILED
    world.act(Action.RESTART)
    assert world.pass_time(5).state is State.SUCCESS
    assert [attempt.number for attempt in world["a"].attempts] == [1, 2, 3, 4]


def test_a_warning_without_anything_that_failed_can_not_be_restarted() -> None:
    world = World(TWO, answers={"a": State.WARNING}).execute()
    assert "Nothing failed" in (world.act(Action.RESTART) or "")
    assert world.state is State.WARNING


def test_restart_while_after_execution_still_runs_stops_that() -> None:
    world = World(RESTARTABLE, answers={"a": ["boom"], "report": [None]}).execute()
    running = world["report"].last_attempt_id
    world.act(Action.RESTART)
    assert running in world.stopped
    assert world.state is State.SUCCESS


# -- answers


@pytest.mark.parametrize("action", [one for one in Action if State.SUCCESS not in works_in(one)])
def test_an_action_in_the_wrong_state_is_refused_and_changes_nothing(action: Action) -> None:
    world = World(TWO).execute()
    assert world.state is State.SUCCESS
    before = world.execution
    refused = world.act(action)
    assert refused is not None
    assert "SUCCESS now" in refused
    assert all(state.value in refused for state in ACTIONS[action].allowed)
    assert world.execution is before


def test_the_same_action_twice_is_done_once() -> None:
    world = World(TWO, answers={"a": None}).execute()
    world.act(Action.PAUSE)
    paused = world.execution
    world.apply(world.events[-1])
    assert world.execution is paused


def test_an_action_on_an_execution_whose_flow_is_gone() -> None:
    world = World(TWO, answers={"a": None}).execute()
    event = ActionRequested("k", "e", world.now, Action.KILL, "ada")
    applied = apply(world.execution, event, None, ENV)
    assert applied.execution is not None
    assert applied.execution.state is State.KILLED
    assert applied.effects == (StopTasks("e", (world["a"].last_attempt_id,)),)
    paused = apply(world.execution, ActionRequested("p", "e", world.now, Action.PAUSE, "ada"), None, ENV)
    assert "is gone" in (paused.answers[0].refused or "")
    late = TaskEnded("t", "e", world.now, world["a"].id, 1, State.SUCCESS)
    assert apply(applied.execution, late, None, ENV).execution is applied.execution
