"""Tables in files as JSON Lines, row by row, however large they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Generator, Iterator
from typing import IO, Any

import msgspec

from data.previews import PreviewError

_PIECE = 262_144


def json_lines(file: IO[bytes], name: str) -> Generator[bytes]:
    """Pieces of the file as JSON Lines: CSV and TSV (cells as texts), Parquet; JSON Lines as they are.

    Raises ``PreviewError`` for another kind of file. To be closed before the file.
    """
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extension not in _ROWS:
        raise PreviewError(f"expected a table, {', '.join(_ROWS)}; got {name!r}")
    return _ROWS[extension](file)


def _plain(file: IO[bytes]) -> Generator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _cells(file: IO[bytes], separator: str = ",") -> Generator[bytes]:
    text = io.TextIOWrapper(file, "utf-8", errors="replace", newline="")
    rows = csv.DictReader(text, delimiter=separator)
    try:
        yield from _joined({name: cell for name, cell in row.items() if name is not None} for row in rows)
    finally:
        text.detach()  # the file is its caller's to close


def _frames(file: IO[bytes]) -> Generator[bytes]:
    import polars as pl

    frames = pl.scan_parquet(file).collect_batches(chunk_size=10_000)
    return _joined(row for frame in frames for row in frame.iter_rows(named=True))


def _joined(rows: Iterator[dict[str, Any]]) -> Generator[bytes]:
    """Lines of rows, some together."""
    piece = bytearray()
    for row in rows:
        piece += msgspec.json.encode(row) + b"\n"
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


_ROWS: dict[str, Callable[[IO[bytes]], Generator[bytes]]] = {
    "csv": _cells,
    "tsv": lambda file: _cells(file, "\t"),
    "jsonl": _plain,
    "ndjson": _plain,
    "parquet": _frames,
}
