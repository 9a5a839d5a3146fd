"""Attempts whose worker is gone, and jobs that came to no worker."""

from __future__ import annotations

import msgspec

from engine.reducer import Env
from engine.states import Action, State
from streaming.messages import JobMissed, WorkerLost
from tests.unit.reducer_world import ENV, World, flow_of

FLOW = "tasks: [{id: a, !Log}, {id: b, !Log}]"


def world_of(text: str = FLOW, env: Env = ENV, **answers: object) -> World:
    return World(flow_of(text), answers={"a": None} | answers, env=env).execute()


def lose(world: World, attempt: int = 1, stopped: bool = False, task: str = "a") -> World:
    world.queue.append(WorkerLost(world.event_id(), "e", world.now, world[task].id, attempt, "w1", stopped))
    return world.run()


def attempts(world: World, task: str = "a") -> list[tuple[int, State, str | None]]:
    return [(attempt.number, attempt.state, attempt.error) for attempt in world[task].attempts]


def test_an_attempt_whose_worker_died_runs_again_as_the_next_one() -> None:
    world = lose(world_of(a=[None, State.SUCCESS]))
    assert world.state is State.SUCCESS
    assert attempts(world) == [(1, State.RESUBMITTED, "its worker died"), (2, State.SUCCESS, None)]
    assert world.history("a") == "CREATED SUBMITTED RUNNING SUBMITTED RUNNING SUCCESS"
    assert [(job.task["id"], job.attempt) for job in world.submitted] == [("a", 1), ("a", 2), ("b", 1)]
    assert any("its worker died; the task runs again as attempt 2" in line for line in world.lines)


def test_a_worker_that_is_only_away_is_told_to_stop() -> None:
    world = lose(world_of(a=[None, State.SUCCESS]))
    assert world.stopped == [f"{world['a'].id}:1"]


def test_a_second_death_fails_it() -> None:
    world = lose(lose(world_of()), attempt=2)
    assert world.state is State.FAILED
    assert [attempt[1] for attempt in attempts(world)] == [State.RESUBMITTED, State.FAILED]
    assert "its worker died 2 times in a row" in str(world["a"].error)


def test_the_number_of_deaths_is_a_setting() -> None:
    world = lose(world_of(env=msgspec.structs.replace(ENV, max_resubmits=0)))
    assert (world.state, world["a"].error) == (State.FAILED, "its worker died")
    world = lose(lose(world_of(env=msgspec.structs.replace(ENV, max_resubmits=2))), attempt=2)
    assert world.state is State.RUNNING


def test_a_worker_told_to_stop_counts_as_no_death() -> None:
    world = world_of()
    for attempt in (1, 2, 3):
        lose(world, attempt, stopped=True)
    lose(world, 4)
    assert world.state is State.RUNNING
    assert [error for _, _, error in attempts(world)] == [*["its worker was stopped"] * 3, "its worker died", None]


def test_the_same_loss_told_twice_counts_once() -> None:
    world = lose(lose(world_of()))
    assert [attempt[1] for attempt in attempts(world)] == [State.RESUBMITTED, State.RUNNING]


def test_an_attempt_that_had_ended_is_not_lost() -> None:
    world = world_of(a=State.SUCCESS, b=None)
    before = world.executions["e"]
    assert lose(world).executions["e"] is before


def test_an_end_that_comes_after_the_loss_is_dropped() -> None:
    world = world_of()
    job = world.submitted[0]
    lose(world)
    world.queue.append(world.ended_event(job, State.FAILED))
    assert world.run().state is State.RUNNING


def test_a_claimed_attempt_that_was_not_reported_started_was_running() -> None:
    world = World(flow_of(FLOW), answers={"a": None}, started=False).execute()
    lose(world)
    assert world.history("a") == "CREATED SUBMITTED RUNNING SUBMITTED"
    assert world["a"].attempts[0].worker_id == "w1"


def test_a_lost_attempt_is_no_try_of_its_retry() -> None:
    text = "tasks: [{id: a, !Log, retry: {type: constant, interval: PT1S, maxAttempts: 2}}]"
    world = lose(world_of(text, a=[None, "boom", State.SUCCESS]))
    assert world.state is State.RETRYING
    assert world.pass_time(1).state is State.SUCCESS
    assert [attempt[1] for attempt in attempts(world)] == [State.RESUBMITTED, State.FAILED, State.SUCCESS]


def test_after_a_failed_try_deaths_count_anew() -> None:
    text = "tasks: [{id: a, !Log, retry: {type: constant, interval: PT1S, maxAttempts: 3}}]"
    world = lose(lose(world_of(text)), 2).pass_time(1)
    lose(world, 3)
    assert [attempt[1] for attempt in attempts(world)][2:] == [State.RESUBMITTED, State.RUNNING]


def test_a_lost_attempt_of_a_killed_execution_is_killed() -> None:
    world = world_of()
    world.act(Action.KILL)
    assert lose(world).state is State.KILLED
    assert len(world["a"].attempts) == 1


def test_what_a_worker_does_for_a_folder_runs_again() -> None:
    text = """tasks: [{id: home, type: ~WorkingDirectory, tasks: [{id: c, !Shell}]}]"""
    world = world_of(text, c={"left": "file:///a"}, home=[None, State.SUCCESS])
    assert lose(world, task="home").state is State.SUCCESS
    assert attempts(world, "home") == [(1, State.RESUBMITTED, "its worker died"), (2, State.SUCCESS, None)]
    world = world_of(text, c={"left": "file:///a"}, home=None)
    assert lose(lose(world, task="home"), 2, task="home").state is State.FAILED


def test_a_missed_job_is_given_out_again() -> None:
    world = World(flow_of(FLOW), answers={"a": None}, started=False).execute()
    world.answers["a"] = State.SUCCESS
    world.queue.append(JobMissed("m", "e", world.now, world["a"].id, 1))
    world.run()
    assert world.state is State.SUCCESS
    assert [(job.task["id"], job.attempt) for job in world.submitted] == [("a", 1), ("a", 1), ("b", 1)]
    assert world.submitted[0] == world.submitted[1]
    assert world.again == [world.submitted[1]]
    assert len(world["a"].attempts) == 1


def test_a_job_that_a_worker_has_is_not_missed() -> None:
    world = world_of()
    world.queue.append(JobMissed("m", "e", world.now, world["a"].id, 1))
    world.run()
    assert len(world.submitted) == 1
