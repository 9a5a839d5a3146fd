"""The command line: its help, its refusals, its checks."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.states import EXECUTION_STATES, TERMINAL, State
from watchfloor.cli import app
from watchfloor.doctor import (
    CHECKS,
    check_data_dir,
    check_flows,
    check_port,
    check_socket_path,
    findings_of,
)
from watchfloor.findings import Finding, Verdict
from watchfloor.product import free_port
from watchfloor.run import EXIT_CODES
from watchfloor.settings import Settings
from watchfloor.up import (
    PROCFILE,
    VALKEY,
    Note,
    Running,
    UpError,
    add_valkey,
    environment,
    make_supervisor,
    only_one,
    public_url,
    read_state,
    with_port,
)
from watchfloor.urls import without_password

COMMANDS = ("up", "web", "executor", "logs", "worker", "run", "load", "seed", "prune", "doctor")


def test_help_names_every_command_and_imports_little() -> None:
    heavy = ("dash", "sqlalchemy", "celery", "redis", "pydantic", "polars")
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom watchfloor.cli import app\n"
        "print(CliRunner().invoke(app, ['--help']).output)\n"
        f"print('heavy:', [name for name in {heavy!r} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "heavy: []" in said
    for command in COMMANDS:
        assert f" {command} " in said


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFLOOR_WORKER_PROCESSES", "none")
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 2
    assert "WATCHFLOOR_WORKER_PROCESSES" in result.output
    assert "'none'" in result.output


def test_an_input_without_a_value_is_refused(tmp_path: Path) -> None:
    flow = tmp_path / "flow.yaml"
    flow.write_text("id: x")
    result = CliRunner().invoke(app, ["run", str(flow), "--input", "x"])
    assert result.exit_code == 2
    assert "expected NAME=VALUE" in result.output


def test_a_broken_flow_file_is_refused_with_its_lines(tmp_path: Path) -> None:
    flow = tmp_path / "flow.yaml"
    flow.write_text("id: x\nnamespace: a\ntasks:\n  - id: t\n    type: no.such.Type\n")
    result = CliRunner().invoke(app, ["run", str(flow)])
    assert result.exit_code == 2
    assert f"{flow}:5:" in result.output.replace("\n", "")
    assert "no.such.Type" in result.output


def test_load_without_a_server_says_what_to_do(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["load", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "watchfloor up" in result.output


def test_a_taken_port_is_refused_and_zero_takes_a_free_one() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UpError, match=f"127.0.0.1:{port} can't be listened on"):
            with_port(Settings(port=port))
    assert with_port(Settings(port=0)).port > 0


def test_one_data_folder_serves_one_product(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(UpError, match="Another `watchfloor up` runs"), only_one(tmp_path):
        pass
    with only_one(tmp_path):
        pass


def test_the_procfile_names_the_processes(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    supervisor = make_supervisor(settings, Running(1, ""))
    assert supervisor.names == ["web", "executor", "logs", "worker"]
    add_valkey(settings, supervisor)
    assert supervisor.names[-1] == VALKEY
    assert len(PROCFILE.read_text().splitlines()) == 4
    supervisor.events.close()


def test_a_named_server_replaces_the_embedded_one(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, redis_url="redis://example:6379/0")
    supervisor = make_supervisor(settings, Running(1, ""))
    assert environment(settings)["WATCHFLOOR_REDIS_URL"] == "redis://example:6379/0"
    supervisor.events.close()


def test_addresses() -> None:
    assert public_url(Settings(host="0.0.0.0", port=1234)) == "http://127.0.0.1:1234"
    assert public_url(Settings(public_url="https://wf.example/")) == "https://wf.example"
    assert without_password("redis://user:secret@host:1/0") == "redis://…@host:1/0"
    assert without_password("unix:///tmp/v.sock") == "unix:///tmp/v.sock"


def test_a_broken_state_file_is_none(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    (tmp_path / "up.json").write_text("{")
    assert read_state(tmp_path) is None


def test_doctor_finds_a_broken_flow_file(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("id: x\nnamespace: a\ntasks: 5\n")
    finding = check_flows(Settings(flows_dir=tmp_path))
    assert finding.verdict is Verdict.BAD
    assert "bad.yaml:3:" in finding.what


def test_doctor_finds_a_socket_path_that_is_too_long(tmp_path: Path) -> None:
    finding = check_socket_path(Settings(data_dir=tmp_path / ("x" * 100), redis_url=None))
    assert finding.verdict is Verdict.BAD
    assert "shorter" in finding.mend


def test_doctor_finds_a_taken_port() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert check_port(Settings(port=taken.getsockname()[1])).verdict is Verdict.BAD
    assert check_port(Settings(port=free_port())).verdict is Verdict.OK


def test_doctor_finds_a_data_folder_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert check_data_dir(Settings(data_dir=tmp_path)).verdict is Verdict.BAD


def test_doctor_survives_a_check_that_fails() -> None:
    def broken(_: Settings) -> Finding:
        raise RuntimeError("oops")

    finding = findings_of(broken, Settings())
    assert finding.verdict is Verdict.BAD
    assert "RuntimeError: oops" in finding.what


def test_doctor_says_that_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFLOOR_PORT", str(free_port()))
    result = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)])
    for name in CHECKS:
        assert name in result.output
    assert result.exit_code == 0, result.output


def test_doctor_fails_when_the_named_server_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFLOOR_REDIS_URL", f"redis://:secret@127.0.0.1:{free_port()}/0")
    result = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "secret" not in result.output
    assert "WATCHFLOOR_REDIS_URL" in result.output


def test_run_has_an_exit_code_for_each_end_of_an_execution() -> None:
    ends = TERMINAL & set(EXECUTION_STATES)
    assert set(EXIT_CODES) == ends - {State.RETRIED}  # the execution that takes its place is followed


def test_what_runs_is_written_down_once_a_full_disk_has_room(tmp_path: Path) -> None:
    folder = tmp_path / "data"  # no such folder: nothing can be written, as on a full disk
    note = Note(folder, Running(1, "http://127.0.0.1:1", {"web": 2}), again=0.01)
    note.started("worker", 3)
    assert read_state(folder) is None
    folder.mkdir()
    deadline = time.monotonic() + 10
    while (state := read_state(folder)) is None:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    assert state.processes == {"web": 2, "worker": 3}
