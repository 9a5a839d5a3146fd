"""Namespaces: one covers those below it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from data.filters import Condition, Filters
from data.operators import OPERATORS, Op

_NONE = (".",)  # a namespace that can't be


def covers(above: str, namespace: str) -> bool:
    """Whether ``namespace`` is ``above`` or below it."""
    return namespace == above or namespace.startswith(above + ".")


def inside(namespace: str, allowed: Iterable[str] | None) -> bool:
    """Whether a namespace is one of ``allowed`` or below one; ``None``: any is."""
    return allowed is None or any(covers(one, namespace) for one in allowed)


def in_namespaces(filters: Filters, allowed: Iterable[str] | None) -> Filters:
    """The filters, and that the namespace is one of ``allowed`` or below one (``None``: any; empty: nothing fits)."""
    if allowed is None:
        return filters
    condition = Condition("namespace", Op.PREFIX, tuple(allowed) or _NONE)
    return structs.replace(filters, conditions=(*filters.conditions, condition))


def in_sql(column: Any, allowed: Iterable[str] | None) -> list[sa.ColumnElement[bool]]:
    """The same of a column, as conditions."""
    return [] if allowed is None else [OPERATORS[Op.PREFIX].clause(column, tuple(allowed) or _NONE)]
