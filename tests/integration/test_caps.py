"""What is too large, from the setting in the environment to what a person reads: capped, and the setting is named."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from watchfloor.product import running

Run = Callable[[str], subprocess.CompletedProcess[str]]

HEAD = """
id: big
namespace: company.team
tasks:
  - id: task
"""
LINES = "    type: io.kestra.plugin.scripts.shell.Commands\n    commands: [seq 1000000]\n"
LONG = (
    "    type: io.kestra.plugin.scripts.shell.Commands\n    commands: ['head -c 50000000 /dev/zero | tr \"\\\\0\" x']\n"
)
SAID = """    type: io.kestra.plugin.scripts.python.Script
    script: |
      print('::{"outputs": {"big": "' + "x" * 50_000_000 + '"}}::')
"""
RETURNED = """    type: io.kestra.plugin.core.debug.Return
    format: "{{ 'x' * 3000 }}"
"""
EACH = """    type: io.kestra.plugin.core.flow.ForEach
    values: "{{ range(0, 50) }}"
    tasks: [{id: one, type: io.kestra.plugin.core.log.Log, message: one}]
"""


CAPS = {
    "WATCHFLOOR_TASK_MAX_LOG_LINES": "30",
    "WATCHFLOOR_TASK_MAX_LINE_BYTES": "100",
    "WATCHFLOOR_TASK_MAX_OUTPUT_BYTES": "2000",
    "WATCHFLOOR_FOREACH_MAX_VALUES": "10",
}


@pytest.fixture(scope="module")
def environment(module_database_url: str) -> Iterator[dict[str, str]]:
    """Settings of a running product."""
    with tempfile.TemporaryDirectory(prefix="wf-") as name:
        env = CAPS | {"WATCHFLOOR_DATABASE_URL": module_database_url}
        with running(Path(name) / "data", Path(name) / "flows", **env):
            yield env | {"WATCHFLOOR_DATA_DIR": f"{name}/data"}


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """``watchfloor run`` of a flow of one task."""

    def run(task: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "big.yaml"
        path.write_text(HEAD + task)
        env = os.environ | environment | {"COLUMNS": "200"}
        command = [sys.executable, "-m", "watchfloor.cli", "run", str(path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, check=False)

    return run


def test_a_million_lines(run: Run) -> None:
    done = run(LINES)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if "task  " in line]
    assert lines[29].endswith("task  30")
    assert lines[30].endswith(
        "The log is capped at 30 lines (WATCHFLOOR_TASK_MAX_LOG_LINES): further lines are counted, not kept."
    )
    assert lines[31].endswith("999,970 more lines were not kept (WATCHFLOOR_TASK_MAX_LOG_LINES).")
    assert len(lines) == 32


def test_a_line_of_50_mb(run: Run) -> None:
    done = run(LONG)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "x" * 100 + " … [cut: 50,000,000 bytes, WATCHFLOOR_TASK_MAX_LINE_BYTES is 100]" in done.stdout
    assert len(done.stdout) < 5_000


@pytest.mark.parametrize(
    ("task", "setting"),
    [(SAID, "TASK_MAX_OUTPUT_BYTES"), (RETURNED, "TASK_MAX_OUTPUT_BYTES"), (EACH, "FOREACH_MAX_VALUES")],
)
def test_too_much_fails_the_task_and_names_the_setting(run: Run, task: str, setting: str) -> None:
    done = run(task)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"(WATCHFLOOR_{setting})" in done.stdout
    assert len(done.stdout) < 5_000
