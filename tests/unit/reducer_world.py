"""A small world for the reducer: events, workers that answer as scripted, timers, and laws checked at each event."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.effects import CancelTimer, Effect, Emit, SetTimer, StopTasks, Submit, WriteLog
from engine.expressions import evaluate_at
from engine.flow import Flow, parse
from engine.ids import attempt_id
from engine.inputs import validate_inputs
from engine.model import Execution, Folder, TaskRun, evolve
from engine.reducer import Applied, Env, apply
from engine.reducer.counting import tally_of
from engine.reducer.plan import plan_of
from engine.reducer.reported import is_reported
from engine.reducer.transitions import EXECUTION, EXECUTION_BY_HAND, TASK_RUN, TASK_RUN_BY_HAND
from engine.slots import Gate, gate_of, take_turn
from engine.states import TERMINAL, Action, State
from streaming import codec
from streaming.executor.families import Families
from streaming.messages import (
    ActionRequested,
    Event,
    ExecutionCreated,
    Job,
    SlotEvent,
    SlotFreed,
    TaskEnded,
    TaskStarted,
    TimerFired,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
ENV = Env(evaluate=evaluate_at)
NAMESPACE = "test"
HEADER = f"namespace: {NAMESPACE}\n"
LOG = "io.kestra.plugin.core.log.Log"
SHELL = "io.kestra.plugin.scripts.shell.Commands"
FLOW = "io.kestra.plugin.core.flow"

Transitions = Mapping[State, frozenset[State]]
Answer = State | str | dict[str, Any] | None
"""What a worker says: a state, an error (FAILED), outputs (SUCCESS), ``{left: uri, on?, error?}`` (what it left in
the folder of a WorkingDirectory, and on which worker), or None (it never answers)."""
Answers = Mapping[str, Answer | list[Answer] | Callable[[Job], Answer]]


def flow_of(text: str, flow_id: str = "flow") -> Flow:
    """The flow with these keys; ``!Log`` and the like are short for core types."""
    text = text.replace("!Log", f"type: {LOG}, message: hi").replace("type: ~", f"type: {FLOW}.")
    text = text.replace("!Shell", f"type: {SHELL}, commands: [make]")
    return parse(f"id: {flow_id}\n{HEADER}{text}")


class World:
    """Runs executions as the executor would. ``submitted`` are the jobs in the order they were given out.

    ``revisions`` are the further ones of flows that have some; their first one is in ``flows``.
    ``kept`` says of removed executions what stays of them.
    """

    def __init__(self, *flows: Flow, answers: Answers | None = None, env: Env = ENV, started: bool = True) -> None:
        self.flows = {flow.id: flow for flow in flows}
        self.revisions: dict[str, dict[int, Flow]] = {}
        self.answers = {
            key: list(value) if isinstance(value, list) else value for key, value in (answers or {}).items()
        }
        self.env = env
        self.started = started
        self.now = START
        self.queue: deque[Event] = deque()
        self.executions: dict[str, Execution] = {}
        self.families = Families(self._descendants, env.subflow_max_executions)
        self.gates: dict[str, Gate] = {}
        self.timers: dict[tuple[str, str], SetTimer] = {}
        self.submitted: list[Job] = []
        self.again: list[Job] = []
        self.waiting: deque[Job] = deque()
        self.stopped: list[str] = []
        self.lines: list[str] = []
        self.said: list[str | None] = []
        self.applied: list[Applied] = []
        self.kept: dict[str, tuple[str, ...]] = {}
        self.events: list[Event] = []
        self._number = 0

    # -- asking

    def execute(self, flow_id: str = "flow", execution_id: str = "e", **fields: Any) -> World:
        """Ask for an execution and go on as far as it gets."""
        fields["inputs"] = validate_inputs(self.flows[flow_id], fields.get("inputs", {}))
        self.queue.append(ExecutionCreated(self.event_id(), execution_id, self.now, NAMESPACE, flow_id, 1, **fields))
        return self.run()

    def act(self, action: Action, execution_id: str = "e", **fields: Any) -> str | None:
        """An action, and all that follows at once; why it was refused."""
        self.request(action, execution_id, **fields)
        before = len(self.said)
        self.apply_next()
        refused = self.said[-1] if len(self.said) > before else None
        self.run()
        return refused

    def request(self, action: Action, execution_id: str = "e", **fields: Any) -> None:
        """Put an action in the queue."""
        self.queue.appendleft(ActionRequested(self.event_id(), execution_id, self.now, action, "ada", **fields))

    def event_id(self) -> str:
        """A new one."""
        self._number += 1
        return f"event-{self._number}"

    # -- the world's own steps

    def run(self) -> World:
        """Go on until only timers and silent workers are waited for."""
        while self.queue or self.waiting:
            if self.queue:
                self.apply_next()
            else:
                self.work(self.waiting.popleft())
        return self

    def pass_time(self, seconds: float) -> World:
        """Let time pass; timers fire on the way."""
        until = self.now + timedelta(seconds=seconds)
        while self.timers:
            key, timer = min(self.timers.items(), key=lambda item: item[1].due)
            if timer.due > until:
                break
            del self.timers[key]
            self.now = max(self.now, timer.due)
            self.fire(timer)
            self.run()
        self.now = until
        return self

    def fire(self, timer: SetTimer) -> None:
        """The timer's event."""
        self.queue.append(TimerFired(self.event_id(), timer.execution_id, self.now, timer.key, timer.task_run_id))

    def work(self, job: Job) -> None:
        """A worker runs a job, as scripted."""
        answer = self.answer_to(job)
        if self.started:
            self.queue.append(self.started_event(job))
        if answer is not None:
            self.queue.append(self.ended_event(job, answer))

    def started_event(self, job: Job) -> TaskStarted:
        """What a worker says first."""
        return TaskStarted(self.event_id(), job.execution_id, self.now, job.task_run_id, job.attempt, "w1")

    def ended_event(self, job: Job, answer: Answer) -> TaskEnded:
        """What a worker says last."""
        state, outputs, error, folder = State.SUCCESS, {}, None, None
        match answer:
            case State():
                state = answer
            case str():
                state, error = State.FAILED, answer
            case {"left": str(uri), **rest}:
                error, folder = rest.get("error"), Folder(uri, rest.get("on"))
                state = State.FAILED if error else state
            case dict():
                outputs = answer
        return TaskEnded(
            self.event_id(),
            job.execution_id,
            self.now,
            job.task_run_id,
            job.attempt,
            state,
            outputs=outputs,
            error=error,
            folder=folder,
        )

    def answer_to(self, job: Job) -> Answer:
        """What is scripted for the task, ``task[value]`` first."""
        if job.execution_id not in self.executions:
            return State.SUCCESS
        run = self.executions[job.execution_id].task_runs[job.task_run_id]
        for key in (f"{run.task_id}[{run.value}]", run.task_id):
            if key in self.answers:
                answer = self.answers[key]
                if isinstance(answer, list):
                    return answer.pop(0) if answer else State.SUCCESS
                return answer(job) if callable(answer) else answer
        return State.SUCCESS

    def apply_next(self) -> Applied:
        """Apply the oldest event, check the laws, and carry out the effects."""
        return self.apply(self.queue.popleft())

    def apply(self, event: Event) -> Applied:
        """Apply one event."""
        event = codec.decode_event(codec.encode(event))
        if isinstance(event, SlotEvent):
            return self._turn(event)
        before = self.executions.get(event.execution_id)
        event = self._with_revision(event)
        if before is None:
            event = self.families.admit(event)
        flow = self._flow_of(before or event)
        applied = apply(before, event, flow, self.env)
        check_laws(before, applied, flow, event)
        self.events.append(event)
        self.applied.append(applied)
        if applied.execution is not None:
            self.executions[event.execution_id] = applied.execution
        elif before is not None:
            self._forget(before.id, applied)
        self.said += [answer.refused for answer in applied.answers]
        for effect in applied.effects:
            self._perform(effect)
        return applied

    def _with_revision(self, event: Event) -> Event:
        if not isinstance(event, ExecutionCreated) or event.revision or event.flow_id not in self.revisions:
            return event
        return evolve(event, revision=max(self.revisions[event.flow_id]))

    def _flow_of(self, holder: Any) -> Flow | None:
        first = self.flows.get(getattr(holder, "flow_id", ""))
        further = self.revisions.get(first.id) if first else None
        return {1: first, **further}.get(holder.revision) if further else first

    def _descendants(self, root: str) -> int:
        triggers = (execution.trigger for execution in self.executions.values())
        return sum(trigger is not None and trigger.variables.get("root") == root for trigger in triggers)

    def _forget(self, execution_id: str, applied: Applied) -> None:
        del self.executions[execution_id]
        self.kept[execution_id] = applied.keeps
        self.timers = {key: timer for key, timer in self.timers.items() if key[0] != execution_id}

    def _turn(self, event: SlotEvent) -> Applied:
        gate = self.gates.get(event.execution_id) or gate_of(event.execution_id, {})
        turn = take_turn(gate, event)
        self.gates[gate.id] = turn.gate
        self.queue += turn.decisions
        self.events.append(event)
        return Applied(None)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Submit(job, again):
                self.submitted.append(job)
                self.again += [job] * again
                self.waiting.append(job)
            case StopTasks(_, attempts):
                self.stopped += attempts
                self.waiting = deque(
                    job for job in self.waiting if attempt_id(job.task_run_id, job.attempt) not in attempts
                )
            case SetTimer(execution_id, key):
                self.timers[execution_id, key] = effect
            case CancelTimer(execution_id, key):
                self.timers.pop((execution_id, key), None)
            case Emit(event):
                self.queue.append(event)
            case WriteLog(batch):
                self.lines += [line.message for line in batch.lines]

    # -- looking

    def __getitem__(self, task: str) -> TaskRun:
        """The task run written ``task`` or ``task[value]``, of execution ``e``."""
        return next(run for run in self.execution.task_runs.values() if name_of(run) == task)

    @property
    def execution(self) -> Execution:
        """Execution ``e``."""
        return self.executions["e"]

    @property
    def state(self) -> State:
        """State of execution ``e``."""
        return self.execution.state

    @property
    def states(self) -> dict[str, str]:
        """``task[value]`` -> state (in a LoopUntil of the last round), of execution ``e``."""
        runs = sorted(self.execution.task_runs.values(), key=lambda run: run.iteration or 0)
        return {name_of(run): run.state.value for run in runs}

    def history(self, task: str | None = None) -> str:
        """The states that execution ``e`` (or one of its task runs) went through."""
        record = self[task] if task else self.execution
        return " ".join(change.state.value for change in record.history)

    @property
    def order(self) -> list[str]:
        """``task[value]`` of the jobs of execution ``e``, in the order they were given out."""
        runs = self.execution.task_runs
        return [name_of(runs[job.task_run_id]) for job in self.submitted if job.task_run_id in runs]


