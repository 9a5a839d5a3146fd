"""The form of a figure: one JSON line, percentiles over ``n`` samples or a single value."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from typing import Any

Result = dict[str, Any]


def percentiles(bench: str, case: str, samples: Sequence[float], unit: str = "ms") -> Result:
    """p50, p95 and p99 of ``samples``; raises ``ValueError`` when there are none."""
    if not samples:
        raise ValueError(f"{bench}, {case}: expected samples, got none")
    cuts = statistics.quantiles(samples, n=100, method="inclusive") if len(samples) > 1 else [samples[0]] * 99
    return {
        "bench": bench,
        "case": case,
        "n": len(samples),
        "p50": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "p99": round(cuts[98], 1),
        "unit": unit,
    }


def value(bench: str, case: str, number: float, unit: str, n: int = 1) -> Result:
    """A single figure."""
    return {"bench": bench, "case": case, "n": n, "value": round(number, 3), "unit": unit}


def write(result: Result) -> None:
    """Print a figure as its JSON line."""
    print(json.dumps(result), flush=True)
