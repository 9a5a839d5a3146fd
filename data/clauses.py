"""Filters in SQL: the same meaning as ``data.matching`` has in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.util import ClauseAdapter

from data.fields import ID_END, ID_START, SYSTEM, needle
from data.filters import Condition, wanted
from data.meaning import COLUMNS, Meaning, is_system_label, signed_value
from data.operators import NEGATIONS, OPERATORS, Op, position_of
from data.signatures import LABEL_END, clean, label_start
from data.tables import (
    error_text,
    execution,
    execution_label,
    flow_count,
    label_count,
    search_text,
    task_count,
    text_count,
)
from data.texts import short
from data.times import to_us

Clause = sa.ColumnElement[bool]
Lookup = Callable[[sa.Select[Any]], Any]

FEW = 20_000  # matching executions that are rather listed and sorted than searched along an index
COUNTED = frozenset({"namespace", "flowId", "state", "kind", "scope", "childFilter"})
SIGNED = COUNTED | {"flowRevision", "triggerId", "labels", "q"}
TASKED = frozenset({"namespace", "flowId", "state", "scope", "taskId"})
_BEFORE = frozenset({Op.LESS_THAN, Op.LESS_THAN_OR_EQUAL_TO})
_PARENTS = ("parentId", "triggerExecutionId")
_SEARCHED = (Op.CONTAINS, Op.ENDS_WITH)


def _not_looked_up(query: sa.Select[Any]) -> Any:
    return query


def to_clauses(
    told: Meaning, table: sa.Table, *, listed: bool = False, lookup: Lookup = _not_looked_up
) -> list[Clause]:
    """All of it, one clause a condition, over ``execution`` (all fields), ``flow_count`` (the ``COUNTED`` ones),
    ``search_text`` joined with ``text_count`` (the ``SIGNED`` ones) or ``task_count`` (the ``TASKED`` ones).

    ``listed``: executions are found by their signatures, rather than looked at one by one. ``lookup`` gives the few
    values that a query finds, or the query itself: a database plans better with values.
    """
    make = _Maker(table, listed, lookup)
    clauses = make.every(told.conditions)
    for groups in (told.groups, told.either):
        if groups:
            clauses.append(sa.or_(*(sa.and_(*make.every(group)) for group in groups)))
    return clauses


class _Maker:
    """Makes clauses over one table."""

    def __init__(self, table: sa.Table, listed: bool, lookup: Lookup) -> None:
        self._table = table
        self._listed = listed
        self._lookup = lookup

    def every(self, conditions: Iterable[Condition]) -> list[Clause]:
        """A clause for each; those that only signatures know are one together."""
        signed, clauses = [], []
        for condition in conditions:
            if self._table is execution and _only_signed(condition):
                signed.append(condition)
            else:
                clauses.append(self._one(condition))
        return [*clauses, *([self._signed(signed)] if signed else [])]

    def _one(self, condition: Condition) -> Clause:
        if condition.field in _PARENTS and condition.op in _SEARCHED:
            return sa.and_(_column(condition, execution).is_not(None), self._parents(condition))
        special = _ON_EXECUTION if self._table is execution else _ON_COUNTS
        return special.get(condition.field, _plain)(condition, self._table)

    def _parents(self, condition: Condition) -> Clause:
        """Parents are looked for along their own index, which is shorter."""
        other = _column(condition, execution.alias())
        found = OPERATORS[condition.op].clause(other, _values(condition))
        known = sa.select(other).distinct().where(other.is_not(None), found)
        return _column(condition, execution).in_(self._lookup(known))

    def _signed(self, conditions: Sequence[Condition]) -> Clause:
        key = execution.c.text_key if self._listed else _unindexed(execution.c.text_key)
        others = [c for c in conditions if c.field != "q"]
        known = [key.in_(self._lookup(signatures(others)))] if others else []
        return sa.and_(*known, *(self._text(c) for c in conditions if c.field == "q"))

    def _text(self, condition: Condition) -> Clause:
        """Free text is in the signature, in the error, or means the id."""
        signed, errors = self._lookup(signatures([condition])), self._lookup(error_keys([condition]))
        ids = id_clauses(condition)
        if not self._listed:
            keys = _unindexed(execution.c.text_key), _unindexed(execution.c.error_key)
            return sa.or_(keys[0].in_(signed), keys[1].in_(errors), *ids)
        each = [execution.c.text_key.in_(signed), error_clause(errors), *ids]
        return execution.c.seq.in_(sa.union_all(*(_keys_where(clause) for clause in each)))


def _unindexed(column: Any) -> Any:
    return column + sa.literal_column("0")


def _keys_where(clause: Clause) -> Any:
    other = execution.alias()
    return sa.select(other.c.seq).where(ClauseAdapter(other).traverse(clause))


def error_keys(conditions: Iterable[Condition]) -> Any:
    """Errors that one of the free texts is in."""
    texts = (position_of(error_text.c.text, needle(c.values[0])) > 0 for c in conditions)
    return sa.select(error_text.c.key).where(sa.or_(*texts))


def error_clause(keys: Any) -> Clause:
    """Executions with one of the errors, along their index."""
    return sa.and_(execution.c.error_key.is_not(None), execution.c.error_key.in_(keys))


def signatures(conditions: Iterable[Condition]) -> Any:
    """Keys of the signatures that match all."""
    return sa.select(search_text.c.key).where(*map(_on_signature, conditions))


def _on_signature(condition: Condition) -> Clause:
    return _ON_COUNTS.get(condition.field, _plain)(condition, search_text)


def _only_signed(condition: Condition) -> bool:
    return condition.field in ("q", "triggerId") or (condition.field == "labels" and not is_system_label(condition))


def _column(condition: Condition, table: sa.Table) -> Any:
    if table is search_text and condition.field == "state":
        return text_count.c.state
    if table is task_count and condition.field == "taskId":
        return task_count.c.task_id
    return table.c[COLUMNS[condition.field]]


def _values(condition: Condition) -> list[Any]:
    return [to_us(v) if isinstance(v, datetime) else v if isinstance(v, int) else str(v) for v in wanted(condition)]


def _plain(condition: Condition, table: sa.Table) -> Clause:
    return OPERATORS[condition.op].clause(_column(condition, table), _values(condition))


def _name(condition: Condition, table: sa.Table) -> Clause:
    """There are few names: a list of them can use the index that a text function can't."""
    if condition.op in (Op.EQUALS, Op.IN):
        return _plain(condition, table)
    names = flow_count.c[COLUMNS[condition.field]]
    known = sa.select(names).distinct().where(flow_count.c.grain == 0, _plain(condition, flow_count))
    return _column(condition, table).in_(known)