def name_of(run: TaskRun) -> str:
    """``task`` or ``task[value]``."""
    return run.task_id if run.value is None else f"{run.task_id}[{run.value}]"


def _tables(event: Event) -> tuple[Transitions, Transitions]:
    """Which state may follow which, of executions and of task runs: more when a person says so."""
    if not isinstance(event, ActionRequested) or event.action not in (Action.CHANGE_STATUS, Action.CHANGE_STATE):
        return EXECUTION, TASK_RUN
    return _both(EXECUTION, EXECUTION_BY_HAND), _both(TASK_RUN, TASK_RUN_BY_HAND)


def _both(one: Transitions, other: Transitions) -> Transitions:
    return {state: one.get(state, frozenset()) | other.get(state, frozenset()) for state in State}


def check_laws(before: Execution | None, applied: Applied, flow: Flow | None, event: Event) -> None:
    """What holds for every event: versions, transitions, completeness of ``changed``, and counts."""
    after = applied.execution
    if after is before:
        gone = applied.effects if before is None else ()  # a slot for one that is no more goes back
        assert applied == Applied(before, answers=applied.answers, effects=gone)
        return
    if after is None:
        _check_removed(before, applied)
        return
    assert after.version == (before.version if before else 0) + 1
    reported = is_reported(after)
    known = before.task_runs if before else {}
    of_execution, of_task_run = (None, None) if reported or not flow else _tables(event)
    _check_history(before.history if before else after.history[:1], after, of_execution)
    touched = {i for i, run in after.task_runs.items() if known.get(i) is not run}
    assert touched <= set(applied.changed) <= set(after.task_runs.keys())
    assert set(applied.dropped) == {i for i in known if i not in after.task_runs}
    for run_id in touched:
        run = after.task_runs[run_id]
        old = known.get(run_id)
        _check_history(old.history if old else run.history[:1], run, of_task_run)
        assert run.parent_id is None or run.parent_id in after.task_runs
    if flow is not None and not reported:
        _check_counts(after, flow)
    if after.state in TERMINAL:
        assert all(run.state in TERMINAL for run in after.task_runs.values() if _is_main(run, after)) or reported


