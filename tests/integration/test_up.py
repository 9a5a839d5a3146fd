"""The product as a user starts it, and ``watchfloor run`` with and without it."""

from __future__ import annotations

import http.cookiejar
import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from data import Store
from engine.states import State
from tests.waiting import until
from watchfloor.product import Product, running
from watchfloor.up import read_state, web_answers

FLOW = """
id: {id}
namespace: tests.up
inputs:
  - id: code
    type: INT
    defaults: 0
tasks:
  - id: first
    type: io.kestra.plugin.core.log.Log
    message: "code {{{{ inputs.code }}}}"
  - id: work
    type: io.kestra.plugin.scripts.shell.Commands
    commands:
      - echo begun
      - {command}
      - exit {{{{ inputs.code }}}}
"""
PAUSED = """
id: paused
namespace: tests.up
tasks:
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
  - id: after
    type: io.kestra.plugin.core.log.Log
    message: went on
"""
RENEWED = """
id: renewed
namespace: tests.up
tasks:
  - id: work
    type: io.kestra.plugin.scripts.shell.Commands
    commands:
      - test -e {marker} && echo second try && exit 0
      - touch {marker}
      - echo first try
      - exit 3
retry: {{type: constant, interval: PT0.2S, maxAttempts: 2, behavior: CREATE_NEW_EXECUTION}}
"""


def write(folder: Path, id: str, command: str = "true") -> Path:
    path = folder / f"{id}.yaml"
    path.write_text(FLOW.format(id=id, command=command))
    return path


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "watchfloor.cli", "run", str(path), *options]
    env = os.environ | {"COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, check=False)


def alive(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wf-") as folder:
        (Path(folder) / "flows").mkdir()
        yield Path(folder)


@pytest.fixture(scope="module")
def product(home: Path) -> Iterator[Product]:
    write(home / "flows", "known")
    with running(home / "data", home / "flows") as product:
        yield product


def test_the_link_signs_in_once(product: Product) -> None:
    def open_it() -> str:
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())]
        with urllib.request.build_opener(*handlers).open(product.login_url, timeout=30) as answer:
            return str(answer.geturl())

    assert "/login" not in open_it()
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        open_it()
    refused.value.close()


def test_it_says_what_it_is_doing(product: Product) -> None:
    said = "".join(product.output)
    for words in ("Starting the embedded Valkey", "Preparing the database", "password", "Watchfloor answers after"):
        assert words in said


def test_run_executes_in_the_product(product: Product, home: Path) -> None:
    done = run(write(home, "here"), "--data-dir", str(product.settings.data_dir), "-i", "code=0", "-l", "who=test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in the product at" in done.stdout
    assert "code 0" in done.stdout
    assert "begun" in done.stdout
    execution_id = next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("Execution "))
    store = Store(product.settings.resolved_database_url)
    row = store.row(execution_id)
    store.close()
    assert row is not None
    assert (row.state, row.labels) == (State.SUCCESS, {"who": "test"})


def test_run_says_which_input_is_wrong(product: Product, home: Path) -> None:
    done = run(write(home, "here"), "--data-dir", str(product.settings.data_dir), "-i", "code=many")
    assert done.returncode == 2
    assert "--input code:" in done.stdout


@pytest.mark.parametrize("name", ["executor", "worker", "logs", "valkey", "web"])
def test_a_process_that_dies_is_started_again(product: Product, home: Path, name: str) -> None:
    def pid() -> int:
        state = read_state(product.settings.data_dir)
        assert state is not None
        return state.processes[name]

    before = pid()
    os.kill(before, signal.SIGKILL)
    until(lambda: pid() != before)
    done = run(write(home, "here"), "--data-dir", str(product.settings.data_dir))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in the product at" in done.stdout
    assert any(f"{name} " in line and "starts again" in line for line in product.output)


def test_doctor_finds_it_well(product: Product, home: Path) -> None:
    until(lambda: web_answers(product.settings))
    command = [sys.executable, "-m", "watchfloor.cli", "doctor", "--data-dir", str(product.settings.data_dir)]
    command += ["--flows", str(home / "flows")]
    env = os.environ | {"WATCHFLOOR_PORT": str(product.settings.port), "COLUMNS": "200"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stdout
    assert "alive: " in done.stdout
    assert "Watchfloor answers" in done.stdout


def test_it_ends_in_order_and_leaves_nothing(home: Path) -> None:
    (home / "none").mkdir()
    with running(home / "data2", home / "none") as product:
        state = read_state(product.settings.data_dir)
        assert state is not None
        pids = [child.pid for child in psutil.Process(state.pid).children(recursive=True)]
        assert len(pids) >= 8
        product.process.send_signal(signal.SIGINT)
        assert product.process.wait(30) == 0
        assert alive(pids) == []
        assert read_state(product.settings.data_dir) is None
    assert "All processes have ended." in "".join(product.output)


def test_a_killed_up_leaves_nothing_behind(home: Path) -> None:
    (home / "none").mkdir(exist_ok=True)
    with running(home / "data3", home / "none") as product:
        pids = [child.pid for child in psutil.Process(product.process.pid).children(recursive=True)]
        product.process.kill()
        product.process.wait()
        until(lambda: alive(pids) == [])


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (3, 1)])
def test_run_alone_gives_the_exit_code_of_the_final_state(home: Path, code: int, expected: int) -> None:
    done = run(write(home, "alone"), "--alone", "-i", f"code={code}")
    assert done.returncode == expected, done.stdout + done.stderr
    assert "private engine" in done.stdout
    assert "begun" in done.stdout
    assert ("SUCCESS" if expected == 0 else "FAILED") in done.stdout.splitlines()[-1]


def test_run_alone_goes_on_where_it_pauses(home: Path) -> None:
    path = home / "paused.yaml"
    path.write_text(PAUSED)
    done = run(path, "--alone", "--resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PAUSED" in done.stdout
    assert "went on" in done.stdout


def test_run_follows_the_execution_that_a_retry_makes(home: Path) -> None:
    path = home / "renewed.yaml"
    path.write_text(RENEWED.format(marker=home / "tried"))
    done = run(path, "--alone")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    ids = [line.split()[1] for line in lines if line.startswith("Execution ")]
    assert len(set(ids)) == 2
    words = [line for line in lines if any(word in line for word in ("first try", "RETRIED", "second try", "SUCCESS"))]
    assert ["first try" in line for line in words].index(True) < ["second try" in line for line in words].index(True)
    assert "SUCCESS" in lines[-1]


def test_ctrl_c_kills_what_run_runs(home: Path) -> None:
    path = write(home, "long", command="sleep 60")
    command = [sys.executable, "-u", "-m", "watchfloor.cli", "run", str(path), "--alone"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "begun" in line:
                process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130, "".join(said)
    assert "KILLED" in said[-1]
