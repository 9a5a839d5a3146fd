"""What a file has at its beginning."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import pytest

from data import previews
from data.previews import Preview, PreviewError, preview


def look(name: str, data: bytes, rows: int = 3, encoding: str = "utf-8") -> Preview:
    """The preview of a file of these bytes."""
    return preview(io.BytesIO(data), name, len(data), rows, encoding)


def parquet(rows: int) -> bytes:
    """A Parquet file."""
    file = io.BytesIO()
    pl.DataFrame({"n": range(rows), "name": [f"row {n}" for n in range(rows)]}).write_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "content"),
    [
        ("a.csv", b'n,name\r\n1,"a, b"\r\n2,\r\n', [{"n": "1", "name": "a, b"}, {"n": "2", "name": None}]),
        ("a.tsv", b"n\tname\n007\tx\n", [{"n": "007", "name": "x"}]),
        ("a.csv", b"", []),
        ("a.jsonl", b'{"n": 1, "tags": ["a"]}\n\n{"n": "x", "more": null}\n', [
            {"n": "1", "tags": '["a"]', "more": None}, {"n": "x", "tags": None, "more": None}]),
        ("a.ndjson", b"[1]\n2\n", [{"value": "[1]"}, {"value": "2"}]),
        ("a.parquet", parquet(2), [{"n": 0, "name": "row 0"}, {"n": 1, "name": "row 1"}]),
    ],
)  # fmt: skip
def test_tables(name: str, data: bytes, content: list[dict[str, Any]]) -> None:
    found = look(name, data)
    assert (found.type, found.content, found.truncated) == ("LIST", content, False)


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.csv", b"n\n1\n2\n3\n4\n"), ("a.jsonl", b'{"n":1}\n' * 4), ("a.parquet", parquet(4)), ("a.txt", b"x\n" * 4)],
)
def test_no_more_rows_than_asked_for(name: str, data: bytes) -> None:
    found = look(name, data)
    assert found.truncated
    assert len(found.content.splitlines() if found.type == "TEXT" else found.content) == 3


def test_texts_and_pictures() -> None:
    assert look("notes.md", b"# Title\n").type == "MARKDOWN"
    assert look("a.log", "größer\n".encode("latin-1"), encoding="latin-1").content == "größer\n"
    assert look("a.bin", b"\xff\x00ok").content == "\ufffd\x00ok"
    assert look("a.PNG", b"\x89PNG").content == "data:image/png;base64,iVBORw=="
    assert look("a.svg", b"<svg onload=alert(1)>").type == "TEXT"
    with pytest.raises(LookupError):
        look("a.txt", b"x", encoding="klingon")


def test_what_is_not_read_as_a_whole_ends_at_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "HEAD_BYTES", 9)
    found = look("a.csv", b"n\n1\n2\n3\n444444\n", rows=10)
    assert ([row["n"] for row in found.content], found.truncated) == (["1", "2", "3"], True)


@pytest.mark.parametrize(("name", "data"), [("a.parquet", b"PAR1 nothing"), ("a.jsonl", b'{"n": 1\n')])
def test_what_is_not_what_its_name_says(name: str, data: bytes) -> None:
    with pytest.raises(PreviewError, match="can be read"):
        look(name, data)


def test_what_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "WHOLE_BYTES", 10)
    with pytest.raises(PreviewError, match="download it"):
        look("a.parquet", parquet(1))
