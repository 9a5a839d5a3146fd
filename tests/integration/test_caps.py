"""What is too large, from the setting in the environment to what a person reads: capped, and the setting is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def run(folder: Path, task: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """``watchfloor run`` of a flow of one task, in a private engine with these settings."""
    path = folder / "big.yaml"
    path.write_text(HEAD + task)
    env = os.environ | {"COLUMNS": "200"} | {f"WATCHFLOOR_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "watchfloor.cli", "run", str(path), "--alone"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, check=False)


def test_a_million_lines(tmp_path: Path) -> None:
    done = run(tmp_path, LINES, task_max_log_lines="30")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if "task  " in line]
    assert lines[29].endswith("task  30")
    assert lines[30].endswith(
        "The log is capped at 30 lines (setting task_max_log_lines): further lines are counted, not kept."
    )
    assert lines[31].endswith("999,970 more lines were not kept (task_max_log_lines).")
    assert len(lines) == 32


def test_a_line_of_50_mb(tmp_path: Path) -> None:
    done = run(tmp_path, LONG, task_max_line_bytes="100")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "x" * 100 + " … [cut: 50,000,000 bytes, setting task_max_line_bytes is 100]" in done.stdout
    assert len(done.stdout) < 5_000


@pytest.mark.parametrize(
    ("task", "setting"),
    [(SAID, "task_max_output_bytes"), (RETURNED, "task_max_output_bytes"), (EACH, "foreach_max_values")],
)
def test_too_much_fails_the_task_and_names_the_setting(tmp_path: Path, task: str, setting: str) -> None:
    done = run(tmp_path, task, task_max_output_bytes="2000", foreach_max_values="10")
    assert done.returncode == 1, done.stdout + done.stderr
    assert setting in done.stdout.lower()
    assert len(done.stdout) < 5_000
