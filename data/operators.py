"""Filter operators, each declared once for Python values and for SQL columns.

Letter case counts. A value that isn't there (``None``, NULL) matches NOT_EQUALS and NOT_IN and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from data.patterns import pattern


class Op(StrEnum):
    """Operators of the wire form."""

    EQUALS = "EQUALS"
    NOT_EQUALS = "NOT_EQUALS"
    IN = "IN"
    NOT_IN = "NOT_IN"
    CONTAINS = "CONTAINS"
    STARTS_WITH = "STARTS_WITH"
    ENDS_WITH = "ENDS_WITH"
    PREFIX = "PREFIX"
    REGEX = "REGEX"
    GREATER_THAN = "GREATER_THAN"
    GREATER_THAN_OR_EQUAL_TO = "GREATER_THAN_OR_EQUAL_TO"
    LESS_THAN = "LESS_THAN"
    LESS_THAN_OR_EQUAL_TO = "LESS_THAN_OR_EQUAL_TO"


LISTS = frozenset({Op.IN, Op.NOT_IN, Op.PREFIX})  # take several values: of the first and last, one must fit
MERGED = frozenset({Op.IN, Op.NOT_IN})  # given twice, they are one list
NEGATIONS = {Op.NOT_EQUALS: Op.EQUALS, Op.NOT_IN: Op.IN}


class position_of(GenericFunction[int]):
    """Where the second text starts in the first, counted from 1; 0 when it is not in it."""

    inherit_cache = True


@compiles(position_of)
def _strpos(element: Any, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


@compiles(position_of, "sqlite")
def _instr(element: Any, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


class Operator(msgspec.Struct, frozen=True):
    """``test(value, wanted)`` for Python, ``clause(column, wanted)`` for SQL; ``wanted`` is never empty.

    REGEX has no clause: the values that match are looked up first, and are what SQL then asks for.
    """

    test: Callable[[Any, Sequence[Any]], bool]
    clause: Callable[[Any, Sequence[Any]], sa.ColumnElement[bool]]


def starts_with(column: Any, text: str) -> sa.ColumnElement[bool]:
    """The column begins with ``text``, letter for letter."""
    return sa.func.substr(column, 1, len(text)) == text


def ends_with(column: Any, text: str) -> sa.ColumnElement[bool]:
    """The column ends with ``text``, letter for letter."""
    length = sa.func.length(column)
    return sa.and_(length >= len(text), sa.func.substr(column, length - (len(text) - 1)) == text)


def _not_in(column: Any, wanted: Sequence[Any]) -> sa.ColumnElement[bool]:
    known = not getattr(column, "nullable", True)
    return column.not_in(wanted) if known else sa.or_(column.is_(None), column.not_in(wanted))


def _no_clause(column: Any, wanted: Sequence[Any]) -> sa.ColumnElement[bool]:
    raise NotImplementedError("REGEX is looked up before SQL is made")


OPERATORS: dict[Op, Operator] = {
    Op.EQUALS: Operator(lambda v, w: v is not None and v == w[0], lambda c, w: c == w[0]),
    Op.NOT_EQUALS: Operator(lambda v, w: v != w[0], _not_in),
    Op.IN: Operator(lambda v, w: v is not None and v in w, lambda c, w: c.in_(w)),
    Op.NOT_IN: Operator(lambda v, w: v not in w, _not_in),
    Op.CONTAINS: Operator(lambda v, w: v is not None and w[0] in v, lambda c, w: position_of(c, w[0]) > 0),
    Op.STARTS_WITH: Operator(lambda v, w: v is not None and v.startswith(w[0]), lambda c, w: starts_with(c, w[0])),
    Op.ENDS_WITH: Operator(lambda v, w: v is not None and v.endswith(w[0]), lambda c, w: ends_with(c, w[0])),
    Op.PREFIX: Operator(
        lambda v, w: v is not None and any(v == one or v.startswith(one + ".") for one in w),
        lambda c, w: sa.or_(*(sa.or_(c == one, starts_with(c, one + ".")) for one in w)),
    ),
    Op.REGEX: Operator(lambda v, w: v is not None and pattern(w[0]).finds(v), _no_clause),
    Op.GREATER_THAN: Operator(lambda v, w: v is not None and v > w[0], lambda c, w: c > w[0]),
    Op.GREATER_THAN_OR_EQUAL_TO: Operator(lambda v, w: v is not None and v >= w[0], lambda c, w: c >= w[0]),
    Op.LESS_THAN: Operator(lambda v, w: v is not None and v < w[0], lambda c, w: c < w[0]),
    Op.LESS_THAN_OR_EQUAL_TO: Operator(lambda v, w: v is not None and v <= w[0], lambda c, w: c <= w[0]),
}
