"""Attempts run for real, in this process, against a real Valkey: what they say, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.model import evolve
from engine.states import State
from engine.worker.control import Stop
from engine.worker.limits import Limits
from streaming import keys
from streaming.bus import Bus
from streaming.messages import Kill, WorkerLost
from tests.integration.worker_world import CORE, LIMITS, SCRIPTS, World, job, processes_of, shell
from tests.waiting import until


@pytest.fixture
def make_world(bus: Bus, tmp_path: Path) -> Iterator[Callable[[Limits], World]]:
    worlds: list[World] = []

    def make(limits: Limits = LIMITS) -> World:
        worlds.append(World(bus, tmp_path, limits))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world(make_world: Callable[[Limits], World]) -> World:
    return make_world(LIMITS)


def test_log_renders_its_message(world: World) -> None:
    ended = world.run(
        job(f"{CORE}log.Log", message="hi {{ inputs.who }}", level="WARN", context={"inputs": {"who": "Ann"}})
    )
    assert ended.state is State.SUCCESS
    assert world.said("WARN") == ["hi Ann"]


@pytest.mark.parametrize(
    ("properties", "outputs"),
    [
        ({"type_name": f"{CORE}debug.Return", "format": "{{ 1 + 1 }}"}, {"value": "2"}),
        ({"type_name": f"{CORE}output.OutputValues", "values": {"a": "{{ [1, 2] }}"}}, {"values": {"a": [1, 2]}}),
        ({"type_name": "io.kestra.core.tasks.debugs.Return", "format": "old"}, {"value": "old"}),
    ],
)
def test_outputs_of_the_tasks_without_a_process(
    world: World, properties: dict[str, Any], outputs: dict[str, Any]
) -> None:
    ended = world.run(job(**properties))
    assert (ended.state, ended.outputs) == (State.SUCCESS, outputs)


def test_fail_fails_with_its_message(world: World) -> None:
    ended = world.run(job(f"{CORE}execution.Fail", errorMessage="too hot"))
    assert (ended.state, ended.error) == (State.FAILED, "too hot")
    assert world.said("ERROR") == ["too hot"]


def test_fail_lets_a_false_condition_pass(world: World) -> None:
    assert world.run(job(f"{CORE}execution.Fail", condition="{{ 1 > 2 }}")).state is State.SUCCESS


def test_a_broken_expression_fails_the_attempt_and_names_the_property(world: World) -> None:
    ended = world.run(job(f"{CORE}log.Log", message="{{ inputs.nothing }}", context={"inputs": {}}))
    assert ended.state is State.FAILED
    assert ended.error is not None
    assert ended.error.startswith("message: ")
    assert "nothing" in ended.error


def test_an_unknown_type_fails_the_attempt(world: World) -> None:
    assert world.run(job("com.example.Nothing")).error == "this worker has no task type 'com.example.Nothing'"


def test_a_process_gives_lines_outputs_and_metrics(world: World) -> None:
    protocol = '::{"outputs": {"rows": 3}, "metrics": [{"name": "m", "type": "counter", "value": 2}]}::'
    ended = world.run(shell("echo out", "echo err >&2", f"echo '{protocol}'", "printf last"))
    assert ended.state is State.SUCCESS
    assert ended.outputs == {"exitCode": 0, "vars": {"rows": 3}}
    assert [(m.name, m.value) for m in ended.metrics] == [("m", 2.0)]
    assert world.said("INFO") == ["out", "last"]
    assert world.said("ERROR") == ["err"]
    assert [line.number for line in world.lines] == [1, 2, 3]


def test_an_exit_code_fails_the_attempt_with_its_first_error_line(world: World) -> None:
    ended = world.run(shell("echo fine", "echo broken pipe >&2", "exit 3", "echo never"))
    assert (ended.state, ended.error, ended.outputs["exitCode"]) == (State.FAILED, "broken pipe", 3)
    assert world.said("ERROR")[-1] == "The command ended with exit code 3"
    assert "never" not in world.said("INFO")


def test_python_runs_on_the_workers_interpreter_and_its_exception_is_the_error(world: World) -> None:
    ended = world.run(job(f"{SCRIPTS}python.Script", script="import msgspec\nprint('ok')\nraise ValueError('no')"))
    assert (ended.state, ended.error) == (State.FAILED, "ValueError: no")
    assert world.said("INFO") == ["ok"]


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("shell.Script", {"script": 'greet() { echo "hi $1"; }\ngreet there\ngreet {{ inputs.who }} >&2\nexit 3'}),
        ("python.Commands", {"commands": ["python -c 'print(\"hi there\")'", "echo hi {{ inputs.who }} >&2; exit 3"]}),
    ],
)
def test_the_other_two_scripts_say_and_end_alike(world: World, kind: str, properties: dict[str, Any]) -> None:
    ended = world.run(job(SCRIPTS + kind, context={"inputs": {"who": "Ann"}}, **properties))
    assert (ended.state, ended.error, ended.outputs["exitCode"]) == (State.FAILED, "hi Ann", 3)
    assert world.said("INFO") == ["hi there"]


def test_before_commands_environment_and_files(world: World, tmp_path: Path) -> None:
    ended = world.run(
        job(
            f"{SCRIPTS}python.Script",
            beforeCommands=["export GREETING=hello"],
            env={"NAME": "{{ 'an' ~ 'n' }}"},
            inputFiles={"data/in.txt": "given"},
            outputFiles=["*.txt"],
            script="import os, pathlib\n"
            "print(os.environ['GREETING'], os.environ['NAME'], pathlib.Path('data/in.txt').read_text())\n"
            "pathlib.Path('out.txt').write_text('made')",
        )
    )
    assert ended.error is None
    assert world.said("INFO") == ["hello ann given"]
    uri = ended.outputs["outputFiles"]["out.txt"]
    assert uri.startswith(tmp_path.as_uri())
    assert Path(uri.removeprefix("file://")).read_text() == "made"


def test_a_stored_file_is_given_to_a_task_and_read_by_an_expression(world: World, tmp_path: Path) -> None:
    (tmp_path / "stored.txt").write_text("content")
    context = {"uri": f"{tmp_path.as_uri()}/stored.txt"}
    world.run(
        shell(
            "cat given.txt; echo",
            "echo {{ read(uri) }} {{ fileSize(uri) }}",
            inputFiles={"given.txt": "{{ uri }}"},
            context=context,
        )
    )
    assert world.said("INFO") == ["content", "content 7"]


def test_an_expression_reads_no_other_file(world: World, tmp_path: Path) -> None:
    ended = world.run(shell("echo {{ read(uri) }}", context={"uri": f"{tmp_path.as_uri()}/../../etc/hostname"}))
    assert ended.state is State.FAILED
    assert "is no file of this installation" in str(ended.error)


def test_a_file_outside_the_tasks_folder_is_refused(world: World) -> None:
    ended = world.run(shell("true", inputFiles={"../escaped": "x"}))
    assert ended.state is State.FAILED
    assert "outside the task's folder" in str(ended.error)


def test_a_task_does_not_see_the_settings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFLOOR_SECRET_KEY", "hush")
    world.run(shell("env"))
    assert not [line for line in world.said("INFO") if "hush" in line]


def test_a_missing_interpreter_is_named(world: World) -> None:
    ended = world.run(shell("x", interpreter=["/no/such/shell"]))
    assert ended.error == "cannot start '/no/such/shell': No such file or directory"


def test_lines_come_while_the_task_runs(world: World, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    thread = world.begin(shell("echo begun", f"while [ ! -e {gate} ]; do sleep 0.05; done", "echo done"))
    assert world.said("INFO") == ["begun"]
    gate.touch()
    thread.join(10)
    assert world.said("INFO") == ["begun", "done"]


def test_a_timeout_fails_the_attempt(world: World) -> None:
    ended = world.run(shell("sleep 30", timeout=0.2))
    assert (ended.state, ended.error) == (State.FAILED, "timed out after 0.2 s")
    assert processes_of("run:1") == []


def test_sleep_heeds_its_timeout(world: World) -> None:
    ended = world.run(job(f"{CORE}flow.Sleep", duration="PT1H", timeout=0.1))
    assert ended.error == "timed out after 0.1 s"


def test_a_kill_ends_the_whole_family_even_what_left_the_group(world: World) -> None:
    thread = world.begin(
        shell("trap '' TERM", "setsid sleep 60 &", "(trap '' TERM; sleep 61; sleep 61) &", "echo up", "sleep 62")
    )
    until(lambda: len(processes_of("run:1")) >= 4)
    world.bus.tell(Kill("execution", ("run:1",)))
    thread.join(10)
    assert not thread.is_alive()
    assert world.events[-1].state is State.KILLED  # type: ignore[union-attr]
    assert processes_of("run:1") == []


def test_a_process_that_heeds_sigterm_may_say_goodbye(world: World) -> None:
    thread = world.begin(shell("trap 'echo bye; exit 0' TERM", "echo up", "while true; do sleep 0.05; done"))
    world.bus.tell(Kill("execution", ("run:1",)))
    thread.join(10)
    assert "bye" in world.said("INFO")
    assert world.events[-1].state is State.KILLED  # type: ignore[union-attr]


def test_a_kill_of_another_task_run_is_not_ours(world: World) -> None:
    thread = world.begin(shell("echo up", "sleep 0.4"))
    world.bus.tell(Kill("execution", ("other:1",)))
    thread.join(10)
    assert world.events[-1].state is State.SUCCESS  # type: ignore[union-attr]


def test_a_kill_of_an_earlier_attempt_is_not_ours(world: World) -> None:
    world.bus.redis.sadd(keys.kill("execution"), "run:1")
    thread = world.begin(evolve(shell("echo up", "sleep 0.4"), attempt=2))
    world.bus.tell(Kill("execution", ("run:1",)))
    thread.join(10)
    assert world.events[-1].state is State.SUCCESS  # type: ignore[union-attr]


def test_an_attempt_killed_before_it_was_claimed_never_runs(world: World) -> None:
    world.bus.redis.sadd(keys.kill("execution"), "run:1")
    assert world.run(shell("echo never")).state is State.KILLED
    assert world.said("INFO") == []


def test_the_end_of_the_worker_gives_the_attempt_back(world: World) -> None:
    thread = world.begin(shell("echo up", "sleep 30"))
    control = world.runner.current
    assert control is not None
    control.stop(Stop.SHUTDOWN)
    thread.join(10)
    lost = world.events[-1]
    assert isinstance(lost, WorkerLost)
    assert (lost.attempt, lost.stopped) == (1, True)
    assert world.registry.running() == []


def test_a_duplicate_delivery_is_dropped_at_the_claim(world: World) -> None:
    world.run(job(f"{CORE}log.Log", message="once"))
    assert world.runner.run(job(f"{CORE}log.Log", message="once")) is False
    assert world.said("INFO") == ["once"]
    assert len(world.events) == 2


def test_nothing_is_left_in_the_list_of_running_attempts(world: World) -> None:
    thread = world.begin(shell("echo up", "sleep 0.2"))
    assert [entry.job.task_run_id for entry in world.registry.running()] == ["run"]
    thread.join(10)
    assert world.registry.running() == []


def test_background_children_end_with_their_task(world: World) -> None:
    ended = world.run(shell("sleep 60 &", "echo done"))
    assert ended.state is State.SUCCESS
    assert processes_of("run:1") == []
    assert world.said("WARN") == ["1 process(es) still ran in the background and were ended."]


def test_a_million_lines_are_capped_and_said(make_world: Callable[[Limits], World]) -> None:
    world = make_world(Limits(max_lines=1_000))
    ended = world.run(shell("seq 1 1000000"))
    assert ended.state is State.SUCCESS
    assert len(world.lines) == 1_002
    assert "capped at 1,000 lines" in world.said("WARN")[0]
    assert world.said("WARN")[1].startswith("999,000 more lines")


def test_a_line_of_fifty_megabytes_is_cut(make_world: Callable[[Limits], World]) -> None:
    world = make_world(Limits(max_line_bytes=100))
    world.run(shell("head -c 50000000 /dev/zero | tr '\\0' x"))
    assert world.said("INFO") == ["x" * 100 + " … [cut: 50,000,000 bytes, WATCHFLOOR_TASK_MAX_LINE_BYTES is 100]"]


def test_outputs_over_the_cap_fail_the_attempt_and_name_the_setting(make_world: Callable[[Limits], World]) -> None:
    world = make_world(Limits(max_output_bytes=2_000))
    script = "print('::{\"outputs\": {\"big\": \"' + 'x' * 50_000_000 + '\"}}::')"
    ended = world.run(job(f"{SCRIPTS}python.Script", script=script))
    assert ended.state is State.FAILED
    assert "WATCHFLOOR_TASK_MAX_OUTPUT_BYTES" in str(ended.error)
    assert ended.outputs == {}


def test_a_protocol_line_that_says_nothing_is_a_warning(world: World) -> None:
    ended = world.run(shell("echo '::{nonsense}::'"))
    assert ended.state is State.SUCCESS
    assert world.said("WARN")[0].startswith("A protocol line was not understood: expected JSON")
