"""Laws of replays and breakpoints for any flow, and what a replay takes over that can't be seen."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.flow import Flow
from engine.model import Branch, Execution, TaskRun
from engine.reducer.plan import Kind, plan_of
from engine.secrecy import outputs_of
from engine.states import TERMINAL, Action, State
from streaming.messages import ActionRequested, Job
from tests.unit.reducer_world import World, flow_of
from tests.unit.rule_world import stored
from tests.unit.test_reducer_properties import CHILD, OUTCOMES, SEEDS, flows


class Steady(World):
    """A task's answer is the same in each of its attempts, in whichever execution; pauses are resumed."""

    def __init__(self, flow: Flow, seed: int) -> None:
        super().__init__(flow, CHILD)
        self.seed = seed

    def answer_to(self, job: Job) -> Any:
        """The same for the same place."""
        run = self.executions[job.execution_id].task_runs[job.task_run_id]
        return random.Random(f"{run.task_id} {run.value} {run.iteration} {self.seed}").choice(OUTCOMES)

    def until_over(self, execution_id: str) -> Execution:
        """Let time pass and go on wherever somebody must say so."""
        for _ in range(300):
            self.pass_time(10)
            state = self.executions[execution_id].state
            if state in TERMINAL:
                return self.executions[execution_id]
            if state in (State.PAUSED, State.BREAKPOINT):
                stopped = state is State.BREAKPOINT
                self.act(Action.RESUME_FROM_BREAKPOINT if stopped else Action.RESUME, execution_id)
        raise AssertionError(f"{execution_id} does not end, it is {state}")


def main_runs(flow: Flow, execution: Execution) -> Iterator[TaskRun]:
    """Its task runs that are in no side branch, nor below one."""
    nodes = plan_of(flow).nodes
    for run in execution.task_runs.values():
        node = nodes[run.task_id]
        if not any(one.side for one in (node, *node.path)):
            yield run


def outcome(flow: Flow, execution: Execution) -> dict[tuple[Any, ...], State]:
    """State of each task run outside of side branches, by its place."""
    runs = execution.task_runs
    return {(run.task_id, run.value, *_rounds(runs, run)): run.state for run in main_runs(flow, execution)}


def _rounds(runs: Any, run: TaskRun) -> Iterator[int | None]:
    yield run.iteration
    while run.parent_id is not None:
        run = runs[run.parent_id]
        yield run.iteration


def is_steady(flow: Flow) -> bool:
    """Whether it comes to the same end once more, wherever it begins: no clock and no count of rounds decides."""
    nodes = plan_of(flow).nodes.values()
    loops = any(node.kind is Kind.LOOP for node in nodes)
    return not loops and not any(node.task.timeout or "missing" in str(node.run_if) for node in nodes)


@settings(max_examples=40, deadline=None)
@given(flows(), SEEDS, st.integers(0, 1_000))
def test_a_replay_from_anywhere_ends_as_its_source_did(flow: Flow, seed: int, pick: int) -> None:
    world = Steady(flow, seed)
    source = world.execute() and world.until_over("e")
    targets = sorted(main_runs(flow, source), key=lambda run: (run.history[0].date, run.id))
    assume(targets)
    target = targets[pick % len(targets)]
    assert world.act(Action.REPLAY, task_run_id=target.id, new_id="n") is None
    new = world.until_over("n")
    assert not {*new.task_runs} & {*source.task_runs}
    assert (target.task_id, target.value) in {(run.task_id, run.value) for run in new.task_runs.values()}
    if is_steady(flow):
        assert outcome(flow, new) == outcome(flow, world.executions["e"])
        assert new.state is source.state


@settings(max_examples=40, deadline=None)
@given(flows(), SEEDS, st.integers(0, 1_000))
def test_a_replay_of_one_that_was_stopped_anywhere_ends(flow: Flow, seed: int, pick: int) -> None:
    world = Steady(flow, seed).execute()
    world.pass_time(pick % 3)
    if world.state not in TERMINAL:
        world.act(Action.KILL)
        world.pass_time(world.env.kill_grace)
    targets = sorted(main_runs(flow, world.execution), key=lambda run: (run.history[0].date, run.id))
    assume(targets)
    assert world.act(Action.REPLAY, task_run_id=targets[pick % len(targets)].id, new_id="n") is None
    assert world.until_over("n").state in TERMINAL  # type: ignore[attr-defined]
    if world.state is not State.SUCCESS and world.act(Action.RESTART, revision=1, new_id="m") is None:
        assert world.until_over("m").state in TERMINAL  # type: ignore[attr-defined]


@settings(max_examples=40, deadline=None)
@given(flows(), SEEDS, st.data())
def test_breakpoints_change_no_end(flow: Flow, seed: int, data: st.DataObject) -> None:
    points = data.draw(st.lists(st.sampled_from(sorted(plan_of(flow).nodes)), max_size=3, unique=True))
    plain, stopped = Steady(flow, seed), Steady(flow, seed)
    plain.execute()
    stopped.execute(breakpoints=tuple(points))
    ends = plain.until_over("e"), stopped.until_over("e")
    if is_steady(flow):
        assert outcome(flow, ends[0]) == outcome(flow, ends[1])
        assert ends[0].state is ends[1].state
    began = {run.task_id for run in ends[1].task_runs.values() if run.branch is not Branch.AFTER_EXECUTION}
    assert any(change.state is State.BREAKPOINT for change in ends[1].history) == bool(began & set(points))


def test_a_replay_takes_along_what_is_hidden() -> None:
    flow = flow_of("""
tasks:
  - {id: ask, type: ~Pause, onResume: [{id: token, type: SECRET}]}
  - {id: use, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.ask.onResume.token }}"}
""")
    world = World(flow).execute()
    world.act(Action.RESUME, inputs={"token": "hush hush"})
    world.act(Action.REPLAY, task_run_id=world["use"].id, new_id="n")
    new = stored(world.executions["n"])
    run = next(run for run in new.task_runs.values() if run.task_id == "ask")
    assert run.outputs["onResume"] == {"token": "******"}
    assert outputs_of(new, run.id, run.outputs)["onResume"] == {"token": "hush hush"}
    assert world.submitted[-1].execution_id == "n"
    assert "hush hush" in world.submitted[-1].secrets


def test_the_same_request_makes_one_execution_whose_id_follows_from_it() -> None:
    flow = flow_of("tasks: [{id: a, !Log}]")
    world = World(flow).execute()
    event = ActionRequested("replay-1", "e", world.now, Action.REPLAY, "ada")
    (answer,) = world.apply(event).answers
    world.run()
    assert set(world.executions) == {"e", answer.made}
    again = World(flow).execute()
    assert again.apply(event).answers[0].made == answer.made
    before = dict(world.executions)
    assert world.apply(event).answers == ()
    assert world.run().executions == before
