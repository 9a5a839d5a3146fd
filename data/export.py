"""Executions as files: CSV, JSON Lines and Parquet. One table of columns; rows come in batches and go out in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import IO, TYPE_CHECKING, Any, Literal

import msgspec

from data.errors import FilterError
from streaming.messages import ExecutionRow

if TYPE_CHECKING:
    import polars as pl

Format = Literal["csv", "jsonl", "parquet"]
Kind = Literal["text", "integer", "number", "date", "labels"]
Batches = Iterable[Sequence[ExecutionRow]]
ROW_GROUP = 10_000  # rows of a row group of a Parquet file
MEDIA = {"csv": "text/csv", "jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}
_FORMULA = frozenset("=+-@\t\r")  # what a spreadsheet may take for the beginning of a formula
_json = msgspec.json.Encoder()


class Column(msgspec.Struct, frozen=True):
    """A column: its name as in the REST API, what it holds, and how it is read off a row (``None``: nothing)."""

    name: str
    kind: Kind
    value: Callable[[ExecutionRow], Any]


def _seconds(row: ExecutionRow) -> float | None:
    return (row.end_date - row.start_date).total_seconds() if row.end_date else None


COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("id", "text", attrgetter("id")),
        Column("namespace", "text", attrgetter("namespace")),
        Column("flowId", "text", attrgetter("flow_id")),
        Column("flowRevision", "integer", attrgetter("revision")),
        Column("state", "text", attrgetter("state")),
        Column("startDate", "date", attrgetter("start_date")),
        Column("endDate", "date", attrgetter("end_date")),
        Column("duration", "number", _seconds),
        Column("kind", "text", attrgetter("kind")),
        Column("labels", "labels", attrgetter("labels")),
        Column("triggerId", "text", attrgetter("trigger_id")),
        Column("triggerType", "text", attrgetter("trigger_type")),
        Column("parentId", "text", attrgetter("parent_id")),
        Column("originalId", "text", lambda row: row.original_id or row.id),
        Column("attemptNumber", "integer", attrgetter("attempt_number")),
        Column("lastTask", "text", attrgetter("last_task")),
        Column("error", "text", attrgetter("error")),
        Column("triggerExecutionId", "text", attrgetter("triggered_by")),
    )
}


def parse_columns(text: str | None) -> list[Column]:
    """Columns of a comma-separated list, each once, in its order; all when it is empty. Raises ``FilterError``."""
    names = dict.fromkeys(name.strip() for name in (text or "").split(",") if name.strip())
    for name in names:
        if name not in COLUMNS:
            raise FilterError("columns", f"there is no column {name!r}; the columns are {', '.join(COLUMNS)}")
    return [COLUMNS[name] for name in names or COLUMNS]


# -- CSV: a whole column at a time, and quotes only where they are needed; half the time of cells one by one


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe stands before what might be one."""
    return f"'{text}" if text and text[0] in _FORMULA else text


def cell(text: str | None) -> str:
    """A text as a guarded cell, in quotes where it needs them."""
    if not text:
        return ""
    text = guarded(text)
    if '"' in text or "," in text or "\n" in text or "\r" in text:
        text = text.replace('"', '""')
        return f'"{text}"'
    return text


def _numbers(values: Iterable[Any]) -> list[str]:
    return ["" if one is None else str(one) for one in values]


def _dates(values: Iterable[datetime | None]) -> list[str]:
    """ISO 8601, UTC as ``Z``; nothing but dates and ``null`` is in that JSON."""
    text = _json.encode(list(values)).decode()
    return text[1:-1].replace('"', "").replace("null", "").split(",")


def _labels(values: Iterable[dict[str, str]]) -> list[str]:
    return [cell(", ".join([f"{key}:{value}" for key, value in labels.items()])) for labels in values]


_CELLS: dict[Kind, Callable[[Iterable[Any]], Iterable[str]]] = {
    "text": lambda values: map(cell, values),
    "integer": _numbers,
    "number": _numbers,
    "date": _dates,
    "labels": _labels,
}


def csv_pieces(batches: Batches, columns: Sequence[Column]) -> Iterator[tuple[bytes, int]]:
    """(bytes, rows in them) of a CSV file as RFC 4180 has it: the names first, then a piece a batch."""
    yield f"{','.join(column.name for column in columns)}\r\n".encode(), 0
    for rows in batches:
        cells = [_CELLS[column.kind](map(column.value, rows)) for column in columns]
        lines = "\r\n".join(map(",".join, zip(*cells, strict=True)))
        yield f"{lines}\r\n".encode("utf-8", "replace"), len(rows)


# -- JSON Lines


def jsonl_pieces(batches: Batches, columns: Sequence[Column]) -> Iterator[tuple[bytes, int]]:
    """(bytes, rows in them): a JSON object a line, labels as in the REST API."""
    for rows in batches:
        yield _lines(rows, columns), len(rows)


def _lines(rows: Sequence[ExecutionRow], columns: Sequence[Column]) -> bytes:
    names = [column.name for column in columns]
    found = [map(column.value, rows) for column in columns]
    values = [
        map(_pairs, each) if column.kind == "labels" else each for column, each in zip(columns, found, strict=True)
    ]
    return _json.encode_lines([dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)])


def _pairs(labels: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in labels.items()]


# -- Parquet


def write_parquet(batches: Batches, columns: Sequence[Column], file: IO[bytes]) -> None:
    """Write a Parquet file in row groups of ``ROW_GROUP``; no more than a few batches are held at once."""
    import polars as pl
    from polars.io.plugins import register_io_source

    read, schema = _schemas(columns)

    def frames(*_: Any) -> Iterator[pl.DataFrame]:
        for rows in batches:
            yield _frame(pl.read_ndjson(_lines(rows, columns), schema=read), columns)

    register_io_source(frames, schema=schema).sink_parquet(file, row_group_size=ROW_GROUP, compression="zstd")


def _schemas(columns: Sequence[Column]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Types as JSON has them, and as the file has them."""
    import polars as pl

    labels = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
    plain = {"text": pl.String, "integer": pl.Int64, "number": pl.Float64, "date": pl.String, "labels": labels}
    read = {column.name: plain[column.kind] for column in columns}
    dates = {column.name: pl.Datetime("us", "UTC") for column in columns if column.kind == "date"}
    return read, read | dates


def _frame(frame: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    import polars as pl

    dates = [column.name for column in columns if column.kind == "date"]
    return frame.with_columns(pl.col(dates).str.to_datetime(time_unit="us", time_zone="UTC")) if dates else frame


PIECES: dict[str, Callable[[Batches, Sequence[Column]], Iterator[tuple[bytes, int]]]] = {
    "csv": csv_pieces,
    "jsonl": jsonl_pieces,
}
