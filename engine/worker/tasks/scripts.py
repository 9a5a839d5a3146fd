"""shell.Commands, shell.Script, python.Commands, python.Script: a process on the worker."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.truth import truth
from engine.worker import protocol
from engine.worker.limits import Limits
from engine.worker.lines import Lines, LineSplitter
from engine.worker.processes import TaskProcess, describe_exit, mark_of
from engine.worker.tasks import files
from engine.worker.tasks.base import Result, Running, TaskFailed
from engine.worker.tasks.core import text_of
from engine.worker.tasks.folders import folder_of
from streaming.messages import Metric

_HIDDEN_ENV = "WATCHFLOOR_"  # settings hold secrets; a task does not see the worker's
_PROTOCOL_EXTRA = 1_024


def shell(running: Running) -> Result:
    """Commands or a script for ``/bin/sh`` (or ``interpreter``), which stops at the first that fails."""
    properties = running.properties
    text = properties["script"] if "script" in properties else "\n".join(_texts(properties, "commands"))
    fail_fast = truth(properties.get("failFast", True))
    interpreter = _texts(properties, "interpreter") or ["/bin/sh"]
    lines = [*_texts(properties, "beforeCommands"), text_of(text)]
    if fail_fast and Path(interpreter[0]).name in ("sh", "bash", "dash", "zsh", "ksh", "ash"):
        lines.insert(0, "set -e")
    return _run(running, "script.sh", "\n".join(lines) + "\n", interpreter)


def python(running: Running) -> Result:
    """A Python script, for this worker's own interpreter unless ``interpreter`` says otherwise."""
    properties = running.properties
    before = _texts(properties, "beforeCommands")
    interpreter = _texts(properties, "interpreter") or [sys.executable]
    script = text_of(properties.get("script", ""))
    if not before:
        return _run(running, "script.py", script, interpreter)
    command = " ".join(shlex.quote(word) for word in [*interpreter, "script.py"])
    return _run(
        running, "before.sh", "\n".join(["set -e", *before, f"exec {command}"]), ["/bin/sh"], {"script.py": script}
    )


def _run(running: Running, name: str, text: str, interpreter: list[str], more: dict[str, str] | None = None) -> Result:
    with folder_of(running) as home, _scripts(home, {name: text, **(more or {})}):
        files.put_inputs(home, running.properties.get("inputFiles"), running.files_url)
        argv = [*interpreter, text] if interpreter[-1] == "-c" else [*interpreter, name]
        capture = Capture(running.lines, running.limits)
        code = _follow(running, argv, home, capture)
        outputs = {"exitCode": code, "vars": capture.outputs}
        if code != 0 and running.control.reason is None:
            _fail(running, code, outputs, capture)
        _check_size(capture, running.limits)
        patterns = running.properties.get("outputFiles")
        if patterns and running.control.reason is None:
            outputs["outputFiles"] = files.keep_outputs(home, patterns, running)
        return Result(outputs, tuple(capture.metrics))


@contextmanager
def _scripts(home: Path, texts: dict[str, str]) -> Iterator[None]:
    """The scripts of a task stand in its folder while it runs; a file of the same name is back afterwards."""
    before = {name: (home / name).read_bytes() for name in texts if (home / name).is_file()}
    for name, text in texts.items():
        (home / name).write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        for name in texts:
            (home / name).unlink(missing_ok=True)
        for name, content in before.items():
            (home / name).write_bytes(content)


def _follow(running: Running, argv: list[str], home: Path, capture: Capture) -> int:
    limits = running.limits
    try:
        process = TaskProcess(argv, cwd=home, env=_environment(running.properties), mark=mark_of(running.job))
    except OSError as error:
        raise TaskFailed(f"cannot start {argv[0]!r}: {error.strerror or error}") from error
    code = process.follow(
        capture.line,
        running.control,
        splitter=lambda: LineSplitter(limits.max_line_bytes, limits.max_output_bytes + _PROTOCOL_EXTRA),
        idle=running.lines.flush_due,
        may_read=running.may_read,
        grace=limits.kill_grace,
    )
    if process.left_behind and running.control.reason is None:
        running.lines.note("WARN", f"{process.left_behind} process(es) still ran in the background and were ended.")
    if process.unkillable:
        running.lines.note("ERROR", f"{process.unkillable} process(es) could not be ended, not even by SIGKILL.")
    return code


def _fail(running: Running, code: int, outputs: dict[str, Any], capture: Capture) -> None:
    said = describe_exit(code, None)
    error = running.lines.first_error.line or said
    running.lines.note("ERROR", said[0].upper() + said[1:])
    if capture.output_bytes > running.limits.max_output_bytes:
        outputs = {"exitCode": code}
    raise TaskFailed(error, outputs, tuple(capture.metrics))


def _check_size(capture: Capture, limits: Limits) -> None:
    if capture.output_bytes > limits.max_output_bytes:
        raise TaskFailed(
            f"the outputs have {capture.output_bytes:,} bytes, {limits.max_output_bytes:,} are allowed "
            "(WATCHFLOOR_TASK_MAX_OUTPUT_BYTES); write large data to a file and name it in outputFiles."
        )


class Capture:
    """What a process says: log lines, and outputs and metrics in protocol lines."""

    def __init__(self, lines: Lines, limits: Limits) -> None:
        self.outputs: dict[str, Any] = {}
        self.metrics: list[Metric] = []
        self.output_bytes = 0
        self._lines = lines
        self._limits = limits
        self._metrics_over = False

    def line(self, stream: str, kept: bytes, length: int) -> None:
        """One line of stdout (INFO or protocol) or stderr (ERROR)."""
        text = kept.decode("utf-8", "replace").rstrip("\r")
        if "\r" in text:  # a progress bar: what is on the screen at its end
            text = text.rsplit("\r", 1)[1]
        if stream == "stdout" and text.startswith("::{"):
            if length > len(kept):
                self.output_bytes += length
                return
            if (body := protocol.body_of(text)) is not None:
                self._said(body)
                return
        self._lines.add("ERROR" if stream == "stderr" else "INFO", text, length if length > len(kept) else None)

    def _said(self, body: str) -> None:
        try:
            outputs, metrics = protocol.parse(body)
        except protocol.ProtocolError as error:
            self._lines.add("WARN", f"A protocol line was not understood: {error}")
            return
        if outputs:
            self.output_bytes += len(json.dumps(outputs, ensure_ascii=False).encode())
        if self.output_bytes <= self._limits.max_output_bytes:
            self.outputs.update(outputs)
        self._measure(metrics)

    def _measure(self, metrics: list[Metric]) -> None:
        room = self._limits.max_metrics - len(self.metrics)
        self.metrics += metrics[:room]
        if len(metrics) > room and not self._metrics_over:
            self._metrics_over = True
            most = f"{self._limits.max_metrics:,} metrics (WATCHFLOOR_TASK_MAX_METRICS)"
            self._lines.note("WARN", f"One attempt may give {most}; more are not kept.")


def _environment(properties: dict[str, Any]) -> dict[str, str]:
    """The worker's environment without its settings, this interpreter's folder first on PATH, and the task's own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN_ENV)}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    env["PYTHONUNBUFFERED"] = "1"
    given = properties.get("env") or {}
    if not isinstance(given, dict):
        raise TaskFailed(f"env: expected a map of names and values, got {type(given).__name__}")
    return env | {str(name): text_of(value) for name, value in given.items()}


def _texts(properties: dict[str, Any], name: str) -> list[str]:
    value = properties.get(name)
    if value is None:
        return []
    return [text_of(item) for item in value] if isinstance(value, list) else [text_of(value)]
