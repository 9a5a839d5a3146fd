"""What became of an operation's executions, written in the commit that changes them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa

from data.operation_records import Answered, Result
from data.operation_tables import operation, operation_item
from data.upserts import among, as_ids, change

CODES = {Result.DONE: 1, Result.REFUSED: 2, Result.UNKNOWN: 3}
COUNTED = {Result.DONE: "done", Result.REFUSED: "refused", Result.UNKNOWN: "unknown"}


@cache
def _answer(dialect: str) -> Any:
    """Only what has no result yet: an event that is applied a second time counts nothing."""
    c = operation_item.c
    key = sa.select(operation.c.seq).where(operation.c.id == sa.bindparam("of")).scalar_subquery()
    query = sa.update(operation_item).where(c.operation == key, among(dialect, c.execution_id), c.result.is_(None))
    return query.values(result=sa.bindparam("code"), why=sa.bindparam("said"))


_count = sa.update(operation).where(operation.c.id == sa.bindparam("of"))
_count = _count.values({name: operation.c[name] + sa.bindparam(f"{name}_more") for name in COUNTED.values()})


def write_answers(connection: sa.Connection, dialect: str, answered: Iterable[Answered]) -> None:
    """Results and counters: a statement for each operation, result and reason, whatever the number of executions."""
    groups: dict[str, dict[tuple[Result, str | None], list[str]]] = {}
    for one in answered:
        groups.setdefault(one.operation, {}).setdefault((one.result, one.why), []).append(one.execution_id)
    for of in sorted(groups):
        more = dict.fromkeys((f"{name}_more" for name in COUNTED.values()), 0)
        for (result, why), ids in groups[of].items():
            values = {"of": of, "ids": as_ids(dialect, ids), "code": CODES[result], "said": why}
            more[f"{COUNTED[result]}_more"] += change(connection, _answer(dialect), **values)
        if any(more.values()):
            change(connection, _count, of=of, **more)
