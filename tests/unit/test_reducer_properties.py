"""Laws that hold for any flow, any answers and any order of events.

``reducer_world`` checks more of them at each event: allowed transitions, versions, complete lists of what changed,
and counts that agree with the task runs.
"""

from __future__ import annotations

import json
import random
from collections import deque
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from data.blobs import execution_bytes, execution_of
from engine.effects import SetTimer
from engine.flow import Flow, parse
from engine.ids import attempt_id
from engine.model import Execution
from engine.reducer import Applied
from engine.states import TERMINAL, Action, State
from streaming.messages import ActionRequested, Event, ExecutionCreated, Job
from tests.unit.reducer_world import FLOW, LOG, NAMESPACE, START, World, from_store, name_of

Json = dict[str, Any]
SECOND = {"type": "constant", "interval": "PT1S", "maxAttempts": 2}
RENEWED = {**SECOND, "behavior": "CREATE_NEW_EXECUTION"}
ASKS = [{"id": "why", "type": "STRING", "required": False}, {"id": "key", "type": "SECRET", "defaults": "hush"}]
OUTCOMES: tuple[Any, ...] = (State.SUCCESS, State.SUCCESS, State.SUCCESS, State.WARNING, "boom", {"x": 1})


def options() -> st.SearchStrategy[Json]:
    """Keys any task may have."""
    return st.fixed_dictionaries(
        {},
        optional={
            "allowFailure": st.just(True),
            "allowWarning": st.just(True),
            "disabled": st.just(True),
            "runIf": st.sampled_from(["true", "false", "{{ vars.missing }}"]),
            "retry": st.sampled_from([SECOND, SECOND, RENEWED]),
        },
    )


def runnable() -> st.SearchStrategy[Json]:
    return options().map(lambda keys: {"type": LOG, "message": "hi", **keys})


def waiting() -> st.SearchStrategy[Json]:
    pause = st.sampled_from([{}, {"pauseDuration": "PT2S"}, {"timeout": "PT3S"}, {"onResume": ASKS}])
    return pause.map(lambda keys: {"type": f"{FLOW}.Pause", **keys})


def subflow() -> st.SearchStrategy[Json]:
    keys = st.sampled_from([{}, {"wait": False}, {"transmitFailed": False}])
    return keys.map(lambda more: {"type": f"{FLOW}.Subflow", "namespace": NAMESPACE, "flowId": "child", **more})


def some(tasks: st.SearchStrategy[Json]) -> st.SearchStrategy[list[Json]]:
    return st.lists(tasks, min_size=1, max_size=3)


