"""The tasks that need no process: Log, Return, Fail, Sleep, OutputValues."""

from __future__ import annotations

import json
from typing import Any

from engine.durations import parse_duration
from engine.expressions.values import as_text
from engine.worker.tasks.base import Result, Running, TaskFailed
from streaming.messages import LEVELS

FALSE = ("", "false", "0", "-0", "null")
_LEVEL_NAMES = {"WARNING": "WARN"}


def log(running: Running) -> Result:
    """``log.Log``: one line per message."""
    messages = running.properties.get("message", "")
    level = str(running.properties.get("level") or "INFO").upper()
    level = _LEVEL_NAMES.get(level, level)
    if level not in LEVELS:
        raise TaskFailed(f"level: expected one of {', '.join(LEVELS)}, got {level!r}")
    for message in messages if isinstance(messages, list) else [messages]:
        running.lines.add(level, text_of(message))
    return Result()


def return_value(running: Running) -> Result:
    """``debug.Return``: its output ``value`` is the rendered ``format``."""
    value = running.properties.get("format")
    return Result({"value": value if value is None else text_of(value)})


def fail(running: Running) -> Result:
    """``execution.Fail``: fails, with a ``condition`` only when that holds."""
    condition = running.properties.get("condition")
    if condition is not None and text_of(condition).strip().lower() in FALSE:
        return Result()
    raise TaskFailed(text_of(running.properties.get("errorMessage") or "Task failure"))


def sleep(running: Running) -> Result:
    """``flow.Sleep``: waits for ``duration``."""
    running.control.wait(parse_duration(running.properties.get("duration", "PT0S")))
    return Result()


def output_values(running: Running) -> Result:
    """``output.OutputValues``: its output ``values`` are the rendered ones."""
    values = running.properties.get("values") or {}
    if not isinstance(values, dict):
        raise TaskFailed(f"values: expected a map of names and values, got {type(values).__name__}")
    return Result({"values": values})


def text_of(value: Any) -> str:
    """A rendered value as text, as an expression inside a longer text would show it."""
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return as_text(value)