def _check_removed(before: Execution | None, applied: Applied) -> None:
    """What is no more waits for nothing, starts nothing, and holds nothing."""
    assert before is not None
    assert not any(isinstance(effect, SetTimer | Submit) for effect in applied.effects)
    emitted = [effect.event for effect in applied.effects if isinstance(effect, Emit)]
    assert before.slot is None or any(isinstance(event, SlotFreed) for event in emitted)
    assert (applied.changed, applied.dropped, applied.metrics) == ((), (), ())


def _check_counts(execution: Execution, flow: Flow) -> None:
    counted, kept = tally_of(plan_of(flow), execution.task_runs, execution.progress), execution.tally
    assert kept is not None
    if execution.state is State.KILLING:  # nothing starts any more, so how far its containers are is no matter
        assert set(kept.progress) == set(counted.progress)
        kept = evolve(kept, progress=counted.progress)
    assert kept == counted


def _is_main(run: TaskRun, execution: Execution) -> bool:
    while run.parent_id is not None:
        run = execution.task_runs[run.parent_id]
    return run.branch.value != "AFTER_EXECUTION"


def _check_history(before: tuple[Any, ...], record: Execution | TaskRun, table: Transitions | None) -> None:
    history = record.history
    assert history[: len(before)] == before
    assert history[-1].state is record.state
    dates = [change.date for change in history]
    assert dates == sorted(dates)
    if table is not None:
        for one, next_one in zip(history[len(before) - 1 :], history[len(before) :], strict=False):
            assert next_one.state in table.get(one.state, ()), f"{one.state} -> {next_one.state}"


def from_store(execution: Execution) -> Execution:
    """The execution as it comes back from the store: without what is never stored."""
    return evolve(execution, tally=None)
