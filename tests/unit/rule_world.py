"""Runs the cases of ``rules/*.yaml``: a small flow file, what the workers answer, and what must come of it.

A file maps a *rule* to its cases. A rule is a sentence (or a part of one) of docs/states.md or docs/flow-files.md, word
for word: a test looks for it there. A case is a name and::

    a failure stops the sequence:
      flow: |                        # keys of the flow; id and namespace are added
        tasks: [{id: a, !Log}, {id: b, !Log}]
      answers: {a: boom}             # what workers say; SUCCESS where nothing stands
      expect:
        state: FAILED
        runs: {a: FAILED}            # all task runs there are
        order: [a]                   # the jobs in the order they were given out

``!Log`` is short for a Log task's type and message, ``!Shell`` for one that runs a process, ``type: ~If`` for the type
of a flowable. A task run is written ``task``, in a loop ``task[value]``.

More keys of a case:

``flows``      other flows it needs: ``{child: "tasks: …"}``
``revisions``  further ones of the flow: ``{2: "tasks: …"}``
``execute``    fields of the ExecutionCreated event: ``{inputs: {x: 1}}``; false: nothing is executed at the beginning
``settings``   fields of ``Env`` that differ: ``{foreach_max_values: 2}``
``answers``    ``{task: ANSWER}`` or ``{"task[value]": ANSWER}``; an ANSWER is a state, ``{outputs}``, ``{left: uri,
               on?, error?}`` (of the folder of a WorkingDirectory), any other text (FAILED with that error), null (no
               answer before ``answer`` says one), or a list of these, one an attempt
``started``    false: workers don't say that they started
``then``       what happens next, in order: see ``STEPS``; each step is ``{name: argument}``
``expect``     what is looked at in the end: see ``LOOKS``; as a step, ``- expect: {…}``, in between
``refused``    instead of ``expect``, for a file that is no flow: the violations, as ``line 3, column 9: tasks[0].id:
               …``; the flow's first line is line 3

To add a step or something to look at, add a function to ``STEPS`` or ``LOOKS``. Every case also has its events applied
a second time, each on what the store gives back: all executions must be the same as in the first run.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from data.blobs import execution_bytes, execution_of
from engine.durations import parse_duration
from engine.flow.document import Document
from engine.model import Execution, TaskRun, evolve
from engine.states import TERMINAL, Action, State
from streaming.messages import Job, JobMissed, WorkerLost
from tests.unit.reducer_world import ENV, Answer, World, flow_of, from_store, name_of

FOLDER = Path(__file__).parent / "rules"
_KEYS = {"flow", "flows", "revisions", "execute", "settings", "answers", "then", "expect", "refused", "started"}


class Case(msgspec.Struct, frozen=True):
    """One case of one rule."""

    file: str
    rule: str
    name: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.file}: {self.rule}: {self.name}"


def cases() -> Iterator[Case]:
    """All cases of all files. (The flow parser's own reader refuses a key that stands twice.)"""
    for path in sorted(FOLDER.glob("*.yaml")):
        for rule, found in Document(path.read_text(encoding="utf-8")).data.items():
            for name, body in found.items():
                assert body.keys() <= _KEYS, f"{path.name}: {name}: unknown keys {body.keys() - _KEYS}"
                assert "flow" in body, f"{path.name}: {name}: no flow"
                assert ("expect" in body) != ("refused" in body), f"{path.name}: {name}: expect or refused"
                yield Case(path.stem, rule, name, body)


class RuleWorld(World):
    """A world for one case."""

    def __init__(self, case: Case, *, started: bool = True) -> None:
        body = case.body
        flows = [flow_of(text, flow_id) for flow_id, text in {"flow": body["flow"], **body.get("flows", {})}.items()]
        revisions = {int(number): flow_of(text) for number, text in body.get("revisions", {}).items()}
        answers = {task: _answers(answer) for task, answer in body.get("answers", {}).items()}
        super().__init__(
            *flows,
            answers=answers,
            env=evolve(ENV, **body.get("settings", {})),
            started=started and body.get("started", True),
        )
        self.revisions = {"flow": revisions} if revisions else {}

    def play(self, case: Case) -> RuleWorld:
        """Execute, do the steps, look at the end."""
        execute = case.body.get("execute", {})
        if execute is not False:
            self.execute(**execute)
        for step in case.body.get("then", ()):
            ((name, argument),) = step.items()
            STEPS[name](self, argument)
        self.expect(case.body["expect"])
        return self

    def expect(self, wanted: dict[str, Any]) -> None:
        """Look at everything that is named; all differences are shown at once."""
        seen = {name: LOOKS[name](self, value) for name, value in wanted.items()}
        wrong = [f"{name}: expected {wanted[name]}, came {seen[name]}" for name in wanted if seen[name] != wanted[name]]
        assert not wrong, "\n".join(wrong)

    def run_of(self, name: str) -> TaskRun:
        """The newest task run written ``name`` of ``e``, of other executions where it has none."""
        for executions in ([self.execution], reversed(self.others())):
            runs = [run for execution in executions for run in execution.task_runs.values() if name_of(run) == name]
            if runs:
                return max(runs, key=lambda run: (run.history[0].date, run.iteration or 0))
        raise AssertionError(f"there is no task run {name}")

    def answer(self, name: str, answer: Answer) -> None:
        """A worker that was silent answers for the newest attempt that has not ended, of ``e`` if there is one."""
        runs = {run.id: run for execution in self.executions.values() for run in execution.task_runs.values()}
        given_out = ((job, runs[job.task_run_id]) for job in reversed(self.submitted) if job.task_run_id in runs)
        jobs = [job for job, run in given_out if name_of(run) == name and run.state not in TERMINAL]
        assert jobs, f"no task run {name} is with a worker"
        self.queue.append(self.ended_event(min(jobs, key=lambda job: job.execution_id != "e"), answer))
        self.run()

    def miss(self, name: str) -> None:
        """The job of the newest attempt of a task run came to no worker."""
        run = self.run_of(name)
        self.queue.append(JobMissed(self.event_id(), "e", self.now, run.id, run.attempts[-1].number))
        self.run()

    def lose(self, task: str, stopped: bool = False) -> None:
        """The worker of the newest attempt of a task run died, or was told to stop."""
        run = self.run_of(task)
        self.waiting = deque(job for job in self.waiting if job.task_run_id != run.id)
        lost = WorkerLost(self.event_id(), "e", self.now, run.id, run.attempts[-1].number, "w1", stopped)
        self.queue.append(lost)
        self.run()

    def late(self, name: str) -> None:
        """The worker of the newest job of ``e``, which is a task's, answers though the execution is no more."""
        job = next(job for job in reversed(self.submitted) if job.task["id"] == name)
        before = dict(self.executions)
        self.queue += [self.started_event(job), self.ended_event(job, State.SUCCESS)]
        self.run()
        assert self.executions == before

    def others(self) -> list[Execution]:
        """Executions besides ``e``, in the order they began."""
        return [execution for execution in self.executions.values() if execution.id != "e"]


def replayed(world: RuleWorld) -> dict[str, Execution]:
    """What its events give when each is applied to what the store gives back."""
    again = World(*world.flows.values(), env=world.env)
    again.revisions = world.revisions
    for event in world.events:
        known = again.executions.get(event.execution_id)
        if known is not None:
            again.executions[known.id] = stored(known)
        again.apply(event)
    return {name: from_store(execution) for name, execution in again.executions.items()}


def stored(execution: Execution) -> Execution:
    """The execution written to the store and read again."""
    runs = [msgspec.msgpack.decode(msgspec.msgpack.encode(run), type=TaskRun) for run in execution.task_runs.values()]
    return execution_of(execution_bytes(execution), runs)


def plain(text: str) -> str:
    """Text without line breaks and runs of spaces."""
    return re.sub(r"\s+", " ", text).strip()


def _answers(given: Any) -> Any:
    return [_answer(one) for one in given] if isinstance(given, list) else _answer(given)


def _answer(given: Any) -> Answer:
    return State(given) if isinstance(given, str) and given in State.__members__ else given


# -- what can happen, and what can be looked at


def _act(action: Action) -> Callable[[RuleWorld, Any], None]:
    def step(world: RuleWorld, fields: dict[str, Any] | None) -> None:
        refused = world.act(action, **_fields(world, fields or {}))
        assert refused is None, refused

    return step


def _fields(world: RuleWorld, given: dict[str, Any]) -> dict[str, Any]:
    fields = dict(given)
    if "state" in fields:
        fields["state"] = State(fields["state"])
    if "task" in fields:
        fields["task_run_id"] = world.run_of(fields.pop("task")).id
    if "round" in fields:
        task, number = fields.pop("round")
        runs = world.execution.task_runs.values()
        fields["task_run_id"] = next(run.id for run in runs if run.task_id == task and run.iteration == number)
    if "of" in fields:
        fields["execution_id"] = world.run_of(fields.pop("of")).subflow_execution_id
    return fields


def _refused(world: RuleWorld, wanted: dict[str, str | dict[str, Any]]) -> None:
    for name, given in wanted.items():
        fields = {"why": given} if isinstance(given, str) else dict(given)
        why, before = fields.pop("why"), dict(world.executions)
        assert why in (world.act(Action(name), **_fields(world, fields)) or "it was done")
        assert world.executions == before


STEPS: dict[str, Callable[[RuleWorld, Any], None]] = {
    "pass": lambda world, duration: world.pass_time(parse_duration(duration)),
    "answer": lambda world, answers: [world.answer(name, _answer(answer)) for name, answer in answers.items()],
    "execute": lambda world, fields: world.execute(**fields),
    "lost": lambda world, fields: world.lose(**fields),
    "missed": lambda world, name: world.miss(name),
    "late": lambda world, name: world.late(name),
    "expect": RuleWorld.expect,
    "refused": _refused,
    **{action.value: _act(action) for action in Action},
}
"""``pass`` lets time pass (``PT5S``), ``answer`` lets silent workers answer (``{task: ANSWER}``), ``missed`` lets the
job of a task run get lost on its way, ``lost`` lets its worker die (``{task, stopped?}``: or be told to stop),
``execute`` asks for one more execution (``{flow_id, execution_id, …}``), ``late`` lets a worker answer for an execution
that is no more, ``refused`` asks for actions and looks why they are refused, with nothing changed (``{action: part of
the reason}``, or ``{action: {why: …, fields…}}``); every action by its name, with fields of its event (``{}``: none),
where ``task`` stands for the id of a task run, ``round`` (``[task, 1]``) for that of one in a LoopUntil, and ``of`` for
the execution that a Subflow task run waits for."""


def _contained(wanted: Any, found: list[str]) -> Any:
    """``wanted`` if all of it is part of one of ``found``, else what was found."""
    texts = wanted if isinstance(wanted, list) else [wanted]
    return wanted if all(any(text in one for one in found) for text in texts) else found


def _each(look: Callable[[RuleWorld, TaskRun], Any]) -> Callable[[RuleWorld, dict[str, Any]], dict[str, Any]]:
    return lambda world, wanted: {name: look(world, world.run_of(name)) for name in wanted}


def _picture(world: RuleWorld, execution: Execution, wanted: dict[str, Any]) -> dict[str, Any]:
    runs = execution.task_runs
    seen = {
        "flow": execution.flow_id,
        "state": execution.state.value,
        "runs": {name_of(run): run.state.value for run in execution.task_runs.values()},
        "attempt": execution.attempt_number,
        **{name: getattr(execution, name) for name in ("inputs", "outputs", "labels", "parent_id", "original_id")},
        "revision": execution.revision,
        "order": [name_of(runs[job.task_run_id]) for job in world.submitted if job.task_run_id in runs],
        "history": " ".join(change.state.value for change in execution.history),
        "error": execution.error,
    }
    return {name: seen[name] for name in wanted}


def _folder(world: RuleWorld, job: Job) -> dict[str, Any] | None:
    if job.folder is None:
        return None
    runs = world.executions[job.execution_id].task_runs
    left, clear = job.folder.left, [name_of(runs[run_id]) for run_id in job.folder.clear if run_id in runs]
    known = {"left": left.uri, "on": left.worker} if left else {"files": job.folder.files}
    return {name: value for name, value in (known | {"clear": clear}).items() if value not in (None, [])}


LOOKS: dict[str, Callable[[RuleWorld, Any], Any]] = {
    "state": lambda world, _: world.state.value,
    "history": lambda world, _: world.history(),
    "runs": lambda world, _: world.states,
    "order": lambda world, _: world.order,
    "inputs": lambda world, _: world.execution.inputs,
    "outputs": lambda world, _: world.execution.outputs,
    "labels": lambda world, _: world.execution.labels,
    "error": lambda world, wanted: _contained(wanted, [str(world.execution.error)]),
    "lines": lambda world, wanted: _contained(wanted, world.lines),
    "attempts": _each(lambda world, run: len(run.attempts)),
    "tried": _each(lambda world, run: " ".join(attempt.state.value for attempt in run.attempts)),
    "histories": _each(lambda world, run: " ".join(change.state.value for change in run.history)),
    "gave": _each(lambda world, run: run.outputs),
    "waits": _each(lambda world, run: run.retry_at and (run.retry_at - world.now).total_seconds()),
    "others": lambda world, wanted: [
        _picture(world, one, want) for one, want in zip(world.others(), wanted, strict=True)
    ],
    "folders": lambda world, _: [_folder(world, job) for job in world.submitted],
    "stopped": lambda world, _: [i.split(":")[0] in world.execution.task_runs for i in world.stopped].count(True),
    "timers": lambda world, _: len(world.timers),
    "stopped_in_all": lambda world, _: len(world.stopped),
    "order_in_all": lambda world, _: len(world.submitted),
    "there": lambda world, _: list(world.executions),
    "kept": lambda world, _: {name: list(parts) for name, parts in world.kept.items()},
    "held": lambda world, _: sum(gate.held for gate in world.gates.values()),
    "queued": lambda world, _: sum(len(gate.queue) for gate in world.gates.values()),
}
"""``runs`` are all task runs with their states, ``order`` the jobs as given out, ``error`` and ``lines`` (of the
engine's log) parts of texts; by task run: ``attempts`` (how many), ``tried`` (their states), ``histories``, ``gave``
(outputs), ``waits`` (seconds until its retry); ``others`` the other executions as they began, each with what is named
of ``_picture``;
``folders`` what each job has of the folder of its WorkingDirectory; ``there`` are the ids of the executions there
are, ``kept`` says of removed ones what stays of them; ``stopped_in_all`` and ``order_in_all`` count for those that
are no more too; ``stopped``, ``timers``, ``held`` (slots) and ``queued`` (who waits for one) are counts."""
