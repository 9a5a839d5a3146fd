"""Executions as CSV, JSON Lines and Parquet."""

from __future__ import annotations

import csv
import io
import json
import struct
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import FilterError
from data.export import COLUMNS, csv_pieces, jsonl_pieces, parse_columns, write_parquet
from data.exporter import HEAD, Frames, Order, export
from data.filters import Filters
from engine.states import State
from streaming.messages import ExecutionRow

START = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def row(**changes: object) -> ExecutionRow:
    """A row that ended after 1.5 s."""
    members = {
        "id": "e1",
        "version": 3,
        "namespace": "company.team",
        "flow_id": "load",
        "revision": 2,
        "state": State.FAILED,
        "start_date": START,
        "changed_at": START,
        "end_date": START + timedelta(seconds=1.5),
        "labels": {"env": "prod", "team": "a,b"},
        "error": "it broke",
    }
    return ExecutionRow(**(members | changes))  # type: ignore[arg-type]


def cells(rows: list[ExecutionRow], columns: str = "") -> list[list[str]]:
    """The CSV file, read back."""
    text = b"".join(piece for piece, _ in csv_pieces([rows], parse_columns(columns))).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_has_every_column() -> None:
    head, first, running = cells([row(), row(state=State.RUNNING, end_date=None, error=None, labels={})])
    assert head == list(COLUMNS)
    assert dict(zip(head, first, strict=True)) == {
        "id": "e1",
        "namespace": "company.team",
        "flowId": "load",
        "flowRevision": "2",
        "state": "FAILED",
        "startDate": "2026-03-01T12:00:00.250000Z",
        "endDate": "2026-03-01T12:00:01.750000Z",
        "duration": "1.5",
        "kind": "NORMAL",
        "labels": "env:prod, team:a,b",
        "triggerId": "",
        "triggerType": "",
        "parentId": "",
        "originalId": "e1",
        "attemptNumber": "1",
        "lastTask": "",
        "error": "it broke",
        "triggerExecutionId": "",
    }
    assert (running[head.index("endDate")], running[head.index("duration")], running[head.index("error")]) == (
        "",
        "",
        "",
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=cmd|"/c calc"!A1'])
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert cells([row(error=text)], "error")[1] == [f"'{text}"]
    assert cells([row(labels={text: "x"})], "labels")[1] == [f"'{text}:x"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_any_text_comes_back(texts: list[str]) -> None:
    rows = [row(error=text, flow_id=text) for text in texts]
    dangerous = "=+-@\t\r"
    wanted = [f"'{text}" if text[:1] and text[0] in dangerous else text for text in texts]
    assert cells(rows, "error,flowId")[1:] == [[text, text] for text in wanted]
    lines = b"".join(piece for piece, _ in jsonl_pieces([rows], parse_columns("error")))
    assert [json.loads(line)["error"] for line in lines.splitlines()] == texts


def test_jsonl_has_the_types_of_the_api() -> None:
    ((data, n),) = jsonl_pieces(
        [[row(parent_id="e0")]], parse_columns("id,labels,startDate,duration,parentId,triggerId")
    )
    assert n == 1
    assert json.loads(data) == {
        "id": "e1",
        "labels": [{"key": "env", "value": "prod"}, {"key": "team", "value": "a,b"}],
        "startDate": "2026-03-01T12:00:00.250000Z",
        "duration": 1.5,
        "parentId": "e0",
        "triggerId": None,
    }


@pytest.mark.parametrize("n", [0, 1, 25_000])
def test_parquet_has_types_and_row_groups(n: int) -> None:
    file = io.BytesIO()
    batches = [[row(id=f"e{number}") for number in range(at, min(at + 2_000, n))] for at in range(0, n, 2_000)]
    write_parquet(batches, parse_columns(""), file)
    file.seek(0)
    frame = pl.read_parquet(file)
    assert frame.height == n
    assert frame.schema["startDate"] == pl.Datetime("us", "UTC")
    assert frame.schema["labels"] == pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
    assert frame["id"].to_list() == [f"e{number}" for number in range(n)]
    if n:
        assert frame.row(0, named=True)["startDate"] == START
        assert frame.row(0, named=True)["flowRevision"] == 2


def test_columns_are_chosen_and_an_unknown_one_is_named() -> None:
    assert [column.name for column in parse_columns("state, id,state")] == ["state", "id"]
    assert [column.name for column in parse_columns(None)] == list(COLUMNS)
    with pytest.raises(FilterError, match="there is no column 'nope'; the columns are id, namespace"):
        parse_columns("id,nope")


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_frames_tell_the_rows_and_the_end(format: str) -> None:
    order = Order(database_url="", format=format, filters=Filters(), now=START, columns="id")  # type: ignore[arg-type]
    out = io.BytesIO()
    export(order, iter([[row()], [row(id="e2")]]), Frames(out, 5))
    frames = list(framed(out.getvalue()))
    assert frames[-1] == (b"e", 2, b"")
    assert [rows for _, rows, _ in frames] == sorted(rows for _, rows, _ in frames)
    data = b"".join(data for kind, _, data in frames if kind == b"d")
    if format == "parquet":
        assert pl.read_parquet(data)["id"].to_list() == ["e1", "e2"]
    else:
        assert data == {"csv": b"id\r\ne1\r\ne2\r\n", "jsonl": b'{"id":"e1"}\n{"id":"e2"}\n'}[format]


def framed(data: bytes) -> list[tuple[bytes, int, bytes]]:
    """The frames of an exporter's output."""
    found, at = [], 0
    while at < len(data):
        kind, rows, size = struct.unpack_from(HEAD.format, data, at)
        at += HEAD.size
        found.append((kind, rows, data[at : at + size]))
        at += size
    return found


def test_an_order_travels_whole() -> None:
    filters = Filters()
    order = Order(database_url="sqlite:///x", format="csv", filters=filters, now=START, columns="id", stall=5)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(order), type=Order) == order
