"""What is asked of many executions: which ones, by whom, and whether it can be asked at all. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

import msgspec

from data.filters import Filters
from data.operation_records import Operation, OperationItem, Result
from engine.ids import dated_id
from engine.states import ACTIONS, Action
from streaming.audited import told
from streaming.details import CommandError, check_shape
from streaming.messages import ActionDetails


class OperationRefused(CommandError):
    """The operation can't be started; the message says what was expected."""


class OperationNotFound(CommandError):
    """There is no such operation."""

    def __init__(self, operation_id: str) -> None:
        super().__init__(f"There is no operation {operation_id}.")


class OperationEnded(CommandError):
    """The operation is not in a state in which this works."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class Selection(msgspec.Struct, frozen=True):
    """The executions meant: some by their ids, or all that match ``filters`` (wire form, without ``?``)."""

    ids: tuple[str, ...] | None = None
    filters: str | None = None

    @classmethod
    def of_ids(cls, ids: Iterable[str]) -> Self:
        """These, each once."""
        return cls(ids=tuple(dict.fromkeys(ids)))

    @classmethod
    def of_filters(cls, filters: str) -> Self:
        """All that match at the moment of the confirmation."""
        return cls(filters=filters.removeprefix("?"))

    @property
    def told(self) -> dict[str, Any]:
        """What is kept of it with the operation."""
        return {"filters": self.filters} if self.ids is None else {"ids": len(self.ids)}


class Rights(msgspec.Struct, frozen=True):
    """What somebody may see and do. ``refuses(namespace)`` says why the action is not theirs there, ``None``: it is.

    ``everywhere``: no namespace is refused, so that nobody needs to look at each execution.
    """

    everywhere: bool = True
    narrow: Callable[[Filters], Filters] = lambda filters: filters
    reads: Callable[[str], bool] = lambda namespace: True
    refuses: Callable[[str], str | None] = lambda namespace: None


EVERYTHING = Rights()


class Reason(msgspec.Struct, frozen=True):
    """Why some executions can't be acted on: how many, and the ids of a few."""

    why: str
    count: int
    examples: tuple[str, ...] = ()


class Preview(msgspec.Struct, frozen=True):
    """What an operation would do now: how many it has, how many would be ``done``, which can't be and why.

    ``unknown`` are the given ids that there is no execution of. Each execution's own answer may differ: its state may
    change before its turn.
    """

    action: Action
    total: int
    done: int
    refused: tuple[Reason, ...] = ()
    unknown: tuple[str, ...] = ()


def check(action: Action, selection: Selection, details: ActionDetails, max_ids: int) -> None:
    """Raises ``OperationRefused``, ``BadDetail`` or ``LabelRefused`` for what no execution could be asked for."""
    if not ACTIONS[action].bulk:
        raise OperationRefused(f"{ACTIONS[action].title} works on one execution, not on many.")
    check_shape(action, details)
    if selection.ids is None:
        if selection.filters is None:
            raise OperationRefused("Expected ids or filters, got neither.")
    elif not selection.ids:
        raise OperationRefused("Expected at least one execution id, got none.")
    elif len(selection.ids) > max_ids:
        most, count = f"{max_ids:,} ids (WATCHFLOOR_BULK_MAX_IDS)", len(selection.ids)
        raise OperationRefused(f"Expected at most {most}, got {count:,}: use filters.")


# -- what an operation makes


def makes_another(operation: Operation) -> bool:
    """Whether it makes a new execution of each: a replay, or a restart with a revision."""
    return operation.action == Action.REPLAY or operation.details.get("revision") is not None


def made_id(operation: Operation, execution_id: str) -> str:
    """Id of what it makes of an execution, the same whenever it is asked."""
    return dated_id(int(operation.created_at.timestamp() * 1000), "made-by", operation.id, execution_id)


def made_of(operation: Operation, item: OperationItem) -> str | None:
    """Id of what it has made of an execution, if anything."""
    return made_id(operation, item.execution_id) if item.result is Result.DONE and makes_another(operation) else None


def shown(operation: Operation) -> Operation:
    """The operation as people may see it: of inputs, which may be secret, the names alone."""
    details = told(msgspec.convert(operation.details, ActionDetails))
    return msgspec.structs.replace(operation, details=details or {})
