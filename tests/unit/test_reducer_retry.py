"""Retries: when, how often, and what the execution shows meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.states import Action, State
from tests.unit.reducer_world import START, World, flow_of


def world_with(retry: str, answers: list, extra: str = "") -> World:
    flow = flow_of(f"tasks: [{{id: a, !Log, retry: {retry}{extra}}}, {{id: b, !Log}}]")
    return World(flow, answers={"a": answers}).execute()


def test_a_retry_waits_then_tries_again() -> None:
    world = world_with("{type: constant, interval: PT5S}", ["boom"])
    assert (world.state, world.states) == (State.RETRYING, {"a": "RETRYING"})
    assert world["a"].retry_at == START + timedelta(seconds=5)
    assert any("attempt 1 failed" in line for line in world.lines)
    assert world.pass_time(4).state is State.RETRYING
    assert world.pass_time(1).state is State.SUCCESS
    assert world.history() == "CREATED RUNNING RETRYING RUNNING SUCCESS"
    assert world.history("a") == "CREATED SUBMITTED RUNNING RETRYING SUBMITTED RUNNING SUCCESS"
    assert [(attempt.number, attempt.state, attempt.error) for attempt in world["a"].attempts] == [
        (1, State.FAILED, "boom"),
        (2, State.SUCCESS, None),
    ]
    assert world["a"].retry_at is None


def test_the_first_try_counts() -> None:
    world = world_with("{type: constant, interval: PT1S, maxAttempts: 3}", ["boom"] * 9).pass_time(60)
    assert world.state is State.FAILED
    assert len(world["a"].attempts) == 3


def test_no_try_ends_after_the_longest_duration() -> None:
    world = world_with("{type: constant, interval: PT4S, maxDuration: PT10S}", ["boom"] * 9).pass_time(60)
    assert len(world["a"].attempts) == 3


def test_exponential_delays() -> None:
    world = world_with("{type: exponential, interval: PT2S, maxInterval: PT7S, maxAttempts: 5}", ["boom"] * 5)
    waits = []
    while world.state is State.RETRYING:
        wait = (world["a"].retry_at - world.now).total_seconds()
        waits.append(wait)
        world.pass_time(wait)
    assert waits == [2, 4, 7, 7]


def test_random_delays_are_within_bounds_and_the_same_each_time() -> None:
    delays = [
        (world_with("{type: random, minInterval: PT2S, maxInterval: PT9S}", ["boom"])["a"].retry_at - START)
        for _ in range(2)
    ]
    assert delays[0] == delays[1]
    assert timedelta(seconds=2) <= delays[0] <= timedelta(seconds=9)


@pytest.mark.parametrize(("failures", "state"), [([], State.SUCCESS), (["boom"], State.WARNING)])
def test_a_success_after_a_retry_can_be_a_warning(failures: list[str], state: State) -> None:
    world = world_with("{type: constant, interval: PT1S, warningOnRetry: true}", failures).pass_time(2)
    assert world.state is state


def test_a_failure_is_allowed_only_when_no_try_is_left() -> None:
    world = world_with("{type: constant, interval: PT1S, maxAttempts: 2}", ["boom"] * 2, ", allowFailure: true")
    assert world.state is State.RETRYING
    assert world.pass_time(2).states == {"a": "WARNING", "b": "SUCCESS"}


@pytest.mark.parametrize(
    ("own", "parents", "flows", "delay"),
    [("PT1S", "PT2S", "PT3S", 1), (None, "PT2S", "PT3S", 2), (None, None, "PT3S", 3)],
)
def test_the_nearest_policy_counts(own: str | None, parents: str | None, flows: str | None, delay: int) -> None:
    def retry(interval: str | None) -> str:
        return f", retry: {{type: constant, interval: {interval}}}" if interval else ""

    task = f"{{id: a, !Log{retry(own)}}}"
    text = f"tasks: [{{id: s, type: ~Sequential, tasks: [{task}]{retry(parents)}}}]\n"
    text += f"retry: {{type: constant, interval: {flows}}}"
    world = World(flow_of(text), answers={"a": ["boom"]}).execute()
    assert world["a"].retry_at == START + timedelta(seconds=delay)


def test_the_execution_runs_while_others_run() -> None:
    tasks = "[{id: a, !Log, retry: {type: constant, interval: PT5S}}, {id: b, !Log}]"
    world = World(flow_of(f"tasks: [{{id: p, type: ~Parallel, tasks: {tasks}}}]"), answers={"a": ["boom"], "b": None})
    assert world.execute().state is State.RUNNING
    world.queue.append(world.ended_event(world.submitted[1], State.SUCCESS))
    assert world.run().state is State.RETRYING
    assert world.pass_time(5).state is State.SUCCESS


def test_kill_while_retrying_ends_at_once_and_forgets_the_retry() -> None:
    world = world_with("{type: constant, interval: PT5S}", ["boom"])
    world.act(Action.KILL)
    assert (world.state, world.states, world.timers) == (State.KILLED, {"a": "KILLED"}, {})


def test_a_timer_that_fires_twice_starts_one_attempt() -> None:
    world = world_with("{type: constant, interval: PT5S}", ["boom", "boom"])
    (timer,) = world.timers.values()
    world.pass_time(5)
    before = world.execution
    world.fire(timer)
    world.apply_next()
    assert world.execution is before
    assert len(world["a"].attempts) == 2


def test_a_retry_as_a_new_execution() -> None:
    retry = "{type: constant, interval: PT5S, maxAttempts: 2, behavior: CREATE_NEW_EXECUTION}"
    text = f"tasks: [{{id: p, type: ~Parallel, tasks: [{{id: a, !Log, retry: {retry}}}, {{id: b, !Log}}]}}]"
    world = World(flow_of(text), answers={"a": ["boom", "boom"], "b": [None]}).execute(inputs={"x": 1})
    world.pass_time(5)
    assert (world.state, world.states) == (State.RETRIED, {"p": "RETRIED", "a": "RETRIED", "b": "KILLED"})
    assert world.stopped == [world["b"].last_attempt_id]
    (other,) = [execution for name, execution in world.executions.items() if name != "e"]
    assert (other.parent_id, other.original_id, other.attempt_number) == ("e", "e", 2)
    assert other.state is State.FAILED
