"""What the reducer is given besides values, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

import msgspec

from engine.effects import Effect
from engine.model import Execution
from streaming.messages import Answer, Metric, Removable

Evaluate = Callable[[str, Mapping[str, Any], datetime, Callable[[], Random]], Any]


class Env(msgspec.Struct, frozen=True):
    """The evaluator of expressions, and limits. Times in seconds.

    ``evaluate(template, context, now, chance)`` must give the same for the same arguments: ``now`` is the event's
    moment, ``chance()`` the numbers that follow from it.

    ``references(value)`` says which names the templates in ``value`` use; ``None``: ``engine.expressions`` does.
    ``secrets`` are texts that nothing shows (``forms_of`` gave them).
    """

    evaluate: Evaluate
    references: Callable[[Any], Any] | None = None
    kill_grace: float = 10.0
    foreach_max_values: int = 10_000
    max_task_runs: int = 100_000
    subflow_max_depth: int = 20
    subflow_max_executions: int = 20_000
    loop_max_iterations: int = 1_000
    loop_max_duration: float = 604_800.0
    max_labels: int = 100
    secrets: tuple[str, ...] = ()
    max_resubmits: int = 1
    max_attempts: int = 1_000


class Applied(msgspec.Struct, frozen=True):
    """What one event changed. An ignored one gives the same execution object and nothing else.

    ``execution`` is ``None`` when there is none, or none any more.

    ``changed`` and ``dropped`` are task-run ids, ``metrics`` pairs of task-run id and metric. ``keeps``: what stays of
    one that is no more.
    """

    execution: Execution | None
    changed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    metrics: tuple[tuple[str, Metric], ...] = ()
    answers: tuple[Answer, ...] = ()
    keeps: tuple[Removable, ...] = ()
