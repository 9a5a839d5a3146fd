"""Evaluating an expression as a task of an execution would see it, with nothing in it that must not be shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from engine.expressions import HIDDEN, ExpressionError, Options, evaluate_at, known_secrets, mask, mask_tree
from engine.expressions.sandbox import Function
from engine.flow import Flow
from engine.model import NOTHING_HIDDEN, Execution, TaskRun, evolve
from engine.reducer.context import context_of
from engine.reducer.counting import tally_of
from engine.reducer.draft import Draft
from engine.reducer.env import Env
from engine.reducer.plan import plan_of


class Evaluated(msgspec.Struct, frozen=True):
    """A value and its text, or what is wrong and where (from 1; 0: not known)."""

    value: Any = None
    text: str | None = None
    error: str | None = None
    line: int = 0
    column: int = 0


def evaluate_in(
    execution: Execution, flow: Flow, run: TaskRun | None, expression: str, now: datetime, options: Options
) -> Evaluated:
    """What ``expression`` gives in the context of an execution, or of one of its task runs.

    Secrets are hidden before it is evaluated, not after: none can be turned into something that does not look like it.
    """
    hidden = known_secrets()
    try:
        value = evaluate_at(expression, _context(execution, flow, run, now), now, options=options)
        shown = mask_tree(value, hidden)
        return Evaluated(shown, shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False))
    except ExpressionError as error:
        return Evaluated(error=mask(error.message, hidden), line=error.line, column=error.column)


def _context(execution: Execution, flow: Flow, run: TaskRun | None, now: datetime) -> Mapping[str, Any]:
    shown = evolve(execution, hidden=NOTHING_HIDDEN)
    plan = plan_of(flow)
    env = Env(evaluate=evaluate_at)
    draft = Draft(shown, now, plan, env, tally_of(plan, shown.task_runs, shown.progress))
    node = plan.nodes.get(run.task_id) if run else None
    return {**context_of(draft, node, run), "secret": Function("secret", lambda name: HIDDEN)}
