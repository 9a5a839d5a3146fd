"""SIGTERM and Ctrl-C: nothing new starts, what runs has its time, and what is cut off goes on at the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data import Store
from engine.model import Execution
from engine.states import State
from streaming.bus import Bus
from streaming.messages import ExecutionCreated
from tests.waiting import until
from watchfloor.product import running
from watchfloor.valkey import valkey_server

FLOW = """
id: long
namespace: tests.shutdown
tasks:
  - id: work
    type: io.kestra.plugin.scripts.shell.Commands
    commands: ["echo up", "until [ -e {gate} ]; do sleep 0.05; done", "echo done"]
  - id: after
    type: io.kestra.plugin.core.log.Log
    message: went on
"""
SECONDS = 30


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wf-") as name:
        (Path(name) / "flows").mkdir()
        yield Path(name)


def execution_of(store: Store) -> Execution:
    return store.load_many(["e1"])["e1"]


def attempts(store: Store) -> list[State]:
    return [a.state for run in execution_of(store).task_runs.values() if run.task_id == "work" for a in run.attempts]


def test_ctrl_c_gives_a_task_its_time_and_the_next_start_goes_on(folder: Path, store: Store, database_url: str) -> None:
    (folder / "flows" / "long.yaml").write_text(FLOW.format(gate=folder / "gate"))
    env = {"WATCHFLOOR_DATABASE_URL": database_url, "WATCHFLOOR_STOP_GRACE": "0.3", "WATCHFLOOR_KILL_GRACE": "1"}
    with running(folder / "data", folder / "flows", **env) as product:
        bus = Bus(product.settings.resolved_redis_url)
        until(lambda: store.flow("tests.shutdown", "long"))
        bus.append(ExecutionCreated("c", "e1", datetime.now(UTC), "tests.shutdown", "long", 1))
        until(lambda: store.load_many(["e1"]) and attempts(store) == [State.RUNNING])
        product.process.send_signal(signal.SIGINT)
        assert product.process.wait(SECONDS) == 0
        bus.close()
    (folder / "gate").touch()
    with running(folder / "data", folder / "flows", **env):
        until(lambda: execution_of(store).state is State.SUCCESS)
        assert attempts(store) == [State.RESUBMITTED, State.SUCCESS]


@pytest.mark.parametrize("name", ["executor", "logs", "worker", "web"])
def test_a_process_told_to_stop_ends_well(folder: Path, database_url: str, name: str) -> None:
    with valkey_server(folder / "data") as url:
        env = os.environ | {
            "WATCHFLOOR_DATA_DIR": str(folder / "data"),
            "WATCHFLOOR_DATABASE_URL": database_url,
            "WATCHFLOOR_FLOWS_DIR": str(folder / "flows"),
            "WATCHFLOOR_REDIS_URL": url,
            "WATCHFLOOR_PORT": "0",
        }
        command = [sys.executable, "-m", "watchfloor.cli", name]
        with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            ready = {
                "executor": "executor.started",
                "worker": "worker.started",
                "web": "web.listens",
                "logs": "logs.started",
            }
            said = []
            for line in process.stderr:
                said.append(line)
                if ready[name] in line:
                    process.send_signal(signal.SIGTERM)
                    break
            said += process.stderr.readlines()
            assert process.wait(SECONDS) == 0, "".join(said)
            assert not any("Traceback" in line for line in said), "".join(said)
