"""The tasks that need no process and no network: Log, Return, Fail, Assert, Labels, Sleep, OutputValues, Publish."""

from __future__ import annotations

import json
from typing import Any

from engine.durations import parse_duration
from engine.expressions.values import as_text
from engine.model import SYSTEM_PREFIX
from engine.truth import truth
from engine.worker import protocol
from engine.worker.tasks.base import Result, Running, TaskFailed
from streaming.messages import LEVELS, Metric

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
    if condition is not None and not truth(condition):
        return Result()
    raise TaskFailed(text_of(running.properties.get("errorMessage") or "Task failure"))


def check(running: Running) -> Result:
    """``execution.Assert``: fails when one of ``conditions`` is false, and says which."""
    found = running.properties.get("conditions") or []
    found = found if isinstance(found, list) else [found]
    written = running.job.task.get("conditions")
    written = written if isinstance(written, list) else [written]
    if len(written) != len(found):  # the list itself was an expression
        written = found
    false = [text_of(text) for text, value in zip(written, found, strict=True) if not truth(value)]
    for text in false:
        running.lines.add("ERROR", f"False: {text}")
    counts = {"success": len(found) - len(false), "failed": len(false)}
    metrics = tuple(Metric(name, "counter", float(count)) for name, count in counts.items())
    if not false:
        return Result(metrics=metrics)
    said = running.properties.get("errorMessage")
    raise TaskFailed(text_of(said) if said else f"{len(false)} of {len(found)} conditions are false", metrics=metrics)


def labels(running: Running) -> Result:
    """``execution.Labels``: sets labels on its execution."""
    given = running.properties.get("labels")
    given = _json(given, "labels") if isinstance(given, str) else given
    if isinstance(given, list) and all(isinstance(one, dict) and {"key", "value"} <= one.keys() for one in given):
        given = {text_of(one["key"]): one["value"] for one in given}
    if not isinstance(given, dict):
        raise TaskFailed(f"labels: expected a map, or a list of key and value, got {type(given).__name__}")
    for key, value in given.items():
        if not key or value is None or text_of(value) == "":
            raise TaskFailed(f"labels: expected a key and a value, got {key!r}: {text_of(value)!r}")
        if key.startswith(SYSTEM_PREFIX):
            raise TaskFailed(f"labels: {key!r} is refused: labels with {SYSTEM_PREFIX!r} are set by Watchfloor alone")
    return Result(labels={key: text_of(value) for key, value in given.items()})


def publish(running: Running) -> Result:
    """``metric.Publish``: figures of the execution."""
    given = running.properties.get("metrics") or []
    given = _json(given, "metrics") if isinstance(given, str) else given
    if not isinstance(given, list):
        raise TaskFailed(f"metrics: expected a list, got {type(given).__name__}")
    if len(given) > running.limits.max_metrics:
        most = f"{running.limits.max_metrics:,} (WATCHFLOOR_TASK_MAX_METRICS)"
        raise TaskFailed(f"metrics: one attempt may give {most}, these are {len(given):,}")
    try:
        return Result(metrics=tuple(protocol.metric_of(one) for one in given))
    except protocol.ProtocolError as error:
        raise TaskFailed(f"metrics: {error}") from error


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise TaskFailed(f"{name}: expected JSON, got {text[:80]!r}: {error}") from error


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
