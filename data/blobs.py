"""Records as bytes in a column, and back."""

from __future__ import annotations

from typing import Any

import immutables
import msgspec

from engine.model import Execution, TaskRun, evolve
from streaming import codec
from streaming.messages import ExecutionRow

_NO_TASK_RUNS: immutables.Map[str, TaskRun] = immutables.Map()


def _from_builtin(kind: Any, value: Any) -> Any:
    if getattr(kind, "__origin__", kind) is immutables.Map:
        return _NO_TASK_RUNS
    raise NotImplementedError(f"{kind} has no stored form")


_executions = msgspec.msgpack.Decoder(Execution, dec_hook=_from_builtin)
_task_runs = msgspec.msgpack.Decoder(TaskRun)
_rows = msgspec.msgpack.Decoder(ExecutionRow)


class Values(msgspec.Struct, frozen=True):
    """What an execution was given and what it gave, hidden values as ``******``."""

    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}


_values = msgspec.msgpack.Decoder(Values)


def execution_bytes(execution: Execution) -> bytes:
    """The execution without its task runs, which have rows of their own, and without what is never stored."""
    return codec.encode(evolve(execution, task_runs=_NO_TASK_RUNS, tally=None))


def execution_of(data: bytes, task_runs: list[TaskRun]) -> Execution:
    """The execution with its task runs."""
    execution = _executions.decode(data)
    return evolve(execution, task_runs=immutables.Map({run.id: run for run in task_runs}))


decode_task_run = _task_runs.decode
decode_row = _rows.decode
decode_values = _values.decode
encode = codec.encode


def json_text(value: Any) -> str:
    """JSON for a text column."""
    return codec.to_json(value).decode()


from_json = msgspec.json.decode
