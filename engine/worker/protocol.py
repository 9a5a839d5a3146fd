"""What a script says to the worker on stdout: ``::{"outputs": {…}, "metrics": […]}::``."""

from __future__ import annotations

import json
import re
from typing import Any

from engine.durations import parse_duration
from streaming.messages import Metric

_LINE = re.compile(r"^::(\{.*\})::$", re.DOTALL)


class ProtocolError(ValueError):
    """A protocol line that says nothing usable; the message says what was expected."""


def body_of(line: str) -> str | None:
    """The JSON text inside a protocol line, ``None`` for any other line."""
    match = _LINE.match(line.strip())
    return match.group(1) if match else None


def parse(body: str) -> tuple[dict[str, Any], list[Metric]]:
    """(outputs, metrics) of a protocol line's body."""
    try:
        said = json.loads(body)
    except ValueError as error:
        raise ProtocolError(f"expected JSON between the colons, got {error}") from error
    outputs = said.get("outputs") or {}
    metrics = said.get("metrics") or []
    if not isinstance(outputs, dict):
        raise ProtocolError(f"expected an object in outputs, got {type(outputs).__name__}")
    if not isinstance(metrics, list):
        raise ProtocolError(f"expected a list in metrics, got {type(metrics).__name__}")
    return outputs, [metric_of(item) for item in metrics]


def metric_of(item: Any) -> Metric:
    """The metric that a mapping with name, type, value and tags says."""
    try:
        kind = item.get("type", "counter")
        value = item["value"]
        if kind == "timer" and isinstance(value, str):
            value = parse_duration(value)
        if kind not in ("counter", "timer"):
            raise ProtocolError(f"expected a metric of type counter or timer, got {kind!r}")
        tags = {str(key): str(tag) for key, tag in (item.get("tags") or {}).items()}
        return Metric(name=str(item["name"]), type=kind, value=float(value), tags=tags)
    except ProtocolError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"expected a metric with name, type and a number as value, got {item!r}") from error