def _parent(condition: Condition, table: sa.Table) -> Clause:
    if condition.op in NEGATIONS:
        return _plain(condition, table)
    column, values = _column(condition, table), _values(condition)
    found = begins(column, values[0]) if condition.op is Op.STARTS_WITH else _plain(condition, table)
    return sa.and_(column.is_not(None), found)  # only those that have one are in the index


def _id(condition: Condition, table: sa.Table) -> Clause:
    return _id_clause(execution.c.id, execution.c.id_reversed, condition)


def _id_clause(column: Any, turned: Any, condition: Condition) -> Clause:
    (text, *_), op = _values(condition), condition.op
    if op is Op.STARTS_WITH:
        return begins(column, text)
    if op is Op.ENDS_WITH:
        return begins(turned, text[::-1])
    return OPERATORS[op].clause(column, _values(condition))


def _original(condition: Condition, table: sa.Table) -> Clause:
    own, other = execution.c.id, execution.c.original_id
    if condition.op in NEGATIONS:
        return sa.func.coalesce(other, own).not_in(_values(condition))
    begin = condition.op is Op.STARTS_WITH
    clause = begins(other, condition.values[0]) if begin else OPERATORS[condition.op].clause(other, _values(condition))
    return sa.or_(sa.and_(other.is_not(None), clause), sa.and_(_id(condition, table), other.is_(None)))


def _ended(condition: Condition, table: sa.Table) -> Clause:
    clause = _plain(condition, table)
    if condition.op not in _BEFORE:
        return clause
    return sa.and_(clause, OPERATORS[condition.op].clause(table.c.start_at, _values(condition)))  # it began before


def _child(condition: Condition, table: sa.Table) -> Clause:
    child = condition.values[0] == "CHILD"
    if table is execution:
        return execution.c.triggered_by.is_not(None) if child else execution.c.triggered_by.is_(None)
    return table.c.child == int(child)


def _scope(condition: Condition, table: sa.Table) -> Clause:
    system = OPERATORS[Op.PREFIX].clause(table.c.namespace, [SYSTEM])
    inside = (condition.values[0] == "SYSTEM") is (condition.op is Op.EQUALS)
    return system if inside else sa.not_(system)


# -- text


def _text(condition: Condition, table: sa.Table) -> Clause:
    return position_of(search_text.c.text, needle(condition.values[0])) > 0


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


# -- labels


def _signed_label(condition: Condition, table: sa.Table) -> Clause:
    key, values = condition.key or "", [clean(value) for value in wanted(condition)]
    op = NEGATIONS.get(condition.op, condition.op)
    if op in (Op.EQUALS, Op.IN):
        wholes = [label_start(key) + value + LABEL_END for value in values]
        clause = sa.or_(sa.false(), *(position_of(search_text.c.labels, whole) > 0 for whole in wholes))
    else:
        clause = OPERATORS[op].clause(signed_value(condition), values)
    return sa.not_(clause) if condition.op in NEGATIONS else clause


def label_clause(condition: Condition, table: sa.Table) -> Clause:
    """The condition on a table with the columns ``key`` and ``value``, negation left out."""
    op = NEGATIONS.get(condition.op, condition.op)
    values = [value if op is Op.CONTAINS else short(value) for value in wanted(condition)]
    return sa.and_(table.c.key == short(condition.key or ""), OPERATORS[op].clause(table.c.value, values))


def _system_label(condition: Condition, table: sa.Table) -> Clause:
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


_Make = Callable[[Condition, sa.Table], Clause]
_EVERYWHERE: dict[str, _Make] = {"childFilter": _child, "scope": _scope}
_ON_EXECUTION: dict[str, _Make] = _EVERYWHERE | {
    "namespace": _name,
    "flowId": _name,
    "parentId": _parent,
    "triggerExecutionId": _parent,
    "originalId": _original,
    "id": _id,
    "endDate": _ended,
    "labels": _system_label,
}
_ON_COUNTS: dict[str, _Make] = _EVERYWHERE | {"q": _text, "labels": _signed_label}
