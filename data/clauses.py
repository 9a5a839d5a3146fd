"""Filters in SQL: the same meaning as ``data.filters`` has in Python."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.filters import ID_END, ID_START, SYSTEM, Condition, Filters, needle, since, wanted
from data.operators import NEGATIONS, OPERATORS, Op, position_of
from data.tables import execution, execution_label, flow_count, label_count, search_text
from data.texts import short
from data.times import to_us

Clause = sa.ColumnElement[bool]

FEW = 20_000  # matching executions that are rather listed and sorted than searched along an index
COUNTED = frozenset({"namespace", "flowId", "state", "kind", "scope", "childFilter"})
_COLUMNS = {"namespace": "namespace", "flowId": "flow_id", "state": "state", "kind": "kind"}
_PLAIN = _COLUMNS | {"startDate": "start_at", "endDate": "end_at"}
_BEFORE = frozenset({Op.LESS_THAN, Op.LESS_THAN_OR_EQUAL_TO})
_PLAIN |= {"parentId": "parent_id", "triggerExecutionId": "parent_id"}


def to_clauses(filters: Filters, table: sa.Table, now: datetime) -> list[Clause]:
    """One clause a condition, over ``execution`` (all fields) or ``flow_count`` (the ``COUNTED`` fields)."""
    return [_SPECIAL.get(c.field, _plain)(c, table, now) for c in filters.conditions]


def _plain(condition: Condition, table: sa.Table, now: datetime) -> Clause:
    values = [to_us(v) if isinstance(v, datetime) else str(v) for v in wanted(condition)]
    column = table.c[_PLAIN[condition.field]]
    clause = OPERATORS[condition.op].clause
    if column is execution.c.parent_id and condition.op not in NEGATIONS:
        # Only children are in the index.
        found = begins(column, values[0]) if condition.op is Op.STARTS_WITH else clause(column, values)
        return sa.and_(column.is_not(None), found)
    if condition.field == "endDate" and condition.op in _BEFORE:
        return sa.and_(clause(column, values), clause(execution.c.start_at, values))  # it ended after it started
    if condition.field in ("namespace", "flowId") and condition.op not in (Op.EQUALS, Op.IN) and table is execution:
        # There are few names: a list of them can use the index that a text function can't.
        names = flow_count.c[column.name]
        known = sa.select(names).distinct().where(flow_count.c.grain == 0, clause(names, values))
        return column.in_(known)
    return clause(column, values)


def _child(condition: Condition, table: sa.Table, now: datetime) -> Clause:
    child = condition.values[0] == "CHILD"
    if table is execution:
        return execution.c.parent_id.is_not(None) if child else execution.c.parent_id.is_(None)
    return table.c.child == int(child)


def _scope(condition: Condition, table: sa.Table, now: datetime) -> Clause:
    system = OPERATORS[Op.PREFIX].clause(table.c.namespace, [SYSTEM])
    inside = (condition.values[0] == "SYSTEM") is (condition.op is Op.EQUALS)
    return system if inside else sa.not_(system)


def _range(condition: Condition, table: sa.Table, now: datetime) -> Clause:
    (back,) = wanted(condition)
    return table.c.start_at >= to_us(since(now, back))


def text_keys(condition: Condition) -> Any:
    """The texts that free text is in."""
    return sa.select(search_text.c.key).where(position_of(search_text.c.text, needle(condition.values[0])) > 0)


def id_clauses(condition: Condition) -> list[Clause]:
    """Ids that free text is the beginning or the end of, as ranges of an index."""
    text = condition.values[0].strip()
    clauses = []
    if len(text) >= ID_START:
        clauses.append(begins(execution.c.id, text))
    if len(text) >= ID_END:
        clauses.append(begins(execution.c.id_reversed, text[::-1]))
    return clauses


def begins(column: Any, text: str) -> Clause:
    """The column begins with ``text``, as a range of an index."""
    return sa.and_(column >= text, column < text + "\U0010ffff")


def _text(condition: Condition, table: sa.Table, now: datetime) -> Clause:
    inner = text_keys(condition).where(search_text.c.key == execution.c.text_key).correlate(execution)
    return sa.or_(sa.exists(inner), *id_clauses(condition))


def rare_text(condition: Condition) -> Clause:
    """The same by a list of texts: for free text that few executions have."""
    return sa.or_(execution.c.text_key.in_(text_keys(condition)), *id_clauses(condition))


def label_clause(condition: Condition, table: sa.Table) -> Clause:
    """The condition on a table with the columns ``key`` and ``value``, negation left out."""
    op = NEGATIONS.get(condition.op, condition.op)
    values = [value if op is Op.CONTAINS else short(value) for value in wanted(condition)]
    return sa.and_(table.c.key == short(condition.key or ""), OPERATORS[op].clause(table.c.value, values))


def _label(condition: Condition, table: sa.Table, now: datetime) -> Clause:
    values = sa.select(label_count.c.value).distinct().where(label_clause(condition, label_count))
    inner = (
        sa.select(execution_label.c.seq)
        .where(
            execution_label.c.key == short(condition.key or ""),
            execution_label.c.value.in_(values),
            execution_label.c.start_at == execution.c.start_at,
            execution_label.c.seq == execution.c.seq,
        )
        .correlate(execution)
    )
    return sa.not_(sa.exists(inner)) if condition.op in NEGATIONS else sa.exists(inner)


def rare_label(condition: Condition) -> Clause:
    """The same by a list of executions: for labels that few of them have (negation left out)."""
    return execution.c.seq.in_(sa.select(execution_label.c.seq).where(label_clause(condition, execution_label)))


def label_rows(condition: Condition) -> Clause:
    """The condition on ``execution_label`` itself."""
    return label_clause(condition, execution_label)


_SPECIAL: dict[str, Callable[[Condition, sa.Table, datetime], Clause]] = {
    "q": _text,
    "labels": _label,
    "timeRange": _range,
    "childFilter": _child,
    "scope": _scope,
}
# The same for what few executions have; not for negations.
RARE: dict[str, Callable[[Condition], Clause]] = {"labels": rare_label, "q": rare_text}
