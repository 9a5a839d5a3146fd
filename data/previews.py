"""What a file has at its beginning, as people look at it: rows of a table, lines of a text, a picture."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["LIST", "TEXT", "MARKDOWN", "IMAGE"]
HEAD_BYTES = 2_097_152  # of a text or a table in a text that are read
WHOLE_BYTES = 67_108_864  # of a Parquet file or a picture, which are read whole
_IMAGES = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "webp": "webp", "bmp": "bmp", "ico": "x-icon"}


class PreviewError(ValueError):
    """The file is not what its name says, or too large to look into."""


class Preview(msgspec.Struct, frozen=True):
    """The beginning of a file. ``content``: rows as objects, a text, or a picture as a ``data:`` URL."""

    extension: str
    type: Kind
    content: Any
    truncated: bool


def preview(file: IO[bytes], name: str, size: int, rows: int, encoding: str = "utf-8") -> Preview:
    """The first ``rows`` rows or lines of a file. Raises ``PreviewError``, and ``LookupError`` for the encoding."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extension in _IMAGES:
        data = base64.b64encode(_whole(file, size)).decode()
        return Preview(extension, "IMAGE", f"data:image/{_IMAGES[extension]};base64,{data}", False)
    if extension in _TABLES:
        frame, more = _table(file, extension, size, rows, encoding)
        return Preview(extension, "LIST", frame.head(rows).to_dicts(), more or frame.height > rows)
    text, cut = _head(file, size, encoding)
    lines = text.splitlines(keepends=True)
    kind: Kind = "MARKDOWN" if extension == "md" else "TEXT"
    return Preview(extension, kind, "".join(lines[:rows]), cut or len(lines) > rows)


def _whole(file: IO[bytes], size: int) -> bytes:
    if size > WHOLE_BYTES:
        raise PreviewError(f"the file has {size:,} bytes, up to {WHOLE_BYTES:,} are looked into: download it")
    return file.read()


def _head(file: IO[bytes], size: int, encoding: str) -> tuple[str, bool]:
    return file.read(HEAD_BYTES).decode(encoding, "replace"), size > HEAD_BYTES


# -- tables


def _table(file: IO[bytes], extension: str, size: int, rows: int, encoding: str) -> tuple[pl.DataFrame, bool]:
    """One row more than asked for, and whether there is more than was read."""
    from polars.exceptions import PolarsError

    try:
        if extension == "parquet":
            return _parquet(_whole(file, size), rows + 1), False
        text, cut = _head(file, size, encoding)
        if cut:  # the last line may be a part of one
            text = text[: text.rfind("\n") + 1]
        return _TABLES[extension](text.encode(), rows + 1), cut
    except (PolarsError, ValueError) as error:
        raise PreviewError(f"this is no {extension} file that can be read: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _csv(data: bytes, rows: int, separator: str = ",") -> pl.DataFrame:
    import polars as pl

    if not data.strip():
        return pl.DataFrame()
    options: dict[str, Any] = {"n_rows": rows, "infer_schema": False, "truncate_ragged_lines": True}
    return pl.read_csv(io.BytesIO(data), separator=separator, **options)


def _jsonl(data: bytes, rows: int) -> pl.DataFrame:
    import polars as pl

    lines = [line for line in data.split(b"\n") if line.strip()][:rows]
    values = [msgspec.json.decode(line) for line in lines]
    table = [value if isinstance(value, dict) else {"value": value} for value in values]
    return pl.from_dicts([_flat(row) for row in table], infer_schema_length=None) if table else pl.DataFrame()


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values as JSON, and all as texts where they are no plain ones: rows may differ in types."""
    return {name: value if isinstance(value, str) else _text(value) for name, value in row.items()}


def _text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _parquet(data: bytes, rows: int) -> pl.DataFrame:
    import polars as pl

    return pl.read_parquet(io.BytesIO(data), n_rows=rows)


_TABLES: dict[str, Callable[[bytes, int], pl.DataFrame]] = {
    "csv": _csv,
    "tsv": lambda data, rows: _csv(data, rows, "\t"),
    "jsonl": _jsonl,
    "ndjson": _jsonl,
    "parquet": _parquet,
}
