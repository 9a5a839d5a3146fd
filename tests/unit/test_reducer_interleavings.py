"""Any sequence of actions and events, in any interleaving, leaves a state that the table allows.

Hypothesis drives a few executions of one flow: it chooses which sender is heard next (each sender's own events stay in
order), what workers answer, when timers fire, which workers die, what operators ask for and with which details, what is
told twice, and when the executor forgets all that it holds in memory. ``reducer_world`` checks the laws at each event;
what holds besides is below.
"""

from __future__ import annotations

from collections import deque
from importlib import import_module
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from engine.effects import Effect, Emit
from engine.flow import Flow
from engine.ids import attempt_id
from engine.model import Branch
from engine.reducer import Applied
from engine.states import EXECUTION_STATES, TERMINAL, Action, State
from streaming.messages import (
    ActionRequested,
    Event,
    ExecutionCreated,
    Job,
    JobMissed,
    SlotEvent,
    WorkerLost,
)
from tests.unit.reducer_world import NAMESPACE, World
from tests.unit.test_reducer_properties import CHILD, OUTCOMES, flows, stored

Lane = tuple[str, str]
PICK = st.integers(0, 1_000)
DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from([State.SUCCESS, State.WARNING, State.FAILED, State.CANCELLED, State.RUNNING]),
        "labels": st.sampled_from([{}, {"team": "red"}, {"system.x": "no"}]),
        "include_non_terminated": st.just(True),
        "removes": st.sampled_from([(), ("logs",), ("logs", "metrics", "files")]),
        "breakpoints": st.sampled_from([(), ("t1",)]),
        "cascade": st.booleans(),
        "revision": st.sampled_from([0, 1, 2, 9]),
        "inputs": st.sampled_from([{}, {"why": "late"}, {"why": "x" * 9, "key": "new"}, {"n": 2}, {"none": 1}]),
    },
)
_ONCE = (ExecutionCreated, SlotEvent, JobMissed)
"""The first two come again only right after the first, when an outbox is done again; the last one gives a job out each
time it comes, and its claim lets one run."""


class Many(World):
    """A world in which each sender has a lane of its own, and one lane at a time is heard."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow, CHILD)
        self.lanes: dict[Lane, deque[tuple[Event, ...]]] = {}
        self.twice = False
        self.claimed: set[str] = set()
        self.busy: list[Job] = []
        self.told: list[Event] = []
        self._source = ""

    def send(self, lane: Lane, *events: Event) -> None:
        """Put events at the end of a lane; nobody else's come in between."""
        self.lanes.setdefault(lane, deque()).append(events)

    def hear(self, lane: Lane) -> None:
        """Take what a sender sent first."""
        for event in self.lanes[lane].popleft():
            self.apply(event)

    def apply(self, event: Event) -> Applied:
        """Apply one event, look what must hold, and let its effects travel."""
        before, self._source = self.executions.get(event.execution_id), event.execution_id
        said = len(self.said)
        applied = super().apply(event)
        if any(self.said[said:]):
            assert applied.execution is before, "a refused action changed something"
            assert applied.effects == ()
        if applied.execution is not before and not isinstance(event, _ONCE):
            self.told.append(event)
        travelling: dict[str, list[Event]] = {}
        while self.queue:
            travelling.setdefault(self.queue[0].execution_id, []).append(self.queue.popleft())
        for target, events in travelling.items():
            self.send((self._source, target), *events * (2 if self.twice else 1))
        self.look(event.execution_id)
        return applied

    def _perform(self, effect: Effect) -> None:
        super()._perform(effect)
        if self.twice and not isinstance(effect, Emit):
            super()._perform(effect)

    def look(self, execution_id: str) -> None:
        """What holds of an execution after each event."""
        timers = [key for owner, key in self.timers if owner == execution_id]
        execution = self.executions.get(execution_id)
        if execution is None:
            assert not timers
            return
        assert execution.state in EXECUTION_STATES
        if execution.state in TERMINAL:
            assert execution.slot is None
            still = [run for run in execution.task_runs.values() if run.state not in TERMINAL]
            assert not timers or still, timers
            assert all(self._after(run, execution.task_runs) for run in still)

    @staticmethod
    def _after(run: Any, runs: Any) -> bool:
        while run.parent_id is not None:
            run = runs[run.parent_id]
        return run.branch is Branch.AFTER_EXECUTION


