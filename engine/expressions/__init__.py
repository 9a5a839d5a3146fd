"""Expressions: ``{{ }}`` in Pebble's style on a Jinja sandbox, with limits that hold in any process.

``evaluate`` and ``render_tree`` give values, ``references`` says what a template will ask for, ``mask`` hides secrets.
"""

from __future__ import annotations

from engine.expressions.errors import ExpressionError, LimitExceeded
from engine.expressions.evaluator import evaluate, evaluate_at, render_tree
from engine.expressions.limits import Options, Sources
from engine.expressions.references import References, references
from engine.expressions.secrets import HIDDEN, forms_of, known_secrets, mask, mask_tree
from engine.expressions.translate import has_expression

__all__ = [
    "HIDDEN",
    "ExpressionError",
    "LimitExceeded",
    "Options",
    "References",
    "Sources",
    "evaluate",
    "evaluate_at",
    "forms_of",
    "has_expression",
    "known_secrets",
    "mask",
    "mask_tree",
    "references",
    "render_tree",
]