def flowable(tasks: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    errors = st.one_of(st.just({}), some(tasks).map(lambda found: {"errors": found}))
    limits = st.integers(0, 2)
    values = st.lists(st.sampled_from("abc"), max_size=3)
    kinds = st.one_of(
        some(tasks).map(lambda found: {"type": f"{FLOW}.Sequential", "tasks": found}),
        st.builds(
            lambda found, limit: {"type": f"{FLOW}.Parallel", "tasks": found, "concurrent": limit}, some(tasks), limits
        ),
        st.builds(
            lambda found, limit, over: {
                "type": f"{FLOW}.ForEach",
                "tasks": found,
                "concurrencyLimit": limit,
                "values": over,
            },
            some(tasks),
            limits,
            values,
        ),
        st.builds(
            lambda found, other, holds: {"type": f"{FLOW}.If", "condition": holds, "then": found, "else": other},
            some(tasks),
            st.lists(tasks, max_size=2),
            st.sampled_from(["true", "false", "{{ vars.missing }}"]),
        ),
        some(tasks).map(lambda found: {"type": f"{FLOW}.Switch", "value": "a", "cases": {"a": found}}),
        some(tasks).map(lambda found: {"type": f"{FLOW}.AllowFailure", "tasks": found}),
        st.builds(
            lambda found, holds, fails: {
                "type": f"{FLOW}.LoopUntil",
                "tasks": found,
                "condition": holds,
                "checkFrequency": {"maxIterations": 2},
                "failOnMaxReached": fails,
            },
            some(tasks),
            st.sampled_from(["true", "false", "{{ vars.missing }}"]),
            st.booleans(),
        ),
        st.builds(
            lambda found, needs, limit: {
                "type": f"{FLOW}.Dag",
                "concurrent": limit,
                "tasks": [{"task": task, "dependsOn": needs[: index % 3]} for index, task in enumerate(found)],
            },
            some(tasks),
            st.lists(st.integers(0, 1), unique=True),
            limits,
        ),
    )
    timeouts = st.sampled_from([{}, {}, {"timeout": "PT1.5S"}])
    return st.one_of(merged(kinds, errors, options(), timeouts), merged(folder(), options(), timeouts))


def folder() -> st.SearchStrategy[Json]:
    tasks = st.fixed_dictionaries({"tasks": some(runnable())}, optional={"errors": some(runnable())})
    return tasks.map(lambda keys: {"type": f"{FLOW}.WorkingDirectory", **keys})


def merged(*parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.builds(lambda *found: {key: part[key] for part in found for key in part}, *parts)


def promises() -> st.SearchStrategy[list[Json]]:
    kinds = st.sampled_from(
        [
            {"type": "MAX_DURATION", "duration": "PT2S"},
            {"type": "EXECUTION_ASSERTION", "assert": "{{ taskrun is not defined or true }}"},
            {"type": "EXECUTION_ASSERTION", "assert": "{{ outputs | length < 2 }}"},
        ]
    )
    behaviors = st.sampled_from(["FAIL", "CANCEL", "NONE"])
    labels = st.just({"labels": {"broken": "yes"}})
    return st.lists(merged(kinds, behaviors.map(lambda name: {"behavior": name}), labels), max_size=2)


TASKS = st.recursive(st.one_of(runnable(), runnable(), runnable(), waiting(), subflow()), flowable, max_leaves=8)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """A flow, its tasks named by their place."""
    source: Json = {"id": "flow", "namespace": NAMESPACE, "tasks": draw(some(TASKS))}
    for key in ("errors", "finally", "afterExecution"):
        if draw(st.booleans()):
            source[key] = draw(some(runnable()))
    if draw(st.booleans()):
        source["retry"] = draw(st.sampled_from([SECOND, RENEWED]))
    source["sla"] = [{"id": f"s{index}", **one} for index, one in enumerate(draw(promises()))]
    source["inputs"] = [{"id": "n", "type": "INT", "defaults": 1}]
    _name(source, count())
    return parse(json.dumps(source))


def _name(value: Any, numbers: Any) -> None:
    if isinstance(value, list):
        for part in value:
            _name(part, numbers)
    elif isinstance(value, dict):
        if str(value.get("type", "")).startswith("io.kestra"):
            value["id"] = f"t{next(numbers)}"
        for part in value.values():
            _name(part, numbers)
        if str(value.get("type", "")).endswith(".Dag"):
            names = [item["task"]["id"] for item in value["tasks"]]
            for index, item in enumerate(value["tasks"]):
                item["dependsOn"] = [names[need] for need in item["dependsOn"] if need < index]


CHILD = parse(json.dumps({"id": "child", "namespace": NAMESPACE, "tasks": [{"id": "w", "type": LOG, "message": "x"}]}))
SEEDS = st.integers(0, 10_000)


class Chaos(World):
    """Events of different sources overtake each other, workers answer whenever they like, operators interfere."""

    def __init__(
        self, flow: Flow, seed: int, *, meddle: bool = False, repeat: bool = False, forget: bool = False
    ) -> None:
        super().__init__(flow, CHILD)
        self.random = random.Random(seed)
        self.meddle = meddle
        self.repeat = repeat
        self.forget = False
        self.busy: deque[Job] = deque()
        self.told: list[Event] = []

    def apply(self, event: Event) -> Applied:
        """Apply one event, and remember it when it changed something."""
        before = self.executions.get(event.execution_id)
        applied = super().apply(event)
        if applied.execution is not before:
            self.told.append(event)
        return applied

    def event_id(self) -> str:
        """A new one, a moment later than the one before."""
        self.now += timedelta(milliseconds=1)
        return super().event_id()

    def answer_to(self, job: Job) -> Any:
        """The same answer for the same attempt, whatever happens around it."""
        return random.Random(f"{job.task_run_id}{job.attempt}").choice(OUTCOMES)

    def wander(self, steps: int = 120) -> World:
        """Do ``steps`` things in random order, or all there are."""
        self.queue.append(self._created())
        for _ in range(steps):
            moves = self._moves()
            if not moves:
                break
            self.random.choice(moves)()
            if self.repeat:
                self._say_again()
            if self.forget:
                self.executions = {i: stored(execution) for i, execution in self.executions.items()}
        return self

    def finish(self) -> World:
        """No more interference: let everything end that can, resume what is paused."""
        self.meddle = False
        for _ in range(500):
            self.wander_on()
            paused = [e.id for e in self.executions.values() if e.state is State.PAUSED]
            if not paused:
                return self
            for execution_id in paused:
                self.act_quietly(Action.RESUME, execution_id)
        return self

    def wander_on(self) -> None:
        """Make moves until none is left."""
        while moves := self._moves():
            self.random.choice(moves)()

    def act_quietly(self, action: Action, execution_id: str) -> None:
        """Ask for an action, refused or not."""
        self.queue.append(ActionRequested(self.event_id(), execution_id, self.now, action, "ada"))

    def _created(self) -> Any:
        return ExecutionCreated(self.event_id(), "e", self.now, NAMESPACE, "flow", 1)

    def _moves(self) -> list[Any]:
        moves: list[Any] = []
        if self.queue:
            moves += [self.apply_next] * 3
        if self.waiting:
            moves.append(self._take_job)
        if self.busy:
            moves.append(self._end_job)
        if self.timers and not self.queue:
            moves.append(self._fire_next)
        if self.meddle:
            moves.append(self._meddle)
        return moves

    def _take_job(self) -> None:
        self.waiting.rotate(self.random.randrange(len(self.waiting)))
        job = self.waiting.popleft()
        self.busy.append(job)
        if self.random.random() < 0.9:
            self.queue.append(self.started_event(job))

    def _end_job(self) -> None:
        self.busy.rotate(self.random.randrange(len(self.busy)))
        job = self.busy.popleft()
        answer = State.KILLED if attempt_id(job.task_run_id, job.attempt) in self.stopped else self.answer_to(job)
        self.queue.append(self.ended_event(job, answer))

    def _fire_next(self) -> None:
        key = min(self.timers, key=lambda key: self.timers[key].due)
        timer: SetTimer = self.timers.pop(key)
        self.now = max(self.now, timer.due)
        self.fire(timer)

    def _meddle(self) -> None:
        if self.random.random() < 0.15 and self.executions:
            self.act_quietly(self.random.choice(list(Action)), self.random.choice(list(self.executions)))

    def _say_again(self) -> None:
        """An event that changed something, told once more: nothing may change. (A refused action is decided anew.)"""
        there = [event for event in self.told[-15:] if event.execution_id in self.executions]
        if there:
            event = self.random.choice(there)
            before = self.executions.get(event.execution_id)
            again = super().apply(event)
            self.events.pop()
            assert again.execution is before
            assert again.effects == ()


def stored(execution: Execution) -> Execution:
    """The execution written to the store and read again."""
    runs = [msgspec.msgpack.decode(msgspec.msgpack.encode(run), type=type(run)) for run in execution.task_runs.values()]
    return execution_of(execution_bytes(execution), runs)


def picture(world: World) -> dict[str, Any]:
    """What became of all executions: states and counts of attempts."""
    return {
        execution.id: (
            execution.state,
            {run.id: (name_of(run), run.state, len(run.attempts)) for run in execution.task_runs.values()},
        )
        for execution in world.executions.values()
    }


@settings(max_examples=40, deadline=None)
@given(flows(), SEEDS)
def test_whatever_happens_in_whatever_order_all_ends(flow: Flow, seed: int) -> None:
    world = Chaos(flow, seed).wander(50)
    assert isinstance(world, Chaos)
    world.finish()
    assert all(execution.state in TERMINAL for execution in world.executions.values())
    assert not world.timers


@settings(max_examples=40, deadline=None)
@given(flows(), SEEDS)
def test_with_operators_in_between_all_ends_too(flow: Flow, seed: int) -> None:
    world = Chaos(flow, seed, meddle=True, repeat=True).wander()
    assert isinstance(world, Chaos)
    world.finish()
    assert all(execution.state in TERMINAL for execution in world.executions.values())


@settings(max_examples=30, deadline=None)
@given(flows(), SEEDS)
def test_events_told_again_and_executors_that_start_anew_change_nothing(flow: Flow, seed: int) -> None:
    plain, disturbed = Chaos(flow, seed), Chaos(flow, seed)
    plain.wander(200)
    disturbed.forget = True
    disturbed.wander(200)
    assert picture(plain) == picture(disturbed)
    again = World(flow, CHILD)
    for event in plain.events:
        again.apply(event)
        before = again.executions.get(event.execution_id)
        assert again.apply(event).execution is before
    assert again.executions == plain.executions


@settings(max_examples=40, deadline=None)
@given(flows(), SEEDS)
def test_a_kill_always_ends_within_the_grace_time(flow: Flow, seed: int) -> None:
    world = Chaos(flow, seed).wander(30)
    if world.execution.state not in TERMINAL:
        world.act(Action.KILL)
        at = world.now
        world.busy.clear()
        world.waiting.clear()
        world.pass_time(world.env.kill_grace)
        assert world.state in TERMINAL
        assert (world.now - at).total_seconds() <= world.env.kill_grace


def test_counts_are_made_again_after_a_load() -> None:
    flow = parse(
        json.dumps({"id": "flow", "namespace": NAMESPACE, "tasks": [{"id": "a", "type": LOG, "message": "x"}]})
    )
    world = World(flow, answers={"a": None}).execute()
    loaded = from_store(world.execution)
    assert loaded.tally is None
    assert stored(world.execution) == loaded
    world.executions["e"] = loaded
    world.queue.append(world.ended_event(world.submitted[0], State.SUCCESS))
    assert world.run().state is State.SUCCESS
    assert world.execution.start_date == START
