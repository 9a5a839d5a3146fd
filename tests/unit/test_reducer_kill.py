"""A kill from every state that is not an end: KILLED within the grace time whatever happens, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.states import NON_TERMINAL_EXECUTION, TERMINAL, Action, State
from streaming.messages import ActionRequested, ExecutionCreated, TimerFired
from tests.unit.reducer_world import NAMESPACE, World, flow_of

LIMITED = """
concurrency: {limit: 1}
tasks: [{id: a, !Log}, {id: b, !Log}]
afterExecution: [{id: z, !Log}]
"""


def _created(world: World) -> None:
    """Its gate has not been asked yet."""
    world.apply(ExecutionCreated(world.event_id(), "e", world.now, NAMESPACE, "flow", 1))


def _queued(world: World) -> None:
    world.execute(execution_id="other").execute()


def _restarted(world: World) -> None:
    """Its gate has not been asked again yet."""
    world.answers["a"] = ["boom", None]
    world.execute()
    world.apply(ActionRequested(world.event_id(), "e", world.now, Action.RESTART, "ada"))


def _paused(world: World) -> None:
    world.execute()
    world.act(Action.PAUSE)


def _killing(world: World) -> None:
    """A worker has it: what none has is killed at once."""
    world.started = True
    world.execute()
    world.act(Action.KILL)


RETRIES = "tasks: [{id: a, !Log, retry: {type: constant, interval: PT1H}}]"
PAUSES = """
tasks:
  - id: p
    type: ~Parallel
    tasks: [{id: wait, type: ~Pause, pauseDuration: PT1H}, {id: a, !Log}]
"""
STATES: dict[State, tuple[str, Callable[[World], object]]] = {
    State.CREATED: (LIMITED, _created),
    State.QUEUED: (LIMITED, _queued),
    State.RESTARTED: (LIMITED, _restarted),
    State.RUNNING: (LIMITED, World.execute),
    State.PAUSED: (LIMITED, _paused),
    State.RETRYING: (RETRIES, lambda world: (world.answers.update(a="boom"), world.execute())),
    State.BREAKPOINT: (LIMITED, lambda world: world.execute(breakpoints=("a",))),
    State.KILLING: (LIMITED, _killing),
}


def test_every_state_is_among_them() -> None:
    assert STATES.keys() == NON_TERMINAL_EXECUTION


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize("state", STATES)
def test_it_is_killed_within_the_grace_time(state: State, started: bool) -> None:
    source, bring = STATES[state]
    world = World(flow_of(source), answers={"a": None, "b": None, "z": None}, started=started)
    bring(world)
    assert world.state is state
    at = world.now
    world.apply(ActionRequested(world.event_id(), "e", world.now, Action.KILL, "ada"))
    world.run()
    world.pass_time(world.env.kill_grace)
    killed = next(change for change in world.execution.history if change.state is State.KILLED)
    assert (killed.date - at).total_seconds() <= world.env.kill_grace
    assert world.state is State.KILLED
    assert {run.task_id for run in world.execution.task_runs.values() if run.state not in TERMINAL} <= {"z"}
    assert [owner for owner, _ in world.timers if owner == "e"] == []
    assert not any("e" in gate.slots for gate in world.gates.values())


def test_a_pause_task_and_what_runs_beside_it_are_killed_too() -> None:
    world = World(flow_of(PAUSES), answers={"a": None}).execute()
    assert world.state is State.PAUSED
    world.act(Action.KILL)
    world.pass_time(world.env.kill_grace)
    assert (world.states, world.state) == ({"p": "KILLED", "wait": "KILLED", "a": "KILLED"}, State.KILLED)
    assert not world.timers


def test_the_grace_of_a_timeout_ends_nothing_twice_while_all_is_killed() -> None:
    """What it stopped has ended; what else runs is the kill's, whose own grace time ends it."""
    slow = "{id: s, type: ~Sequential, timeout: PT1S, tasks: [{id: a, !Log}]}"
    flow = flow_of(f"tasks: [{{id: both, type: ~Parallel, tasks: [{slow}, {{id: long, !Log}}]}}]")
    world = World(flow, answers={"a": None, "long": None}).execute()
    world.pass_time(1)
    assert world["a"].state is State.KILLING
    world.act(Action.KILL)
    job = next(job for job in world.submitted if job.task_run_id == world["a"].id)
    world.queue.append(world.ended_event(job, State.KILLED))
    world.run()
    before = world.execution
    assert before.state is State.KILLING
    late = TimerFired("late", "e", world.now + timedelta(days=1), f"timeout:{world['s'].id}", world["s"].id)
    assert world.apply(late).execution is before
