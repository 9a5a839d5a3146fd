"""Bulk operations: written down in steps, read by page, answered execution by execution with the executor's commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data.blobs import from_json, json_text
from data.changes import chunks
from data.database import Database
from data.operation_records import UNFINISHED, Answered, Given, Operation, OperationItem, OperationState, Result
from data.operation_results import CODES, COUNTED, write_answers
from data.operation_tables import operation, operation_item
from data.operators import position_of
from data.times import from_us, from_us_or_none, now_us, to_us
from data.upserts import insert, run_many

STEP = 2_000  # rows written or removed in one transaction
_RESULTS = {code: result for result, code in CODES.items()}
_o, _i = operation.c, operation_item.c
_UNANSWERED = _i.result.is_(None)


class Operations(Database):
    """The executor's part of it, the results, is ``data.operation_results``."""

    # -- beginning

    def prepare_operation(self, new: Operation) -> int:
        """Write an operation down, without its executions yet; its key."""
        row = {
            "id": new.id,
            "action": new.action,
            "details": json_text(new.details),
            "selection": json_text(new.selection),
            "actor": new.actor,
            "origin": new.origin,
            "reason": new.reason,
            "retry_of": new.retry_of,
            "state": OperationState.PREPARING.value,
            "total": new.total,
            "created_at": to_us(new.created_at),
            **dict.fromkeys(("sent", "done", "refused", "unknown"), 0),
        }
        with self._write() as connection:
            return connection.execute(sa.insert(operation), row).inserted_primary_key[0]

    def add_operation_items(self, key: int, given: Sequence[Given]) -> None:
        """Write its executions down, a few at a time so that nobody waits long; they must differ from each other."""
        position = 0
        for some in chunks(given, STEP):
            rows = [
                {
                    "operation": key,
                    "execution_id": one.execution_id,
                    "position": position + number,
                    "result": None if one.result is None else CODES[one.result],
                    "why": one.why,
                }
                for number, one in enumerate(some, 1)
            ]
            with self._write() as connection:
                run_many(connection, insert(operation_item), rows)
            position += len(rows)

    def begin_operation(self, key: int, given: Sequence[Given] = ()) -> None:
        """All is written down: let it run. Results that some of its executions have from the start are counted."""
        counts = Counter(one.result for one in given)
        values = {"state": OperationState.RUNNING.value, "started_at": now_us()}
        values |= {counter: counts[result] for result, counter in COUNTED.items()}
        with self._write() as connection:
            connection.execute(sa.update(operation).where(_o.seq == key).values(values))

    # -- reading

    def operation(self, operation_id: str) -> Operation | None:
        """An operation, ``None`` when there is none."""
        with self._read() as connection:
            row = connection.execute(sa.select(operation).where(_o.id == operation_id)).first()
        return None if row is None else _operation(row)

    def operations(self, page: int = 1, size: int = 50, actor: str | None = None) -> tuple[int, list[Operation]]:
        """(how many there are, one page of them, the newest first), of all or of one actor."""
        of = [] if actor is None else [_o.actor == actor]
        query = sa.select(operation).where(*of).order_by(_o.seq.desc()).limit(size).offset((page - 1) * size)
        with self._read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(operation).where(*of)) or 0
            return total, [_operation(row) for row in connection.execute(query)]

    def unfinished_operations(self) -> list[Operation]:
        """Those that something is left to do of, the oldest first."""
        states = [state.value for state in UNFINISHED]
        query = sa.select(operation).where(_o.state.in_(states)).order_by(_o.seq)
        with self._read() as connection:
            return [_operation(row) for row in connection.execute(query)]

    def operation_results(
        self, operation_id: str, result: Result | None = None, q: str | None = None, page: int = 1, size: int = 50
    ) -> tuple[int, list[OperationItem]]:
        """(how many match, one page of them in order) of its executions: with a result, with a text in id or reason."""
        with self._read() as connection:
            found = connection.execute(sa.select(operation).where(_o.id == operation_id)).first()
            if found is None:
                return 0, []
            clauses = [_i.operation == found.seq, *_of_result(result, found)]
            if q:
                clauses.append(sa.or_(position_of(_i.execution_id, q) > 0, position_of(_i.why, q) > 0))
            total = connection.scalar(sa.select(sa.func.count()).select_from(operation_item).where(*clauses)) or 0
            query = sa.select(operation_item).where(*clauses).order_by(_i.position)
            rows = connection.execute(query.limit(size).offset((page - 1) * size)).all()
        return total, [_item(row, found) for row in rows]

    def operation_items_after(
        self, operation_id: str, position: int, limit: int, result: Result | None = None
    ) -> list[OperationItem]:
        """The first ``limit`` of its executions after a position, with a result when it is given."""
        with self._read() as connection:
            found = connection.execute(sa.select(operation).where(_o.id == operation_id)).first()
            if found is None:
                return []
            clauses = [_i.operation == found.seq, _i.position > position, *_of_result(result, found)]
            query = sa.select(operation_item).where(*clauses).order_by(_i.position).limit(limit)
            return [_item(row, found) for row in connection.execute(query)]

    def failed_items(self, operation_id: str) -> list[str]:
        """Ids of what was refused, and of what it was stopped before; in order."""
        query = sa.select(_i.execution_id).join(operation, _o.seq == _i.operation).where(_o.id == operation_id)
        failed = sa.or_(_UNANSWERED, _i.result == CODES[Result.REFUSED])
        with self._read() as connection:
            return list(connection.scalars(query.where(failed).order_by(_i.position)))

    # -- running

    def unanswered_items(self, operation_id: str, after: int, limit: int) -> list[tuple[int, str]]:
        """(position, execution id) of the first ``limit`` after a position that have no result."""
        query = sa.select(_i.position, _i.execution_id).join(operation, _o.seq == _i.operation)
        query = query.where(_o.id == operation_id, _i.position > after, _UNANSWERED)
        with self._read() as connection:
            rows = connection.execute(query.order_by(_i.position).limit(limit)).all()
        return [(row.position, row.execution_id) for row in rows]

    def operation_sent(self, operation_id: str, position: int) -> None:
        """The executor was told of all up to ``position``."""
        further = sa.update(operation).where(_o.id == operation_id, _o.sent < position).values(sent=position)
        with self._write() as connection:
            connection.execute(further)

    def answer_items(self, answered: Sequence[Answered]) -> None:
        """Results that the executor did not give."""
        with self._write() as connection:
            write_answers(connection, self.dialect, answered)

    def stop_operation(self, operation_id: str) -> bool:
        """Send no more of it; whether it was running."""
        return self._move(operation_id, (OperationState.PREPARING, OperationState.RUNNING), OperationState.STOPPING)

    def end_operation(self, operation_id: str, state: OperationState) -> bool:
        """Nothing is left to do of it; whether that was new."""
        return self._move(operation_id, UNFINISHED, state, ended_at=now_us())

    def _move(self, operation_id: str, before: Iterable[OperationState], state: OperationState, **values: Any) -> bool:
        known = [one.value for one in before]
        query = sa.update(operation).where(_o.id == operation_id, _o.state.in_(known))
        with self._write() as connection:
            return connection.execute(query.values(state=state.value, **values)).rowcount > 0

    # -- forgetting

    def old_operations(self, ended_before: datetime, limit: int) -> list[str]:
        """Ids of operations that ended before a moment, the oldest first."""
        query = sa.select(_o.id).where(_o.ended_at < to_us(ended_before)).order_by(_o.seq).limit(limit)
        with self._read() as connection:
            return list(connection.scalars(query))

    def forget_operation_step(self, operation_id: str) -> bool:
        """Remove a part of what is known of its executions, at last the operation; whether something is left of it."""
        with self._write() as connection:
            key = connection.scalar(sa.select(_o.seq).where(_o.id == operation_id))
            some = sa.select(_i.execution_id).where(_i.operation == key).limit(STEP)
            gone = sa.delete(operation_item).where(_i.operation == key, _i.execution_id.in_(some))
            left = connection.execute(gone).rowcount == STEP
            if not left:
                connection.execute(sa.delete(operation).where(_o.seq == key))
        return left