class Interleavings(RuleBasedStateMachine):
    """What Hypothesis may do next."""

    world: Many

    @initialize(
        flow=flows(),
        other=flows(),
        limit=st.sampled_from([None, None, 1, 2]),
        behavior=st.sampled_from(["QUEUE", "FAIL"]),
    )
    def begin(self, flow: Flow, other: Flow, limit: int | None, behavior: str) -> None:
        """A flow in two revisions, and its first execution."""
        if limit is not None:
            concurrency = {"limit": limit, "behavior": behavior}
            flow = Flow.model_validate({**flow.model_dump(by_alias=True), "concurrency": concurrency})
        self.world = Many(flow)
        self.world.revisions = {"flow": {2: other}}
        self.created = 0
        self.create()

    @precondition(lambda self: self.created < 3)
    @rule()
    def create(self) -> None:
        """One more execution."""
        self.created += 1
        name = f"e{self.created}"
        world = self.world
        world.send(("people", name), ExecutionCreated(world.event_id(), name, world.now, NAMESPACE, "flow", 1))

    @precondition(lambda self: any(self.world.lanes.values()))
    @rule(pick=PICK, twice=st.booleans())
    def hear(self, pick: int, twice: bool) -> None:
        """One sender is heard; ``twice``: the executor dies after the commit and does its outbox again."""
        lanes = [lane for lane, events in self.world.lanes.items() if events]
        self.world.twice = twice
        self.world.hear(lanes[pick % len(lanes)])
        self.world.twice = False

    @precondition(lambda self: self.world.waiting)
    @rule(pick=PICK, loses=st.integers(0, 9))
    def take(self, pick: int, loses: int) -> None:
        """A worker takes a job, if nobody has claimed its attempt; or it is lost on its way."""
        world = self.world
        world.waiting.rotate(pick)
        job = world.waiting.popleft()
        name = attempt_id(job.task_run_id, job.attempt)
        if name in world.claimed:
            return
        if loses == 0:
            missed = JobMissed(world.event_id(), job.execution_id, world.now, job.task_run_id, job.attempt)
            world.send(("watch", name), missed)
            return
        world.claimed.add(name)
        world.busy.append(job)
        world.send(("worker", name), world.started_event(job))

    @precondition(lambda self: self.world.busy)
    @rule(pick=PICK, outcome=st.sampled_from(OUTCOMES), dies=st.integers(0, 9))
    def end(self, pick: int, outcome: Any, dies: int) -> None:
        """A worker says how a job ended, or dies."""
        world = self.world
        job = world.busy.pop(pick % len(world.busy))
        name = attempt_id(job.task_run_id, job.attempt)
        if dies == 0:
            lost = WorkerLost(world.event_id(), job.execution_id, world.now, job.task_run_id, job.attempt, "w1")
            world.send(("watch", name), lost)
        else:
            answer = State.KILLED if name in world.stopped else outcome
            world.send(("worker", name), world.ended_event(job, answer))

    @precondition(lambda self: self.world.timers)
    @rule()
    def fire(self) -> None:
        """The timer that is due next fires."""
        world = self.world
        key = min(world.timers, key=lambda key: world.timers[key].due)
        timer = world.timers.pop(key)
        world.now = max(world.now, timer.due)
        world.fire(timer)
        world.send(("timers", timer.execution_id), world.queue.pop())

    @rule(action=st.sampled_from(list(Action)), pick=PICK, details=DETAILS)
    def act(self, action: Action, pick: int, details: dict[str, Any]) -> None:
        """Somebody asks for an action, allowed or not."""
        world = self.world
        names = [*world.executions, "nobody"]
        name = names[pick % len(names)]
        execution = world.executions.get(name)
        if action in (Action.CHANGE_STATE, Action.REPLAY) and execution is not None and execution.task_runs:
            runs = sorted(execution.task_runs)
            details = {**details, "task_run_id": runs[pick % len(runs)]}
        if action is Action.REPLAY or (action is Action.RESTART and "revision" in details):
            if len(world.executions) > 4:
                return
            details = {**details, "new_id": f"r{world.event_id()}"}
        world.now = world.now.replace(microsecond=(world.now.microsecond + 1_000) % 1_000_000)
        world.send(
            ("people", world.event_id()),
            ActionRequested(world.event_id(), name, world.now, action, "ada", **details),
        )

    @precondition(lambda self: self.world.told)
    @rule(pick=PICK)
    def tell_again(self, pick: int) -> None:
        """An event that changed something comes once more: nothing may change."""
        world = self.world
        recent = world.told[-20:]
        event = recent[pick % len(recent)]
        before = dict(world.executions)
        again = World.apply(world, event)
        assert world.executions == before, f"told again it changed something: {event}"
        assert again.effects == () or event.execution_id not in before

    @rule()
    def forget(self) -> None:
        """The executor starts anew from the store."""
        self.world.executions = {name: stored(one) for name, one in self.world.executions.items()}

    def teardown(self) -> None:
        """Everything comes to its end, and nothing is left over."""
        if not hasattr(self, "world"):
            return
        world = self.world
        for _ in range(200):
            while self._one_more():
                pass
            open_ones = [name for name, one in world.executions.items() if one.state not in TERMINAL]
            if not open_ones:
                break
            for name in open_ones:
                world.send(("people", name), ActionRequested(world.event_id(), name, world.now, Action.KILL, "ada"))
        assert all(one.state in TERMINAL for one in world.executions.values())
        assert not world.timers
        assert not any(gate.slots or gate.held or gate.queue for gate in world.gates.values()), world.gates

    def _one_more(self) -> bool:
        world = self.world
        lane = next((lane for lane, events in world.lanes.items() if events), None)
        if lane is not None:
            world.hear(lane)
        elif world.waiting:
            self.take(pick=0, loses=1)
        elif world.busy:
            self.end(pick=0, outcome=State.SUCCESS, dies=1)
        elif world.timers:
            self.fire()
        else:
            return False
        return True


_QUICK = settings(
    max_examples=25, stateful_step_count=60, deadline=None, phases=[Phase.generate], report_multiple_bugs=False
)


def test_any_interleaving_leaves_what_the_tables_allow() -> None:
    run_state_machine_as_test(Interleavings, settings=_QUICK)


def test_it_notices_a_slot_that_is_not_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("engine.reducer.apply"), "give_back", lambda draft: None)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Interleavings, settings=_QUICK)
