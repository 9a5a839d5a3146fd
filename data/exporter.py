"""A process that makes one export: ``python -m data.exporter``, told what to do on standard input.

It has a process of its own so that a web process serves pages meanwhile, and so that an export can be ended at any
moment. Standard output is a row of frames: a kind, how many rows are done, and bytes of the file (or of a message).
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from data.errors import StoreUnavailable
from data.export import PIECES, Format, parse_columns, write_parquet
from data.filters import Filters
from data.records import DEFAULT_SORT
from streaming.messages import ExecutionRow

HEAD = struct.Struct(">cQI")
DATA, PROGRESS, END, FAILED = b"d", b"p", b"e", b"x"
_COPY = 256 * 1024
# Polars reads them when it is loaded: each of its threads holds row groups of its own, and freed memory is given back.
_FRUGAL = {"POLARS_MAX_THREADS": "1", "_RJEM_MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0"}


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to export. ``columns``: names joined by commas; ``folder``: where a file may be written meanwhile.

    ``stall``: seconds that whoever reads the frames may take nothing before the export ends itself.
    """

    database_url: str
    format: Format
    filters: Filters
    now: datetime
    sort: str = DEFAULT_SORT
    columns: str = ""
    folder: str = ""
    stall: int = 60


class Frames:
    """Writes frames; a reader that takes nothing for too long, or is gone, ends the process."""

    def __init__(self, out: IO[bytes], stall: int) -> None:
        self._out, self._stall = out, stall
        self.rows = 0

    def write(self, kind: bytes, data: bytes = b"") -> None:
        """One frame, with the rows done so far."""
        signal.alarm(self._stall)
        self._out.write(HEAD.pack(kind, self.rows, len(data)) + data)
        self._out.flush()
        signal.alarm(0)


def export(order: Order, batches: Iterator[Sequence[ExecutionRow]], frames: Frames) -> None:
    """Write the file of ``order`` as frames."""
    columns = parse_columns(order.columns)
    if order.format == "parquet":
        with tempfile.TemporaryFile(dir=order.folder or None) as file:  # without a name: gone with the process
            write_parquet(_counted(batches, frames), columns, file)
            file.seek(0)
            while piece := file.read(_COPY):
                frames.write(DATA, piece)
    else:
        for piece, rows in PIECES[order.format](batches, columns):
            frames.rows += rows
            frames.write(DATA, piece)
    frames.write(END)


def _counted(batches: Iterator[Sequence[ExecutionRow]], frames: Frames) -> Iterator[Sequence[ExecutionRow]]:
    for rows in batches:
        yield rows
        frames.rows += len(rows)
        frames.write(PROGRESS)


def main() -> None:
    """Do what standard input says."""
    os.nice(5)  # pages come first
    os.environ.update(_FRUGAL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Order)
    frames = Frames(sys.stdout.buffer, order.stall)
    _guarded(lambda: _run(order, frames), frames)


def _run(order: Order, frames: Frames) -> None:
    from data import Store

    if order.folder:
        Path(order.folder).mkdir(parents=True, exist_ok=True)
    store = Store(order.database_url, connections=1)
    try:
        export(order, store.scan(order.filters, order.sort, now=order.now), frames)
    finally:
        store.close()


def _guarded(work: Callable[[], None], frames: Frames) -> None:
    try:
        work()
    except BrokenPipeError:  # nobody reads any more
        os._exit(1)
    except StoreUnavailable as error:
        frames.write(FAILED, f"the database can't be reached: {error}".encode())
    except OSError as error:
        frames.write(FAILED, f"the file could not be written: {error}".encode())


if __name__ == "__main__":
    main()