def _of_result(result: Result | None, found: Any) -> list[sa.ColumnElement[bool]]:
    """Conditions on an item of the operation ``found``."""
    stopped = found.state == OperationState.STOPPED
    match result:
        case None:
            return []
        case Result.DONE | Result.REFUSED | Result.UNKNOWN:
            return [_i.result == CODES[result]]
        case Result.STOPPED:
            return [_UNANSWERED] if stopped else [sa.false()]
        case _ if stopped:
            return [sa.false()]
        case Result.SENT:
            return [_UNANSWERED, _i.position <= found.sent]
        case _:
            return [_UNANSWERED, _i.position > found.sent]


def _item(row: Any, found: Any) -> OperationItem:
    if row.result is not None:
        result = _RESULTS[row.result]
    elif found.state == OperationState.STOPPED:
        result = Result.STOPPED
    else:
        result = Result.SENT if row.position <= found.sent else Result.PENDING
    return OperationItem(row.execution_id, row.position, result, row.why)


def _operation(row: Any) -> Operation:
    return Operation(
        id=row.id,
        action=row.action,
        actor=row.actor,
        origin=row.origin,
        state=OperationState(row.state),
        total=row.total,
        created_at=from_us(row.created_at),
        details=from_json(row.details),
        selection=from_json(row.selection),
        reason=row.reason,
        retry_of=row.retry_of,
        sent=row.sent,
        done=row.done,
        refused=row.refused,
        unknown=row.unknown,
        started_at=from_us_or_none(row.started_at),
        ended_at=from_us_or_none(row.ended_at),
    )
